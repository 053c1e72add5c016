import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { serve } from "../../../src/server/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { Stream } from "../../../src/websocket/index.ts";
import { connect } from "../../../src/client/index.ts";
import { quiet } from "../../support/quiet.ts";
import { text } from "../support/frames.ts";
import { ended, opened, pulled } from "../support/kit.ts";

const calls: [name: string, call: (ws: Stream) => unknown, message: RegExp][] = [
  ["write of an object", (ws) => ws.write({ a: 1 } as never), /A message must be/],
  ["write with a wrong option", (ws) => ws.write("x", { singal: 1 } as never), /did you mean signal/],
  ["writeSome", (ws) => ws.writeSome(5 as never, true), /A part of a message must be/],
  ["ping", (ws) => ws.ping("x".repeat(126)), /at most 125 bytes/],
  ["pong", (ws) => ws.pong(5 as never), /at most 125 bytes/],
  ["close", (ws) => ws.close({ code: 1006 }), /1006 can't be sent/],
  [
    "write of an iterable that can't be begun",
    (ws) =>
      ws.write({
        [Symbol.iterator]() {
          throw new Error("mine");
        },
      }),
    /mine/,
  ],
];

describe("misuse by a call whose promise nothing handles counts as a handler that rejects", () => {
  for (const [name, call, message] of calls) {
    it(name, async () => {
      const seen: string[] = [];
      const state = await opened({
        message: (ws) => void call(ws),
        error: (_, { code, message, cause }) => void seen.push(`${code} ${message} ${(cause as Error).message}`),
      });
      void state.peer.write(text("1"));
      await quiet(2);
      assert.equal(seen.length, 1);
      assert.match(seen[0]!, /^websocket\.handler_failed A call whose promise nothing handles has failed: /);
      assert.match(seen[0]!, message);
      assert.deepEqual(state.peer.frames, ["close 1011"]);
      await ended(state);
    });
  }

  it("shows on the console without an error handler, and in the server's counts", async (t) => {
    const { mock } = t.mock.method(console, "error", () => {});
    const server = await serve({
      host: "127.0.0.1",
      port: 0,
      message(ws, message) {
        void ws.write(JSON.parse(`${message}`) as never);
      },
    });
    const ws = await connect(server.url);
    await ws.write("{}");
    assert.equal((await ws.closed).code, 1011);
    assert.deepEqual(server.stats().errors, { "websocket.handler_failed": 1 });
    assert.equal(mock.callCount(), 1);
    assert.equal((mock.calls[0]!.arguments as [{ code: string }])[0].code, "core.invalid_argument");
    await server.close();
  });

  it("runs error in the connection's async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const state = await storage.run("own", () => opened({ error: () => void seen.push(storage.getStore()) }));
    storage.run("foreign", () => void state.ws.write(5 as never));
    await quiet(2);
    assert.deepEqual(seen, ["own"]);
    await ended(state);
  });

  it("goes to the console before the stream is open", async (t) => {
    const { mock } = t.mock.method(console, "error", () => {});
    void new Stream(pair()[0]).write("x");
    void new Stream(pair()[0]).close({ code: 1006 });
    await quiet(2);
    assert.deepEqual(
      mock.calls.map(({ arguments: [error] }) => (error as { code: string }).code),
      ["websocket.not_open", "core.invalid_argument"],
    );
  });
});

describe("a promise that is handled is the caller's alone", () => {
  for (const [name, call] of calls) {
    it(name, async () => {
      const state = await pulled();
      await assert.rejects(call(state.ws) as Promise<void>);
      await assert.rejects(Promise.all([call(state.ws), undefined]));
      (call(state.ws) as Promise<void>).catch(() => {});
      await quiet(2);
      assert.deepEqual([state.errors, state.ws.isOpen], [[], true]);
      await ended(state);
    });
  }

  it("one that a handler returns ends the connection once", async () => {
    const seen: string[] = [];
    const state = await opened({
      message: async (ws) => ws.write(5 as never),
      error: (_, error) => void seen.push(error.message),
    });
    void state.peer.write(text("1"));
    await quiet(2);
    assert.equal(seen.length, 1);
    assert.match(seen[0]!, /^A handler of the application threw or rejected: /);
    await ended(state);
  });
});

it("an unawaited write that fails since the connection has ended is no misuse, and not reported", async (t) => {
  const { mock } = t.mock.method(console, "error", () => {});
  const state = await pulled();
  state.ws.terminate();
  void state.ws.write("x");
  void state.ws.ping("x");
  await state.ws.closed;
  void state.ws.write("x");
  await quiet(2);
  assert.deepEqual([state.errors, mock.callCount()], [[], 0]);
});
