import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FrameCounter, SizeCounter, type Counter } from "../../../bench/load/frame-counter.ts";

const frame = (first: number, size: number): Buffer => {
  const header = Buffer.alloc(size < 126 ? 2 : size <= 0xffff ? 4 : 10);
  header[0] = first;
  header[1] = size < 126 ? size : size <= 0xffff ? 126 : 127;
  if (size >= 126 && size <= 0xffff) header.writeUInt16BE(size, 2);
  if (size > 0xffff) header.writeBigUInt64BE(BigInt(size), 2);
  return Buffer.concat([header, Buffer.alloc(size, 0x81)]);
};

/** Counts in pieces of so many bytes. */
const countBy = (counter: Counter, bytes: Buffer, size: number): number => {
  let messages = 0;
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    messages += counter.count(piece, piece.length);
  }
  return messages;
};

describe("FrameCounter", () => {
  it("counts messages of all lengths, at every split", () => {
    const bytes = Buffer.concat([
      frame(0x82, 1),
      frame(0x81, 125),
      frame(0x82, 126),
      frame(0xc1, 0xffff),
      frame(0x82, 0x10000),
    ]);
    for (const size of [1, 2, 3, 5, 7, 11, 127, 4096, bytes.length]) {
      assert.equal(countBy(new FrameCounter(), bytes, size), 5, `pieces of ${size}`);
    }
  });

  it("counts a message in fragments once, and control frames not at all", () => {
    const bytes = Buffer.concat([frame(0x02, 3), frame(0x89, 4), frame(0x00, 0), frame(0x80, 3), frame(0x8a, 0)]);
    for (const size of [1, 2, bytes.length]) assert.equal(countBy(new FrameCounter(), bytes, size), 1);
  });

  it("looks at no more than the bytes that it was given", () => {
    const counter = new FrameCounter();
    assert.equal(counter.count(frame(0x82, 10), 5), 0);
    assert.equal(counter.count(frame(0x82, 10).subarray(5), 7), 1);
  });

  it("notes a close frame", () => {
    const counter = new FrameCounter();
    assert.equal(countBy(counter, frame(0x88, 2), 1), 0);
    assert.ok(counter.isClosed);
  });

  it("takes no empty message for one that a load sent", () => {
    assert.throws(() => new FrameCounter().count(frame(0x82, 0), 2), /empty/);
  });
});

describe("SizeCounter", () => {
  it("counts whole replies of one size", () => {
    const counter = new SizeCounter(10);
    const counts = [4, 5, 1, 25, 5].map((length) => counter.count(new Uint8Array(0), length));
    assert.deepEqual(counts, [0, 0, 1, 2, 1]);
  });
});
