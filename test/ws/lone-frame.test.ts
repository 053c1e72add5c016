import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isShort, keepFrame, loneFrame } from "../../src/ws/lone-frame.ts";
import { describeFrames } from "../websocket/support/frames.ts";

const bytes = (length: number, seed = 0): Buffer => Buffer.from(Uint8Array.from({ length }, (_, i) => i * 7 + seed));

describe("loneFrame", () => {
  it("frames text and bytes of each form of length", () => {
    for (const length of [0, 1, 125, 126, 255, 256, 16 * 1024]) {
      const payload = bytes(length);
      assert.deepEqual(describeFrames(loneFrame(payload, true)), [`binary ${payload.toString("hex")}`.trim()]);
    }
    for (const text of ["né€😀", "é".repeat(62), "é".repeat(63), "€".repeat(41), "€".repeat(42), "\ufffd"]) {
      assert.deepEqual(describeFrames(loneFrame(text, false)), [`text ${text}`]);
    }
    assert.deepEqual(describeFrames(loneFrame("\ud800", false)), ["text \ufffd"]);
    assert.deepEqual(describeFrames(loneFrame("é".repeat(100), true)), [`binary ${"c3a9".repeat(100)}`]);
    assert.deepEqual(describeFrames(loneFrame(Buffer.from("né"), false)), ["text né"]);
  });

  it("is for messages that surely fit", () => {
    assert.equal(isShort("€".repeat(5461)), true);
    assert.equal(isShort("€".repeat(5462)), false);
    assert.deepEqual([isShort(new Uint8Array(16_384)), isShort(new Uint8Array(16_385))], [true, false]);
  });

  it("overwrites the frame before, unless that is kept", () => {
    assert.equal(loneFrame(bytes(100, 1), true), loneFrame(bytes(100, 2), true));
    const kept: [Buffer, Buffer][] = [];
    // More than one slab has room for.
    for (let i = 0; i < 100; i++) {
      const frame = loneFrame(bytes(2000 + i, i), true);
      keepFrame();
      kept.push([frame, Buffer.from(frame)]);
    }
    loneFrame(bytes(16_384), true);
    for (const [frame, copy] of kept) assert.ok(frame.equals(copy));
  });
});
