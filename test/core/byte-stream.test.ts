import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { byteLength, lowestLayer, type ByteStream } from "../../src/core/index.ts";
import { pair } from "../../src/testing/index.ts";

function over(nextLayer: ByteStream): ByteStream {
  return {
    nextLayer,
    readSome: (handler) => nextLayer.readSome(handler),
    writeSome: (buffers, handler) => nextLayer.writeSome(buffers, handler),
    shutdown: (handler) => nextLayer.shutdown(handler),
    watch: (handler) => nextLayer.watch(handler),
    close: () => nextLayer.close(),
    reset: () => nextLayer.reset(),
  };
}

describe("lowestLayer", () => {
  it("is the stream itself if there is no layer below", () => {
    const [stream] = pair();
    assert.equal(lowestLayer(stream), stream);
  });

  it("is found below any number of layers", () => {
    const [stream] = pair();
    assert.equal(lowestLayer(over(stream)), stream);
    assert.equal(lowestLayer(over(over(over(stream)))), stream);
  });
});

describe("byteLength", () => {
  it("is that of a buffer, or the sum over a list", () => {
    assert.equal(byteLength(new Uint8Array(7)), 7);
    assert.equal(byteLength([new Uint8Array(7), new Uint8Array(0), new Uint8Array(5)]), 12);
    assert.equal(byteLength([]), 0);
  });
});
