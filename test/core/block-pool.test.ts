import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  blockSize,
  giveBack,
  giveBackChunk,
  takeBlock,
  takeChunk,
  type SharedBlock,
} from "../../src/core/block-pool.ts";

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

describe("takeChunk", () => {
  it("chunks lie in one block, one after the other", () => {
    const first = takeChunk(100);
    const start = first.end;
    const second = takeChunk(50);
    assert.equal(second, first);
    assert.equal(second.end, start + 50);
    giveBackChunk(first);
    giveBackChunk(second);
  });

  it("a block whose chunks are all returned is filled from its beginning again", () => {
    const block = takeChunk(100);
    giveBackChunk(block);
    assert.equal(takeChunk(70), block);
    assert.equal(block.end, 70);
    giveBackChunk(block);
  });

  it("another block is taken when there is no room left", () => {
    const first = takeChunk(blockSize);
    const second = takeChunk(1);
    assert.notEqual(second, first);
    assert.equal(second.end, 1);
    giveBackChunk(first);
    giveBackChunk(second);
  });

  it("a block is reused only after its last chunk is returned", () => {
    const chunks: SharedBlock[] = Array.from({ length: 8 }, () => takeChunk(blockSize / 2));
    const [kept] = chunks;
    for (const block of chunks.slice(1)) giveBackChunk(block);
    const others = Array.from({ length: 80 }, () => takeChunk(blockSize));
    assert.ok(others.every((block) => block.bytes !== kept!.bytes));
    for (const block of others) giveBackChunk(block);
    giveBackChunk(kept!);
  });
});
