import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { internetPeer } from "../../src/core/byte-stream.ts";
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

for (const [address, family, expected] of [
  ["127.0.0.1", "IPv4", { address: "127.0.0.1", port: 1, family: "IPv4" }],
  ["::ffff:127.0.0.1", "IPv6", { address: "127.0.0.1", port: 1, family: "IPv4" }],
  ["::1", "IPv6", { address: "::1", port: 1, family: "IPv6" }],
  ["::ffff:1", "IPv6", { address: "::ffff:1", port: 1, family: "IPv6" }],
  ["fe80::ffff:1%eth0", "IPv6", { address: "fe80::ffff:1%eth0", port: 1, family: "IPv6" }],
  ["127.0.0.1", undefined, { address: "127.0.0.1", port: 1, family: "IPv4" }],
] as const) {
  it(`${address} is ${expected.address} of ${expected.family}`, () => {
    assert.deepEqual(internetPeer(address, 1, family), expected);
  });
}
