import assert from "node:assert/strict";
import { it } from "node:test";
import { blockSize, giveBack, takeBlock } from "../../src/core/block-pool.ts";

it("lends blocks of one size, none to two users at once", () => {
  const blocks = Array.from({ length: 50 }, takeBlock);
  assert.equal(new Set(blocks.map(({ buffer }) => buffer)).size, 50);
  for (const block of blocks) assert.deepEqual([block.length, block.buffer.byteLength], [blockSize, blockSize]);
});

it("lends returned blocks again, 32 at most", () => {
  const blocks = Array.from({ length: 50 }, takeBlock);
  for (const block of blocks) giveBack(block);
  const again = new Set(Array.from({ length: 50 }, takeBlock));
  assert.equal(again.size, 50);
  assert.equal(blocks.filter((block) => again.has(block)).length, 32);
});
