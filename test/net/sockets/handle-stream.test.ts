import assert from "node:assert/strict";
import { once } from "node:events";
import { Server, Socket, type AddressInfo } from "node:net";
import { describe, it, mock } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { takeConnections } from "../../../src/net/sockets/accepted-handles.ts";
import { HandleStream } from "../../../src/net/sockets/handle-stream.ts";
import type { StreamHandle } from "../../../src/net/sockets/stream-handle.ts";
import {
  isStuck,
  pattern,
  read,
  readOutcome,
  shutdown,
  turns,
  until,
  writeAll,
  writeOutcome,
} from "../../core/support/stream-operations.ts";
import { accepted, sendLast, withPath } from "../support/sockets.ts";

interface Accepted {
  readonly stream: HandleStream;
  /** Its methods can be mocked. */
  readonly handle: StreamHandle;
  readonly raw: Socket;
  /** How often the stream has told that its handle is closed. */
  readonly closed: { readonly times: number };
}

/** A stream over an accepted handle, and the socket at the other end. */
async function over(prepare: (handle: StreamHandle) => void = () => {}): Promise<Accepted> {
  const server = new Server({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const taken = new Promise<StreamHandle>((resolve) => {
    takeConnections(server, (handle) => {
      resolve(handle);
      return true;
    });
  });
  const raw = new Socket({ allowHalfOpen: true });
  raw.on("error", () => {});
  raw.connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [handle] = await Promise.all([taken, once(raw, "connect")]);
  server.close();
  prepare(handle);
  const closed = { times: 0 };
  return { stream: new HandleStream(handle, undefined, () => closed.times++), handle, raw, closed };
}

const hello = Buffer.from("hello");

describe("HandleStream", () => {
  it("turns Nagle's algorithm off, and has its peer, also after a reset", async () => {
    const calls: unknown[] = [];
    const { stream, raw } = await over((handle) => {
      handle.setNoDelay = (on) => calls.push(on);
    });
    assert.deepEqual(calls, [true]);
    const { port } = raw.address() as AddressInfo;
    raw.resetAndDestroy();
    await assert.rejects(read(stream), { code: "core.connection_reset" });
    assert.deepEqual(stream.peer, { address: "127.0.0.1", port, family: "IPv4" });
  });

  it("resets the connection when closed during a write, and only then", async () => {
    const { stream, handle, raw, closed } = await over();
    const reset = mock.method(handle as Required<StreamHandle>, "reset");
    const writing = writeOutcome(stream, pattern(32 * 1024 * 1024));
    assert.ok(await isStuck(writing));
    stream.close();
    assert.equal((await writing).error?.code, "core.aborted");
    assert.deepEqual([reset.mock.callCount(), closed.times], [1, 1]);
    raw.destroy();
    const idle = await over();
    const other = mock.method(idle.handle as Required<StreamHandle>, "reset");
    idle.stream.close();
    assert.deepEqual([other.mock.callCount(), idle.closed.times], [0, 1]);
    idle.raw.destroy();
  });

  it("frees its handle when it is reset during a shutdown, which libuv refuses", async () => {
    const { stream, handle, raw } = await over();
    // The shutdown waits for a write that the peer does not take.
    const writing = writeOutcome(stream, pattern(32 * 1024 * 1024));
    assert.ok(await isStuck(writing));
    const closing = mock.method(handle, "close");
    raw.resume();
    assert.equal((await writing).error, undefined);
    stream.shutdown(() => {});
    stream.reset();
    assert.equal(closing.mock.callCount(), 1);
    if (!raw.readableEnded) await once(raw, "end");
    raw.destroy();
  });

  it("goes on reading in the same turn of the event loop, and stops in the next", async () => {
    const { stream, handle, raw } = await over();
    const starts = mock.method(handle, "readStart");
    const stops = mock.method(handle, "readStop");
    const first = read(stream);
    raw.write("one");
    assert.equal(String(await first), "one");
    // Awaiting has taken microtasks alone.
    const second = read(stream);
    await turns(3);
    assert.equal(stops.mock.callCount(), 0);
    raw.write("two");
    assert.equal(String(await second), "two");
    await turns(3);
    assert.deepEqual([starts.mock.callCount(), stops.mock.callCount()], [1, 1]);
    stream.close();
    raw.destroy();
  });

  it("needs no new request for a write that the system takes at once, and one for each that waits", async () => {
    const { stream, handle, raw } = await over();
    const writes = mock.method(handle, "writeBuffer");
    for (let i = 0; i < 3; i++) await writeAll(stream, hello);
    const requests = writes.mock.calls.map(({ arguments: [request] }) => request);
    assert.equal(new Set(requests).size, 1);
    const waiting = writeOutcome(stream, pattern(32 * 1024 * 1024));
    assert.ok(await isStuck(waiting));
    raw.resume();
    assert.equal((await waiting).error, undefined);
    await writeAll(stream, hello);
    assert.notEqual(writes.mock.calls[4]!.arguments[0], writes.mock.calls[3]!.arguments[0]);
    stream.close();
    raw.destroy();
  });

  it("writes a list as it is, and counts bytes", async () => {
    const { stream, handle, raw } = await over();
    const lists = mock.method(handle, "writev");
    const got = once(raw, "data") as Promise<[Buffer]>;
    const list = [hello, Buffer.from(", "), Buffer.from("you")];
    await new Promise<void>((resolve, reject) => {
      stream.writeSome(list, (error) => (error === undefined ? resolve() : reject(error)));
    });
    assert.equal(String((await got)[0]), "hello, you");
    assert.equal(lists.mock.callCount(), 1);
    raw.write(hello);
    await read(stream);
    assert.deepEqual([stream.bytesRead, stream.bytesWritten], [5, 10]);
    stream.close();
    raw.destroy();
  });

  it("fails a read for a reset that comes with the last bytes, and ends for an end", async () => {
    for (const how of ["reset", "end"] as const) {
      const { stream, raw, closed } = await over();
      const first = read(stream);
      sendLast(raw, how);
      assert.equal(String(await first), "last");
      if (how === "end") assert.equal(await read(stream), undefined);
      else await assert.rejects(read(stream), { code: "core.connection_reset" });
      assert.equal(closed.times, how === "end" ? 0 : 1, "a failed connection keeps no descriptor");
      stream.close();
      raw.destroy();
    }
  });

  it("fails a watch when the peer of a Unix socket is gone, and ends it when the peer has ended only its side", async () => {
    for (const how of ["gone", "ended"] as const) {
      await withPath(async (path) => {
        const [stream, raw] = await accepted("handle", path);
        const watched = new Promise((resolve) => stream.watch((error) => resolve(error?.code)));
        if (how === "gone") raw.destroy();
        else raw.end();
        assert.equal(await watched, how === "gone" ? "core.connection_reset" : undefined);
        stream.close();
        raw.destroy();
      });
    }
  });

  it("ends a read when the peer of a Unix socket has closed it", async () => {
    await withPath(async (path) => {
      const [stream, raw] = await accepted("handle", path);
      const first = read(stream);
      raw.end("last", () => raw.destroy());
      assert.equal(String(await first), "last");
      assert.equal(await read(stream), undefined);
      stream.close();
    });
  });

  it("aborts a write that it is closed within, though the system has taken it", async () => {
    const { stream, raw } = await over();
    // A tick of a callback of the event loop comes before its microtasks.
    const outcome = await new Promise<ServalError | undefined>((resolve) => {
      setImmediate(() => {
        stream.writeSome(hello, resolve);
        stream.close();
      });
    });
    assert.equal(outcome?.code, "core.aborted");
    raw.destroy();
  });

  it("fails a write that begins after a failure, also when the turn of an earlier one comes", async () => {
    const { stream, raw } = await over();
    await writeAll(stream, hello);
    raw.resetAndDestroy();
    const { error } = await readOutcome(stream);
    const later = writeOutcome(stream, hello);
    stream.takeTurn();
    assert.equal((await later).error, error);
  });

  it("takes an end after its own for an end, though the connection has no peer then", async () => {
    const { stream, raw, closed } = await over();
    raw.resume();
    await shutdown(stream);
    if (!raw.readableEnded) await once(raw, "end");
    raw.end();
    assert.equal(await read(stream), undefined);
    assert.equal(closed.times, 1);
    raw.destroy();
  });

  it("fails with the error that Node.js makes of a system error", async () => {
    const { stream, raw, closed } = await over();
    raw.resetAndDestroy();
    const { error } = await readOutcome(stream);
    assert.equal(error?.code, "core.connection_reset");
    const { message, errno, code, syscall } = error.cause as NodeJS.ErrnoException;
    assert.deepEqual({ message, code, syscall }, { message: "read ECONNRESET", code: "ECONNRESET", syscall: "read" });
    assert.ok(errno! < 0);
    assert.equal(closed.times, 1, "a failed connection keeps no descriptor");
    assert.equal((await writeOutcome(stream, hello)).error, error);
    const refusing = await over((handle) => {
      handle.writeBuffer = () => -32;
      handle.readStart = () => -9;
    });
    const failure = (await writeOutcome(refusing.stream, hello)).error as ServalError;
    assert.equal((failure.cause as Error).message, "write EPIPE");
    assert.equal((await readOutcome(refusing.stream)).error, failure);
    refusing.raw.destroy();
    raw.destroy();
  });

  it("frees its place without a close once both sides have ended, or it has failed", async () => {
    const [stream, raw, listener] = await accepted("handle");
    raw.end();
    assert.equal(await read(stream), undefined);
    assert.equal(listener.connections, 1);
    await shutdown(stream);
    await until(() => listener.connections === 0);
    raw.destroy();
  });
});

it("HandleStreams complete writes of the same moment each for itself, though a handler throws", async (t) => {
  const [first, second] = [await over(), await over()];
  const uncaught: unknown[] = [];
  const expected = new Error("mine");
  process.setUncaughtExceptionCaptureCallback((error) => uncaught.push(error));
  t.after(() => process.setUncaughtExceptionCaptureCallback(null));
  const done: string[] = [];
  await new Promise<void>((resolve) => {
    first.stream.writeSome(hello, () => {
      done.push("first");
      // Begun by a handler, after the others.
      first.stream.writeSome(hello, () => {
        done.push("first again");
        resolve();
      });
      throw expected;
    });
    second.stream.writeSome(hello, () => done.push("second"));
  });
  assert.deepEqual(done, ["first", "second", "first again"]);
  assert.deepEqual(uncaught, [expected]);
  for (const { stream, raw } of [first, second]) {
    stream.close();
    raw.destroy();
  }
});

it("a HandleStream's write completes after all microtasks, so that replies to the messages of one read gather", async () => {
  const { stream, raw } = await over();
  let microtasks = 0;
  const completed = new Promise<number>((resolve) => stream.writeSome(hello, () => resolve(microtasks)));
  for (; microtasks < 100; microtasks++) await undefined;
  assert.equal(await completed, 100);
  stream.close();
  raw.destroy();
});
