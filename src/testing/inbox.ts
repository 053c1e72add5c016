import { copyInto } from "../core/internal.ts";

const blockSize = 2048;

/** Emptied blocks. Idle sides own none, and benchmarks need not pay for memory. */
const pool: Uint8Array[] = [];
const pooledAtMost = 16;

/** New blocks are cut from this: one large allocation costs less than many. */
let slab = new ArrayBuffer(0);
let slabUsed = 0;

function newBlock(): Uint8Array {
  if (slabUsed === slab.byteLength) {
    slab = new ArrayBuffer(16 * blockSize);
    slabUsed = 0;
  }
  slabUsed += blockSize;
  return new Uint8Array(slab, slabUsed - blockSize, blockSize);
}

/** The value that used bytes are overwritten with, to expose late use. */
const used = 0xdb;

/** Bytes on their way to a reader. Bytes taken are overwritten, to expose late use. */
export class Inbox {
  #block: Uint8Array | undefined;
  #begin = 0;
  #end = 0;
  /** The block of the bytes lent. */
  #lent: Uint8Array | undefined;

  /** How many bytes wait. */
  get size(): number {
    return this.#end - this.#begin;
  }

  /** Adds the first `size` bytes of a buffer or list, and returns them as stored. */
  put(buffers: Uint8Array | readonly Uint8Array[], size: number): Uint8Array {
    const block = this.#makeRoom(size);
    const place = block.subarray(this.#end, this.#end + size);
    copyInto(place, buffers);
    this.#end += size;
    return place;
  }

  /** The first `size` bytes, to be lent; {@link drop} takes them back. */
  first(size: number): Uint8Array {
    this.#lent = this.#block;
    return this.#block!.subarray(this.#begin, this.#begin + size);
  }

  /** Overwrites and removes the first bytes, which `first` returned. */
  drop(bytes: Uint8Array): void {
    bytes.fill(used);
    // Meanwhile the bytes may have moved to a larger block.
    if (this.#lent !== this.#block) this.#block?.fill(used, this.#begin, this.#begin + bytes.length);
    this.#lent = undefined;
    this.#begin = Math.min(this.#begin + bytes.length, this.#end);
    if (this.#begin === this.#end) this.clear();
  }

  /** Drops everything; lent bytes stay unchanged until they are dropped. */
  clear(): void {
    const block = this.#block;
    this.#block = undefined;
    this.#begin = this.#end = 0;
    if (this.#lent !== undefined || block?.length !== blockSize || pool.length >= pooledAtMost) return;
    pool.push(block.fill(used));
  }

  /** The block, with room for `size` bytes at `#end`. Bytes never move within a block, since some may be lent. */
  #makeRoom(size: number): Uint8Array {
    const block = this.#block;
    if (block === undefined && size <= blockSize) return (this.#block = pool.pop() ?? newBlock());
    if (block !== undefined && this.#end + size <= block.length) return block;
    const held = block?.subarray(this.#begin, this.#end) ?? [];
    const larger = new Uint8Array(Math.max(blockSize * 2, (held.length + size) * 2));
    larger.set(held);
    this.#begin = 0;
    this.#end = held.length;
    return (this.#block = larger);
  }
}
