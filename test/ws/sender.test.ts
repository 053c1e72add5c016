import assert from "node:assert/strict";
import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import * as ws from "ws";
import { PerMessageDeflate, type DeflateParameters } from "../../src/ws/permessage-deflate.ts";
import { Sender, type FrameOptions } from "../../src/ws/sender.ts";

// The types of `ws` lack it.
const { Sender: Other } = ws as unknown as { Sender: typeof Sender };

/** A stream that keeps what is written. */
class Sink extends Duplex {
  readonly chunks: Buffer[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.chunks.push(Buffer.from(chunk));
    callback();
  }
  get hex(): string {
    return Buffer.concat(this.chunks).toString("hex");
  }
}

const generateMask = (mask: Buffer): void => void mask.set([1, 2, 3, 4]);

/** A sender over a sink, with compression of these parameters. */
function sending({ params, threshold }: { params?: DeflateParameters; threshold?: number } = {}) {
  const socket = new Sink();
  const deflate = new PerMessageDeflate(threshold === undefined ? {} : { threshold });
  deflate.params = params ?? null;
  const sender = new Sender(socket, params === undefined ? {} : { "permessage-deflate": deflate });
  return { socket, sender, deflate };
}

/** Each frame's first byte. */
function firstBytes(bytes: Buffer): number[] {
  const found: number[] = [];
  for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1]! & 0x7f)) found.push(bytes[at]!);
  return found;
}

describe("Sender.frame", () => {
  it("makes the bytes that ws' own makes, of every length and flag", () => {
    for (const length of [0, 1, 125, 126, 65_535, 65_536]) {
      for (let flags = 0; flags < 16; flags++) {
        const options = (): FrameOptions => ({
          opcode: 2,
          fin: (flags & 1) !== 0,
          rsv1: (flags & 2) !== 0,
          mask: (flags & 4) !== 0,
          readOnly: (flags & 8) !== 0,
          generateMask,
        });
        const data = (): Buffer => Buffer.alloc(length, "data");
        const [made, expected] = [Sender.frame(data(), options()), Other.frame(data(), options())];
        assert.equal(made.length, expected.length);
        assert.ok(Buffer.concat(made).equals(Buffer.concat(expected)), `${length} bytes, flags ${flags}`);
      }
    }
  });

  it("leaves read-only data and a string's bytes alone", () => {
    const data = Buffer.from("data");
    Sender.frame(data, { opcode: 2, mask: true, readOnly: true });
    assert.equal(String(data), "data");
    assert.deepEqual(Sender.frame("€", { opcode: 1, fin: true }), [Buffer.from([0x81, 3]), Buffer.from("€")]);
  });

  it("masks with random keys by default", () => {
    const keys = new Set<string>();
    // More than are made at once.
    for (let count = 0; count < 3000; count++) {
      keys.add(Sender.frame(Buffer.alloc(0), { opcode: 2, mask: true })[0]!.toString("hex", 2));
    }
    assert.ok(keys.size > 2990);
  });
});

