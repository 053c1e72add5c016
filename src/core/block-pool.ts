import { allocate } from "./text.ts";

/** The size of a block, in bytes. */
export const blockSize: number = 32 * 1024;

/** Free blocks, shared by all connections: one is held only while bytes wait in it or are being written. */
const pool: Uint8Array[] = [];
const pooledAtMost = 32;

/** A block of memory to gather output in; it may hold anything. */
export function takeBlock(): Uint8Array {
  return pool.pop() ?? allocate(blockSize);
}

/** Gives back a block that is out of use. */
export function giveBack(block: Uint8Array): void {
  if (pool.length < pooledAtMost) pool.push(block);
}
