import { blockSize, giveBack, takeBlock } from "./block-pool.ts";

/**
 * A block that many share, each with a chunk of it: what is small and leaves soon takes no more memory than it has bytes.
 * It goes back to the pool when none of it is in use.
 */
export class SharedBlock {
  readonly bytes: Uint8Array = takeBlock();
  /** Where the free part begins. */
  end = 0;
  /** How many chunks are in use. */
  chunks = 0;
}

/** The one that chunks are taken from. */
let current: SharedBlock | undefined;

/** A chunk of at most {@link blockSize} bytes: the last ones before the `end` of the block that is returned. */
export function takeChunk(size: number): SharedBlock {
  if (current === undefined || current.end + size > blockSize) current = new SharedBlock();
  current.end += size;
  current.chunks++;
  return current;
}

/** Gives back a chunk that is out of use. */
export function giveBackChunk(block: SharedBlock): void {
  if (--block.chunks > 0) return;
  // From its beginning, which is in the processor's cache.
  if (block === current) block.end = 0;
  else giveBack(block.bytes);
}