describe("Sender", () => {
  it("sends messages, fragments and control frames", async () => {
    const { sender, socket } = sending();
    sender.send("text", { fin: true });
    sender.send(new Uint8Array([1, 2]), { binary: true, fin: false });
    sender.ping("ping");
    sender.send(new Uint16Array([0x0403]).buffer, { binary: true, fin: true });
    sender.pong(Buffer.from("pong"));
    await promisify((callback: () => void) => sender.close(1000, "bye", false, callback))();
    const expected = ["810474657874", "02020102", "890470696e67", "80020304", "8a04706f6e67", "880503e8627965"];
    assert.equal(socket.hex, expected.join(""));
  });

  it("masks what it is told to, and not the caller's bytes", () => {
    const socket = new Sink();
    const sender = new Sender(socket, {}, generateMask);
    const bytes = Buffer.from([0, 0]);
    sender.send(bytes, { binary: true, fin: true, mask: true });
    assert.equal(socket.hex, "8282010203040102");
    assert.deepEqual(bytes, Buffer.from([0, 0]));
  });

  it("compresses, in the order of the calls", async () => {
    const { sender, socket, deflate } = sending({ params: {} });
    const texts = ["first", "second", "third"];
    for (const text of texts) sender.send(text, { compress: true, fin: true });
    sender.ping("ping");
    assert.equal(sender._bufferedBytes, "firstsecondthirdping".length);
    await promisify((callback: () => void) => sender.close(1000, undefined, false, callback))();
    assert.equal(sender._bufferedBytes, 0);
    assert.deepEqual(firstBytes(Buffer.concat(socket.chunks)), [0xc1, 0xc1, 0xc1, 0x89, 0x88]);
    const inflate = promisify(deflate.decompress.bind(deflate)) as (data: Buffer, fin: boolean) => Promise<Buffer>;
    for (const [index, text] of texts.entries()) {
      assert.equal(String(await inflate(socket.chunks[index * 2 + 1]!, true)), text);
    }
    deflate.cleanup();
  });

  it("leaves a short message alone if nothing is kept for the next, as its first fragment decides", async () => {
    const params: DeflateParameters = { client_no_context_takeover: true };
    const { sender, socket, deflate } = sending({ params, threshold: 3 });
    sender.send("12", { compress: true, fin: false });
    sender.send("123", { compress: true, fin: true });
    sender.send("123", { compress: true, fin: false });
    sender.send("12", { compress: true, fin: true });
    await promisify((callback: () => void) => sender.close(undefined, undefined, false, callback))();
    assert.deepEqual(firstBytes(Buffer.concat(socket.chunks)), [0x01, 0x80, 0x41, 0x80, 0x88]);
    deflate.cleanup();
  });

  it("sends a Blob, and what comes after it in its turn", async () => {
    const { sender, socket } = sending();
    sender.send(new Blob(["blob"]), { binary: true, fin: true });
    await promisify((callback: () => void) => sender.ping("next", false, callback))();
    assert.equal(socket.hex, "8204626c6f6289046e657874");
  });

  it("fails what waits when the socket is destroyed meanwhile, or a Blob can't be read", async () => {
    const { sender, socket, deflate } = sending({ params: {} });
    const errors: unknown[] = [];
    sender.send("first", { compress: true, fin: true }, (error) => errors.push(error));
    const last = new Promise((resolve) => {
      sender.send("second", { compress: true, fin: true }, (error) => resolve(errors.push(error)));
    });
    socket.destroy();
    await last;
    const closed = new Error("The socket was closed while data was being compressed");
    assert.deepEqual(errors, [closed, closed]);
    deflate.cleanup();

    const unreadable = new Blob(["x"]);
    unreadable.arrayBuffer = () => Promise.reject(new Error("unreadable"));
    const { sender: other } = sending();
    const told = new Promise((resolve) => (other.onerror = resolve));
    const called = promisify((callback: (error?: Error | null) => void) => {
      other.send(unreadable, { fin: true }, callback);
    })();
    await assert.rejects(called, { message: "unreadable" });
    assert.equal(((await told) as Error).message, "unreadable");
  });

  it("takes what has no length for no reason, as ws does", () => {
    for (const Class of [Sender, Other]) {
      const sink = new Sink();
      new Class(sink, {}).close(1011, new Error("gone") as never);
      assert.deepEqual(Buffer.concat(sink.chunks), Buffer.from([0x88, 2, 0x03, 0xf3]));
    }
  });

  it("throws for what can't be sent", () => {
    const { sender } = sending();
    const code = new TypeError("First argument must be a valid error code number");
    for (const wrong of ["error", 1004, 999, 5000, 1000.5]) assert.throws(() => sender.close(wrong as number), code);
    const reason = new RangeError("The message must not be greater than 123 bytes");
    assert.throws(() => sender.close(1000, "€".repeat(42)), reason);
    const size = new RangeError("The data size must not be greater than 125 bytes");
    assert.throws(() => sender.ping("€".repeat(42)), size);
    assert.throws(() => sender.pong(Buffer.alloc(126)), size);
    assert.throws(() => sender.send({}, { fin: true }), TypeError);
  });

  it("writes the pieces of a frame that was made elsewhere", async () => {
    const socket = new PassThrough();
    await promisify((callback: () => void) => new Sender(socket).sendFrame([Buffer.from("a"), "b"], callback))();
    socket.end();
    socket.resume();
    await once(socket, "end");
  });
});
