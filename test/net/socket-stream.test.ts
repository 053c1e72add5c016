import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { describe, it, mock } from "node:test";
import type { ServalError } from "../../src/core/index.ts";
import { connect, listen, type Listener, type SocketStream } from "../../src/net/index.ts";
import { hasOnread, lend, onread, scrubReads, takenBack } from "../../src/net/onread.ts";
import {
  isStuck,
  pattern,
  read,
  readOutcome,
  turns,
  until,
  watch,
  writeAll,
  writeOutcome,
} from "../core/support/stream-operations.ts";

const host = "127.0.0.1";

/** An accepted stream, and the raw socket at the other end. */
async function accepted(): Promise<{ listener: Listener; stream: SocketStream; raw: Socket }> {
  const streams: SocketStream[] = [];
  const listener = await listen({ port: 0, host }, (stream) => streams.push(stream));
  const raw = new Socket({ allowHalfOpen: true });
  raw.connect(listener.port!, host);
  await Promise.all([once(raw, "connect"), until(() => streams.length === 1)]);
  await listener.close();
  return { listener, stream: streams[0]!, raw };
}

describe("a watched socket", () => {
  it("sees a reset that comes together with the last bytes, and an end that does", async () => {
    for (const how of ["reset", "end"] as const) {
      const { stream, raw } = await accepted();
      const watched = watch(stream);
      sendLast(raw, how);
      assert.equal((await watched)?.code, how === "reset" ? "core.connection_reset" : undefined);
      assert.equal(String(await read(stream)), "last");
      stream.close();
      raw.destroy();
    }
  });

  it("sees it also after a read has taken it for an end; an end stays one, as often as it is asked for", async () => {
    for (const how of ["reset", "end"] as const) {
      const { stream, raw } = await accepted();
      const first = read(stream);
      sendLast(raw, how);
      assert.equal(String(await first), "last");
      await read(stream).catch(() => {});
      const code = how === "reset" ? "core.connection_reset" : undefined;
      for (let i = 0; i < 2; i++) assert.equal((await watch(stream))?.code, code);
      if (how === "end") assert.equal(await read(stream), undefined);
      else await assert.rejects(read(stream), { code });
      stream.close();
      raw.destroy();
    }
  });

  it("is not kept from its end by a write that the peer does not take", async () => {
    const { stream, raw } = await accepted();
    const first = read(stream);
    raw.end("last");
    assert.equal(String(await first), "last");
    assert.equal(await read(stream), undefined);
    raw.pause();
    let written = false;
    stream.writeSome(new Uint8Array(64 * 1024 * 1024), () => (written = true));
    assert.equal(await watch(stream), undefined);
    assert.equal(written, false);
    stream.close();
    raw.destroy();
  });
});

describe("onread", () => {
  it("has what this platform offers", () => {
    // Where it is not, everything works by 'data' events, but the suite has then not tested the better way.
    assert.equal(hasOnread(), true);
  });

  it("reads into one shared block, and never asks Node to stop", () => {
    const sizes: number[] = [];
    const one = onread((size) => {
      sizes.push(lend(size).length);
      return takenBack(size);
    });
    const other = onread(takenBack);
    assert.equal(one.buffer, other.buffer);
    assert.equal(one.buffer.length, 65_536);
    assert.equal(one.callback(7), true);
    assert.deepEqual(sizes, [7]);
  });

  it("overwrites the bytes of a read with scrubbing", () => {
    const { buffer, callback } = onread(takenBack);
    buffer.fill(1, 0, 8);
    callback(4);
    assert.deepEqual([...buffer.subarray(0, 8)], [1, 1, 1, 1, 1, 1, 1, 1]);
    scrubReads(true);
    callback(4);
    scrubReads(false);
    assert.deepEqual([...buffer.subarray(0, 8)], [0xdb, 0xdb, 0xdb, 0xdb, 1, 1, 1, 1]);
  });
});

