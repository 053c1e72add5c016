import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { giveBackChunk, takeChunk, type SharedBlock } from "../../src/core/arena.ts";
import { blockSize } from "../../src/core/block-pool.ts";

describe("takeChunk", () => {
  it("chunks lie in one block, one behind the other", () => {
    const first = takeChunk(100);
    const start = first.end;
    const second = takeChunk(50);
    assert.equal(second, first);
    assert.equal(second.end, start + 50);
    giveBackChunk(first);
    giveBackChunk(second);
  });

  it("a block whose chunks are all given back is filled from its beginning again", () => {
    const block = takeChunk(100);
    giveBackChunk(block);
    assert.equal(takeChunk(70), block);
    assert.equal(block.end, 70);
    giveBackChunk(block);
  });

  it("where there is no room left, another block is taken", () => {
    const first = takeChunk(blockSize);
    const second = takeChunk(1);
    assert.notEqual(second, first);
    assert.equal(second.end, 1);
    giveBackChunk(first);
    giveBackChunk(second);
  });

  it("no block is another's before its last chunk is given back", () => {
    const chunks: SharedBlock[] = Array.from({ length: 8 }, () => takeChunk(blockSize / 2));
    const [kept] = chunks;
    for (const block of chunks.slice(1)) giveBackChunk(block);
    const others = Array.from({ length: 80 }, () => takeChunk(blockSize));
    assert.ok(others.every((block) => block.bytes !== kept!.bytes));
    for (const block of others) giveBackChunk(block);
    giveBackChunk(kept!);
  });
});
