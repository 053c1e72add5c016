import assert from "node:assert/strict";
import { Socket } from "node:net";
import { describe, it, mock } from "node:test";
import { connectBy } from "../../../src/net/connect.ts";
import { listenBy } from "../../../src/net/listen.ts";
import { isStuck, pattern, read, turns, until, writeOutcome } from "../../core/support/stream-operations.ts";
import { accepted } from "../support/sockets.ts";

const host = "127.0.0.1";

describe("NodeSocketStream", () => {
  it("resets the connection when closed during a write, and only then", async (test) => {
    const resets = mock.method(Socket.prototype, "resetAndDestroy");
    test.after(() => resets.mock.restore());
    const [stream, raw, listener] = await accepted("onread");
    raw.on("error", () => {});
    const writing = writeOutcome(stream, pattern(32 * 1024 * 1024));
    assert.ok(await isStuck(writing));
    stream.close();
    assert.equal((await writing).error?.code, "core.aborted");
    assert.equal(resets.mock.callCount(), 1);
    await until(() => listener.connections === 0);
    raw.destroy();

    const [idle, idleRaw, idleListener] = await accepted("onread");
    idle.close();
    await until(() => idleListener.connections === 0);
    assert.equal(resets.mock.callCount(), 1);
    idleRaw.destroy();
  });

  it("goes on reading in the same turn of the event loop, and stops in the next", async () => {
    const [stream, raw] = await accepted("onread");
    const socket: { pauses: number } = { pauses: 0 };
    const original = Socket.prototype.pause;
    Socket.prototype.pause = function (this: Socket) {
      socket.pauses++;
      return original.call(this);
    };
    try {
      const first = read(stream);
      raw.write("one");
      assert.equal(String(await first), "one");
      // Awaiting has taken microtasks alone.
      const second = read(stream);
      await turns(3);
      assert.equal(socket.pauses, 0);
      raw.write("two");
      assert.equal(String(await second), "two");
      await turns(3);
      assert.equal(socket.pauses, 1);
    } finally {
      Socket.prototype.pause = original;
    }
    raw.destroy();
    stream.close();
  });

  it("turns Nagle's algorithm off", async () => {
    const original = Socket.prototype.setNoDelay;
    const calls: unknown[] = [];
    Socket.prototype.setNoDelay = function (this: Socket, on?: boolean) {
      calls.push(on);
      return original.call(this, on);
    };
    try {
      const listener = await listenBy("onread", { port: 0, host }, (stream) => stream.close());
      const stream = await connectBy("onread", { port: listener.port, host });
      assert.equal(await read(stream), undefined);
      assert.deepEqual(calls, [true, true]);
      stream.close();
      await listener.close();
    } finally {
      Socket.prototype.setNoDelay = original;
    }
  });
});
