import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { Duplex, PassThrough, Transform } from "node:stream";
import { describe, it } from "node:test";
import { fromDuplex, ServalError, type DuplexLike } from "../../src/core/index.ts";
import { DuplexStream } from "../../src/core/duplex.ts";
import { socketPair } from "../net/support/sockets.ts";
import {
  isStuck,
  pattern,
  read,
  readOutcome,
  teardown,
  turns,
  write,
  writeAll,
  writeOutcome,
} from "./support/stream-operations.ts";

const hello = Buffer.from("hello");

/** A duplex that says which chunks it was given, and how. */
class Sink extends Duplex {
  readonly chunks: Uint8Array[] = [];
  readonly lists: number[] = [];

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: string, callback: () => void): void {
    this.chunks.push(chunk);
    callback();
  }

  override _writev(list: { chunk: Uint8Array }[], callback: () => void): void {
    this.lists.push(list.length);
    this.chunks.push(...list.map(({ chunk }) => chunk));
    callback();
  }
}

/** The least that is a DuplexLike: it reports everything inside the call that causes it. */
class Hasty extends EventEmitter implements DuplexLike {
  written = "";
  waiting: Uint8Array[] = [];
  pauses = 0;
  pause(): void {
    this.pauses++;
  }
  resume(): void {
    for (const chunk of this.waiting.splice(0)) this.emit("data", chunk);
  }
  write(chunk: Uint8Array, callback: (error?: Error | null) => void): void {
    this.written += String(Buffer.from(chunk));
    callback();
  }
  end(): void {
    this.emit("finish");
    this.emit("end");
  }
  destroy(): void {
    this.emit("close");
  }
}

function isInvalid(error: unknown): boolean {
  return error instanceof ServalError && error.code === "core.invalid_argument";
}

