import assert from "node:assert/strict";
import { test } from "node:test";
import { lend, readBlock, scrubReads, takenBack } from "../../../src/net/sockets/read-block.ts";

test("all reads share one block of 64 KiB, and a loan is a view of it", () => {
  const block = readBlock();
  assert.equal(readBlock(), block);
  assert.equal(block.length, 65_536);
  block.set([1, 2, 3]);
  const lent = lend(3);
  assert.deepEqual([...lent], [1, 2, 3]);
  assert.equal(lent.buffer, block.buffer);
});

test("with scrubbing, a loan is overwritten at its end, and nothing else is", () => {
  const block = readBlock();
  block.fill(1, 0, 8);
  takenBack(4);
  assert.deepEqual([...block.subarray(0, 8)], [1, 1, 1, 1, 1, 1, 1, 1]);
  scrubReads(true);
  takenBack(4);
  scrubReads(false);
  assert.deepEqual([...block.subarray(0, 8)], [0xdb, 0xdb, 0xdb, 0xdb, 1, 1, 1, 1]);
});

test("the block can't be taken away by a transfer of a loan to another thread", () => {
  const block = readBlock();
  const lent = lend(1);
  try {
    structuredClone(lent, { transfer: [lent.buffer as ArrayBuffer] });
  } catch (error) {
    // Node.js 20 copies it instead.
    assert.equal((error as Error).name, "DataCloneError");
  }
  assert.equal(block.length, 65_536);
});
