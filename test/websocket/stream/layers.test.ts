import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import { fromDuplex, fromWebStreams, teardown, type ByteStream, type NextLayer } from "../../../src/core/index.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { Stream } from "../../../src/websocket/index.ts";
import { close, concat, describeFrames, text, wholeFrames } from "../support/frames.ts";
import { requestBytes } from "../support/requests.ts";

/** Two Node duplexes, each the other's peer. */
function duplexes(): [Duplex, Duplex] {
  const a = new Duplex({ read: () => {} });
  const b = new Duplex({ read: () => {} });
  for (const [one, two] of [
    [a, b],
    [b, a],
  ]) {
    one._write = (chunk: Buffer, _, done) => (two.push(chunk), done());
    one._final = (done) => (two.push(null), done());
  }
  return [a, b];
}

const layers: [name: string, make: () => { next: NextLayer; peer: ByteStream }][] = [
  [
    "a Node Duplex",
    () => {
      const [next, peer] = duplexes();
      return { next, peer: fromDuplex(peer) };
    },
  ],
  [
    "a pair of Web streams",
    () => {
      const there = new TransformStream<Uint8Array, Uint8Array>();
      const back = new TransformStream<Uint8Array, Uint8Array>();
      const peer = fromWebStreams({ readable: back.readable, writable: there.writable });
      return { next: { readable: there.readable, writable: back.writable }, peer };
    },
  ],
];

for (const [name, make] of layers) {
  describe(`over ${name}`, () => {
    it("accept, an echo of every size, and a clean close", async () => {
      const { next, peer } = make();
      const clock = new VirtualClock();
      const ws = new Stream(next, { clock, message: (one, message) => one.send(message) });
      const sizes = [0, 1, 125, 126, 20_000, 70_000];
      const sent = concat(requestBytes(), ...sizes.map((size) => text("x".repeat(size))), close(1000, "bye"));
      let received: Uint8Array = new Uint8Array(0);
      const end = new Promise<void>((resolve, reject) => {
        const read = (): void =>
          peer.readSome((error, bytes) => {
            if (error !== undefined) return reject(error);
            if (bytes === undefined) return resolve();
            received = concat(received, bytes);
            read();
          });
        read();
      });
      const write = (at: number): void => {
        if (at < sent.length)
          peer.writeSome(sent.subarray(at), (error, count) => error === undefined && write(at + count));
      };
      write(0);
      await ws.accept();
      await end;
      teardown(peer, "client", () => {});
      assert.deepEqual(await ws.closed, { code: 1000, reason: "bye", clean: true });
      const behind = received.subarray(Buffer.from(received).indexOf("\r\n\r\n") + 4);
      assert.equal(wholeFrames(behind), behind.length);
      assert.deepEqual(describeFrames(behind), [
        ...sizes.map((size) => `text ${"x".repeat(size)}`.trim()),
        "close 1000",
      ]);
      assert.equal(clock.pending, 0);
    });
  });
}

describe("an invalid stream", () => {
  it("is core.invalid_argument", () => {
    for (const wrong of [undefined, null, {}, 5, { readable: 1, writable: 2 }]) {
      assert.throws(() => new Stream(wrong as never), { code: "core.invalid_argument" });
    }
  });
});
