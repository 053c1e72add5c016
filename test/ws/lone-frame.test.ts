import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isShort, loneFrame } from "../../src/ws/lone-frame.ts";
import { describeFrames } from "../websocket/support/frames.ts";

describe("loneFrame", () => {
  it("frames text and bytes of each form of length", () => {
    for (const length of [0, 1, 125, 126, 4000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i);
      assert.deepEqual(describeFrames(loneFrame(bytes, true)), [`binary ${Buffer.from(bytes).toString("hex")}`.trim()]);
    }
    assert.deepEqual(describeFrames(loneFrame("né€😀", false)), ["text né€😀"]);
    assert.deepEqual(describeFrames(loneFrame("é".repeat(100), true)), [`binary ${"c3a9".repeat(100)}`]);
    assert.deepEqual(describeFrames(loneFrame(Buffer.from("né"), false)), ["text né"]);
  });

  it("is for messages that surely fit", () => {
    assert.equal(isShort("€".repeat(1333)), true);
    assert.equal(isShort("€".repeat(1334)), false);
    assert.deepEqual([isShort(new Uint8Array(4000)), isShort(new Uint8Array(4001))], [true, false]);
  });
});
