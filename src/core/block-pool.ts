import { allocate } from "./text.ts";

/** The size of a block, in bytes. */
export const blockSize: number = 32 * 1024;

/** Free blocks, shared by all connections. A connection holds one only while bytes wait in it or are being written. */
const pool: Uint8Array[] = [];
const pooledAtMost = 32;

/** Takes a block of memory for output; its content is arbitrary. */
export function takeBlock(): Uint8Array {
  return pool.pop() ?? allocate(blockSize);
}

/** Returns a block that is no longer used. */
export function giveBack(block: Uint8Array): void {
  if (pool.length < pooledAtMost) pool.push(block);
}
