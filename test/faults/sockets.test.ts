// A conversation of WebSockets over each transport, with each operation of one end failing in each way.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { scrubReads } from "../../src/net/sockets/read-block.ts";
import { everyFailure, type Run } from "../../src/testing/index.ts";
import { Stream } from "../../src/websocket/index.ts";
import { pattern } from "../core/support/stream-operations.ts";
import { transports } from "../support/transports.ts";
import { assertNoneUnhandled } from "../support/unhandled.ts";

assertNoneUnhandled();
// A look at borrowed bytes that comes too late shows.
scrubReads(true);

const bytes = new Uint8Array(pattern(100_000));

/** The server echoes by a handler, the client reads; the operations of one of them fail. */
async function converse(run: Run, transport: string, failing: "server" | "client"): Promise<void> {
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

describe("a conversation, whatever fails below", () => {
  for (const transport of ["handles", "sockets", "TLS over handles", "TLS over sockets"]) {
    for (const failing of ["server", "client"] as const) {
      it(`of the ${failing}, over ${transport}, ends, and leaves nothing`, async () => {
        const runs = await everyFailure((run) => converse(run, transport, failing));
        assert.ok(runs.length > 20, runs.join());
      });
    }
  }
});
