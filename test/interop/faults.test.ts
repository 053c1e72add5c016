// A conversation of WebSockets, and of HTTP, over each transport, with each operation of one end failing in each way.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { request, Request, Response, serve } from "../../src/http/index.ts";
import { everyFailure, type Failure, type Run } from "../../src/testing/index.ts";
import { Stream } from "../../src/websocket/index.ts";
import { pattern } from "../core/support/stream-operations.ts";
import { transports } from "../support/transports.ts";
import { assertNoneUnhandled } from "../support/unhandled.ts";

assertNoneUnhandled();
// A look at borrowed bytes that comes too late shows.
scrubReads(true);

const bytes = new Uint8Array(pattern(100_000));

/** The server echoes by a handler, the client reads; the operations of one of them fail. */
async function webSocket(run: Run, transport: string, failing: "server" | "client"): Promise<void> {
  const [accepted, connected] = await transports[transport]!();
  const { clock, signal, track } = run;
  const server = new Stream(failing === "server" ? run.wrap(accepted) : accepted, {
    clock,
    message: (ws, message) => ws.write(message),
  });
  const client = new Stream(failing === "client" ? run.wrap(connected) : connected, { clock });
  try {
    await Promise.all([track(server.accept({ signal })), track(client.handshake("example.com", "/", { signal }))]);
    void track(client.write("hello"));
    void track(client.write(bytes));
    assert.equal(await client.read(), "hello");
    assert.deepEqual(await client.read(), bytes);
    await client.close();
  } finally {
    client.terminate();
    server.terminate();
    await Promise.all([track(client.closed), track(server.closed)]);
  }
}

/** What a request is answered with that a failure of the server's stream has cut. */
const cutting: Partial<Record<Failure, readonly number[]>> = { end: [400, 500], stall: [408] };

/** Two requests with bodies on one connection; the operations of one side fail. */
async function http(run: Run, transport: string, failing: "server" | "client"): Promise<void> {
  const [accepted, connected] = await transports[transport]!();
  const { clock, signal, track } = run;
  const server = failing === "server" ? run.wrap(accepted) : accepted;
  const client = failing === "client" ? run.wrap(connected) : connected;
  const handler = async (received: { bytes(): Promise<Uint8Array> }): Promise<Response> =>
    new Response({ body: await received.bytes() });
  const serving = track(serve(server, handler, { clock, error() {} }));
  // What it fails with is the failure below, which the client has too.
  serving.catch(() => {});
  try {
    for (const body of [bytes, new Uint8Array(5)]) {
      const message = new Request({ method: "POST", headers: { Host: "h" }, body });
      const response = await track(request(client, message, { clock, signal }));
      const answer = await track(response.bytes());
      if (response.status === 200) assert.deepEqual(new Uint8Array(answer), body);
      // The request was cut, or took too long, and the answer says so.
      else assert.ok(run.met !== undefined && cutting[run.failure!]?.includes(response.status), `${response.status}`);
    }
  } finally {
    client.close();
    server.close();
    await Promise.allSettled([serving]);
  }
}

const conversations = { WebSockets: webSocket, HTTP: http };

for (const [name, converse] of Object.entries(conversations))
  describe(`a conversation by ${name}, whatever fails below`, () => {
    for (const transport of ["handles", "sockets", "TLS over handles", "TLS over sockets"]) {
      for (const failing of ["server", "client"] as const) {
        it(`of the ${failing}, over ${transport}, ends, and leaves nothing`, async () => {
          const runs = await everyFailure((run) => converse(run, transport, failing));
          assert.ok(runs.length > 20, runs.join());
        });
      }
    }
  });