describe("SocketStream", () => {
  it("resets the connection when closed during a write, and only then", async (test) => {
    const resets = mock.method(Socket.prototype, "resetAndDestroy");
    test.after(() => resets.mock.restore());
    const { stream, raw, listener } = await accepted();
    raw.on("error", () => {});
    const writing = writeOutcome(stream, pattern(32 * 1024 * 1024));
    assert.ok(await isStuck(writing));
    stream.close();
    assert.equal((await writing).error?.code, "core.aborted");
    assert.equal(resets.mock.callCount(), 1);
    await until(() => listener.connections === 0);
    raw.destroy();

    const idle = await accepted();
    idle.stream.close();
    await until(() => idle.listener.connections === 0);
    assert.equal(resets.mock.callCount(), 1);
    idle.raw.destroy();
  });

  it("ends it cleanly when closed between writes", async () => {
    const { stream, raw } = await accepted();
    await writeAll(stream, Buffer.from("hello"));
    stream.close();
    const parts: Buffer[] = [];
    for await (const part of raw) parts.push(part as Buffer);
    assert.equal(String(Buffer.concat(parts)), "hello");
  });

  it("goes on reading in the same turn of the event loop, and stops in the next", async () => {
    const { stream, raw } = await accepted();
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

  it("lets the event loop turn even if the kernel takes every write at once", async () => {
    const { stream, raw } = await accepted();
    let writes = 0;
    let hasTurned = false;
    setImmediate(() => (hasTurned = true));
    const chunk = Buffer.from("x");
    await new Promise<void>((resolve) => {
      const write = (): void =>
        stream.writeSome(chunk, () => {
          writes++;
          if (hasTurned) resolve();
          else write();
        });
      write();
    });
    assert.ok(writes <= 100, `${writes} writes in one turn`);
    stream.close();
    raw.destroy();
  });

  it("never shows one connection's bytes to another that awaits between reads", async () => {
    scrubReads(true);
    const listener = await listen({ port: 0, host }, (stream) => {
      void (async () => {
        try {
          for (let bytes = await read(stream); bytes !== undefined; bytes = await read(stream)) {
            await turns(1);
            await writeAll(stream, bytes);
          }
        } finally {
          stream.close();
        }
      })();
    });
    const exchange = async (seed: number): Promise<void> => {
      const stream = await connect({ port: listener.port, host });
      const sent = pattern(400_000, seed);
      const parts: Buffer[] = [];
      const writing = writeAll(stream, sent);
      for (let length = 0; length < sent.length; length += parts.at(-1)!.length) parts.push((await read(stream))!);
      await writing;
      stream.close();
      assert.ok(Buffer.concat(parts).equals(sent));
    };
    await Promise.all([1, 2, 3, 4, 5].map(exchange));
    await until(() => listener.connections === 0);
    await listener.close();
    scrubReads(false);
  });

  it("turns Nagle's algorithm off", async () => {
    const original = Socket.prototype.setNoDelay;
    const calls: unknown[] = [];
    Socket.prototype.setNoDelay = function (this: Socket, on?: boolean) {
      calls.push(on);
      return original.call(this, on);
    };
    try {
      const listener = await listen({ port: 0, host }, (stream) => stream.close());
      const stream = await connect({ port: listener.port, host });
      assert.equal(await read(stream), undefined);
      assert.deepEqual(calls, [true, true]);
      stream.close();
      await listener.close();
    } finally {
      Socket.prototype.setNoDelay = original;
    }
  });

  it("releases its socket once, if nothing has happened on it", async () => {
    const { listener, stream, raw } = await accepted();
    const socket = stream.release();
    assert.ok(socket instanceof Socket);
    assert.equal(stream.release(), undefined);
    assert.equal((await readOutcome(stream)).error?.code, "core.operation_pending");
    assert.equal((await writeOutcome(stream, Buffer.from("x"))).error?.code, "core.operation_pending");
    const failure = once(socket, "error") as Promise<[ServalError]>;
    stream.close();
    assert.equal((await failure)[0].code, "core.aborted");
    await until(() => listener.connections === 0);
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
    raw.destroy();
  });

  it("is closed when the new owner of its socket closes that", async () => {
    const { stream, raw } = await accepted();
    const socket = stream.release()!;
    socket.destroy();
    await once(socket, "close");
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
    raw.destroy();
  });

  it("does not release its socket after a read, during one, or after the end", async () => {
    const { stream, raw } = await accepted();
    const reading = read(stream);
    assert.equal(stream.release(), undefined);
    raw.write("x");
    await reading;
    assert.equal(stream.release(), undefined);
    stream.close();
    assert.equal(stream.release(), undefined);
    raw.destroy();
    const other = await accepted();
    other.raw.end();
    assert.equal(await read(other.stream), undefined);
    assert.equal(other.stream.release(), undefined);
    other.stream.close();
    other.raw.destroy();
  });
});

/** The last bytes and the end, or a reset: both are there before the event loop polls again. */
function sendLast(raw: Socket, how: "reset" | "end"): void {
  raw.write("last");
  if (how === "reset") raw.resetAndDestroy();
  else raw.end();
}
