// The way of a message through the sources, over both transports: how deep the stack is under its handler, and which functions the
// reply enters. So a reader who follows the bytes has so many functions to look at, and no more.
import assert from "node:assert/strict";
import { Session, type Profiler } from "node:inspector";
import { after, before, describe, it } from "node:test";
import { connect } from "../../src/client/index.ts";
import { serve, type Server, type ServerWebSocket } from "../../src/server/index.ts";
import type { Stream } from "../../src/websocket/index.ts";
import { deferred, quiet } from "../support/quiet.ts";

const sources = new URL("../../src/", import.meta.url).href;

/** The calls of the sources that are on the stack, the innermost first. */
function stack(): string[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  Error.stackTraceLimit = Infinity;
  Error.prepareStackTrace = (_, calls) => calls;
  const calls = new Error("here").stack as unknown as NodeJS.CallSite[];
  Error.prepareStackTrace = prepareStackTrace;
  Error.stackTraceLimit = stackTraceLimit;
  return calls
    .filter((call) => call.getFileName()?.startsWith(sources) === true)
    .map((call) => `${call.getFileName()!.slice(sources.length)} ${call.getFunctionName()}`);
}

const inspector = new Session();

/** The functions of the sources that were entered since the last call, each as often as it was. */
function entered(): string[] {
  let scripts: Profiler.ScriptCoverage[] = [];
  inspector.post("Profiler.takePreciseCoverage", (_, { result }) => {
    scripts = result;
  });
  return scripts
    .filter(({ url }) => url.startsWith(sources))
    .flatMap(({ url, functions }) =>
      functions.flatMap(({ functionName, ranges }) =>
        Array.from({ length: ranges[0]!.count }, () => `${url.slice(sources.length)} ${functionName}`),
      ),
    );
}

/** What starts a write, by transport. */
const writes = { handle: "net/sockets/handle-stream.js push", socket: "core/duplex.js push" };

for (const transport of ["handle", "socket"] as const)
  describe(`a message on its way, over a ${transport}`, () => {
    let server: Server;
    let client: Stream;
    let ws: ServerWebSocket;
    /** What the next message at the server shows. */
    let received = deferred<string[]>();

    before(async () => {
      inspector.connect();
      inspector.post("Profiler.enable");
      inspector.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
      server = await serve({
        port: 0,
        host: "127.0.0.1",
        transport,
        message(one) {
          ws = one;
          received.resolve(stack());
        },
      });
      client = await connect(`ws://127.0.0.1:${server.port}/`, { transport });
    });

    after(async () => {
      inspector.disconnect();
      await client.close();
      await server.close();
    });

    for (const [name, data] of [
      ["text", "x".repeat(64)],
      ["binary", new Uint8Array(64)],
    ] as const) {
      it(`${name}: from the transport's callback to the handler at most 6 functions are on the stack`, async () => {
        received = deferred();
        await client.write(data);
        const calls = await received.promise;
        assert.match(calls.at(-1)!, /^net\//, "the outermost is the transport's callback");
        assert.ok(calls.length <= 6, calls.join("\n"));
      });

      it(`${name}: send enters at most 8 functions in the call, and at most 8 in the flush`, async () => {
        const echoed = client.read();
        ws.send(data);
        await echoed;
        // The reader that has left it has turns of its own.
        await quiet();
        entered();
        ws.send(data);
        const call = entered();
        // The flush is in the microtask before this one.
        const flush = await new Promise<string[]>((resolve) => queueMicrotask(() => resolve(entered())));
        await client.read();
        assert.ok(call.length > 0 && call.length <= 8, call.join("\n"));
        assert.ok(flush.includes(writes[transport]), `no write was started:\n${flush.join("\n")}`);
        assert.ok(flush.length <= 8, flush.join("\n"));
      });
    }
  });
