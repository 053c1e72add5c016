import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { giveBackChunk, takeChunk, type SharedBlock } from "../../src/core/arena.ts";
import { blockSize } from "../../src/core/block-pool.ts";

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