describe("fromDuplex", () => {
  it("reads what the duplex already holds, also what was put back", async () => {
    const duplex = new PassThrough();
    duplex.write("later");
    duplex.unshift(Buffer.from("first,"));
    const stream = fromDuplex(duplex);
    let text = "";
    while (text.length < 11) text += String(await read(stream));
    assert.equal(text, "first,later");
    stream.close();
  });

  it("leaves the duplex paused while nobody reads", async () => {
    const duplex = new PassThrough();
    const stream = fromDuplex(duplex);
    assert.equal(duplex.isPaused(), true);
    const reading = read(stream);
    assert.equal(duplex.isPaused(), false);
    duplex.write("one");
    duplex.write("two");
    assert.equal(String(await reading), "one");
    assert.equal(duplex.isPaused(), true);
    assert.equal(String(await read(stream)), "two");
    stream.close();
  });

  it("passes copies on, since a duplex may keep its chunks", async () => {
    const duplex = new Sink();
    const stream = fromDuplex(duplex);
    const bytes = Buffer.from(hello);
    await write(stream, [bytes, bytes]);
    await write(stream, bytes);
    bytes.fill(0);
    assert.deepEqual(duplex.chunks.map(String), ["hellohello", "hello"]);
    stream.close();
  });

  it("copies a little at a time", async () => {
    const stream = fromDuplex(new Sink());
    assert.equal(await write(stream, new Uint8Array(1_000_000)), 262_144);
    stream.close();
  });

  it("passes a socket the memory itself, and a list as one", async () => {
    const duplex = new Sink();
    const stream = new DuplexStream(duplex, { socket: true });
    const list = [Buffer.from("a"), Buffer.from("b"), Buffer.from("c")];
    assert.equal(await write(stream, list), 3);
    assert.deepEqual(duplex.lists, [3]);
    assert.equal(duplex.chunks[1]!.buffer, list[1]!.buffer);
    stream.close();
  });

  it("keeps the contract over a duplex that reports inside the call", async () => {
    const duplex = new Hasty();
    duplex.waiting.push(Buffer.from("one"), Buffer.from("two"), new Uint8Array(0));
    const stream = fromDuplex(duplex);
    assert.equal(await write(stream, hello), 5);
    assert.equal(duplex.written, "hello");
    assert.equal(String(await read(stream)), "onetwo");
    assert.equal(await teardown(stream, "server"), undefined);
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
  });

  it("keeps a copy of bytes that arrive unasked", async () => {
    const duplex = new Hasty();
    const stream = fromDuplex(duplex);
    const memory = Buffer.from(hello);
    duplex.emit("data", memory);
    memory.fill(0);
    assert.deepEqual(await read(stream), hello);
    stream.close();
  });

  it("reports an exception of the duplex", async () => {
    const duplex = new Hasty();
    const thrown = new Error("no");
    duplex.write = () => {
      throw thrown;
    };
    const { error } = await writeOutcome(fromDuplex(duplex), hello);
    assert.equal(error?.code, "core.transport");
    assert.equal(error.cause, thrown);
  });

  it("has the duplex's own error as the cause, for all operations", async () => {
    const duplex = new PassThrough();
    const stream = fromDuplex(duplex);
    const reading = readOutcome(stream);
    const cause = new Error("broken");
    duplex.destroy(cause);
    assert.equal((await reading).error?.code, "core.transport");
    assert.equal((await readOutcome(stream)).error?.cause, cause);
    assert.equal((await writeOutcome(stream, hello)).error?.cause, cause);
    assert.equal((await teardown(stream, "client"))?.cause, cause);
  });

  it("has the first error as the cause when a list fails in its middle", async () => {
    const cause = Object.assign(new Error("broken"), { code: "EPIPE" });
    const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback(cause) });
    const stream = new DuplexStream(duplex, { socket: true });
    const { error, written } = await writeOutcome(stream, [hello, hello, hello]);
    assert.equal(error?.code, "core.connection_reset");
    assert.equal(error.cause, cause);
    assert.equal(written, 0);
  });

  it("fails when the duplex is destroyed without an error, by its owner", async () => {
    const duplex = new PassThrough();
    const stream = fromDuplex(duplex);
    const reading = readOutcome(stream);
    duplex.destroy();
    assert.equal((await reading).error?.code, "core.transport");
    assert.equal((await writeOutcome(stream, hello)).error?.condition, "transport");
  });

  it("closes a socket that is reset while it is being ended elsewhere, which Node.js can't reset", async () => {
    const [socket, other] = await socketPair();
    const stream = fromDuplex(socket);
    socket.end("the end");
    stream.reset();
    await once(socket, "close");
    other.destroy();
  });

  it("does not report a write as done that the socket's destruction has cancelled", async () => {
    const [client, raw] = await socketPair();
    const stream = new DuplexStream(client, { socket: true });
    const writing = writeOutcome(stream, Buffer.alloc(32 * 1024 * 1024));
    assert.ok(await isStuck(writing));
    client.destroy();
    assert.equal((await writing).error?.code, "core.transport");
    raw.destroy();
  });

  it("accepts a duplex that is already destroyed, and reports its error", async () => {
    const cause = new Error("broken before");
    const broken = new PassThrough();
    broken.on("error", () => {});
    broken.destroy(cause);
    const gone = new PassThrough();
    gone.destroy();
    await turns(2);
    assert.equal((await readOutcome(fromDuplex(broken))).error?.cause, cause);
    assert.equal((await readOutcome(fromDuplex(gone))).error?.code, "core.transport");
    assert.equal((await writeOutcome(fromDuplex(gone), hello)).error?.code, "core.transport");
    fromDuplex(gone).close();
  });

  it("accepts a destroyed duplex whose error is still to come", async () => {
    const duplex = new PassThrough();
    const cause = new Error("broken before");
    duplex.destroy(cause);
    assert.equal((await readOutcome(fromDuplex(duplex))).error?.cause, cause);
  });

  it("accepts one that has already ended, and writes to it", async () => {
    const [client, raw] = await socketPair();
    raw.end();
    client.resume();
    await once(client, "end");
    const stream = fromDuplex(client);
    assert.equal(await read(stream), undefined);
    raw.resume();
    await writeAll(stream, hello);
    assert.equal(await teardown(stream, "server"), undefined);
    raw.destroy();
  });

  it("keeps the write side open on a duplex that would end it", async () => {
    const duplex = new Transform({ allowHalfOpen: false, transform: (_chunk, _encoding, callback) => callback() });
    const stream = fromDuplex(duplex);
    duplex.push(null);
    assert.equal(await read(stream), undefined);
    await turns();
    assert.equal(duplex.writableEnded, false);
    assert.equal(await write(stream, hello), 5);
    stream.close();
  });

  it("fails a write after the owner has ended the write side, and reads on", async () => {
    const [client, other] = await socketPair();
    const [stream, peer] = [fromDuplex(client), fromDuplex(other)];
    client.end();
    const reading = read(stream);
    assert.equal((await writeOutcome(stream, hello)).error?.code, "core.write_ended");
    await write(peer, hello);
    assert.deepEqual(await reading, hello);
    assert.equal(client.destroyed, false);
    stream.close();
    peer.close();
  });

  it("refuses a duplex of objects or text", () => {
    assert.throws(() => fromDuplex(new PassThrough({ objectMode: true })), isInvalid);
    assert.throws(() => fromDuplex(new PassThrough({ readableObjectMode: true })), isInvalid);
    assert.throws(() => fromDuplex(new PassThrough({ writableObjectMode: true })), isInvalid);
    assert.throws(() => fromDuplex(new PassThrough({ encoding: "utf8" })), isInvalid);
  });

  it("fails when text comes all the same", async () => {
    const duplex = new PassThrough();
    const stream = fromDuplex(duplex);
    duplex.setEncoding("utf8");
    duplex.write("text");
    const { error } = await readOutcome(stream);
    assert.equal(error?.code, "core.invalid_argument");
    assert.match(error.message, /gave a string/);
    stream.close();
  });

  it("survives errors after the close", async () => {
    const duplex = new PassThrough();
    const stream = fromDuplex(duplex);
    stream.close();
    assert.equal(duplex.destroyed, true);
    duplex.emit("error", new Error("late"));
    duplex.emit("data", hello);
    duplex.emit("end");
    await turns();
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
  });

  it("carries what is sent through a transform, in both directions", async () => {
    const stream = fromDuplex(new PassThrough());
    const sent = pattern(300_000);
    const parts: Buffer[] = [];
    const reading = (async () => {
      for (let length = 0; length < sent.length; length += parts.at(-1)!.length) parts.push((await read(stream))!);
    })();
    await writeAll(stream, sent);
    await reading;
    assert.ok(Buffer.concat(parts).equals(sent));
    stream.close();
  });
});
