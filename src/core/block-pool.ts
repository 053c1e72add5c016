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

/**
 * A block that is handed out in chunks, so that small, short-lived data takes no more memory than its bytes. It returns
 * to the pool when no chunk is in use.
 */
export class SharedBlock {
  readonly bytes: Uint8Array = takeBlock();
  /** Where the free part begins. */
  end = 0;
  /** How many chunks are in use. */
  chunks = 0;
}

/** The block that chunks are taken from. */
let current: SharedBlock | undefined;

/** Takes a chunk of at most {@link blockSize} bytes: the last ones before `end` of the block returned. */
export function takeChunk(size: number): SharedBlock {
  if (current === undefined || current.end + size > blockSize) current = new SharedBlock();
  current.end += size;
  current.chunks++;
  return current;
}

/** Returns a chunk that is no longer used. */
export function giveBackChunk(block: SharedBlock): void {
  if (--block.chunks > 0) return;
  // Starts over at the beginning, which is in the processor's cache.
  if (block === current) block.end = 0;
  else giveBack(block.bytes);
}
