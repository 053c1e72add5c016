import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { describe, it } from "node:test";
import {
  FlatBuffer,
  fromDuplex,
  fromWebStreams,
  PrefixedStream,
  ServalError,
  toByteStream,
} from "../../src/core/index.ts";
import { acceptProxy, acceptTls, detectTls, RateLimitStream, startTls, TimeoutStream } from "../../src/net/index.ts";
import { pair } from "../../src/testing/index.ts";
import { read, writeAll } from "./support/stream-operations.ts";

describe("toByteStream", () => {
  it("returns a ByteStream as it is", () => {
    const [stream] = pair();
    assert.equal(toByteStream(stream), stream);
  });

  it("adapts a Duplex", async () => {
    const stream = toByteStream(new PassThrough());
    await writeAll(stream, Buffer.from("echo"));
    assert.equal(String(await read(stream)), "echo");
    stream.close();
  });

  it("adapts a pair of Web streams", async () => {
    const stream = toByteStream(new TransformStream<Uint8Array, Uint8Array>());
    const [bytes] = await Promise.all([read(stream), writeAll(stream, Buffer.from("echo"))]);
    assert.equal(String(bytes), "echo");
    stream.close();
  });

  it("refuses anything else", () => {
    const half = { readable: new ReadableStream() };
    const reader = Readable.from([]);
    for (const other of [undefined, null, 7, "text", {}, [], () => {}, { readable: {}, writable: {} }, half, reader]) {
      for (const adapt of [toByteStream, fromDuplex, fromWebStreams]) {
        assert.throws(
          () => adapt(other as never),
          (error) => error instanceof ServalError && error.code === "core.invalid_argument",
        );
      }
    }
  });
});

describe("a layer over something that is no ByteStream", () => {
  for (const [name, layer] of Object.entries({
    PrefixedStream: (next: never) => new PrefixedStream(next, new Uint8Array(1)),
    TimeoutStream: (next: never) => new TimeoutStream(next),
    RateLimitStream: (next: never) => new RateLimitStream(next, {}),
    acceptProxy: (next: never) => acceptProxy(next),
    acceptTls: (next: never) => acceptTls(next, {}),
    detectTls: (next: never) => detectTls(next, new FlatBuffer()),
    startTls: (next: never) => startTls(next, "localhost"),
  })) {
    it(`${name} says how to make one`, async () => {
      for (const other of [new PassThrough(), undefined, null, {}]) {
        const message = new RegExp(`^${name} takes a ByteStream: core\\.fromDuplex\\(socket\\) makes one`);
        await assert.rejects(async () => layer(other as never), { code: "core.invalid_argument", message });
      }
    });
  }
});
