import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { describe, it } from "node:test";
import { ServalError, toByteStream, type NextLayer } from "../../src/core/index.ts";
import { pair } from "../../src/testing/index.ts";
import { read, writeAll } from "./stream-operations.ts";

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
    for (const other of [undefined, null, 7, "text", {}, [], () => {}, { readable: {}, writable: {} }]) {
      assert.throws(
        () => toByteStream(other as unknown as NextLayer),
        (error) => error instanceof ServalError && error.code === "core.invalid_argument",
      );
    }
  });
});
