import { checkNumber, checkOptions, ownOptions } from "./check-options.ts";
import { coreError } from "./errors.ts";

/** Options of a {@link FlatBuffer}. */
export interface FlatBufferOptions {
  /** The most bytes that the buffer may hold. Default Infinity. */
  maxSize?: number;
}

const flatBufferOptions = ownOptions("FlatBuffer", ["maxSize"], "{ maxSize: 65_536 }");
const none: FlatBufferOptions = {};
const smallest = 512;
const empty: Uint8Array = new Uint8Array(0);

/**
 * Contiguous bytes, appended at the end and consumed from the front. Composed reads collect bytes in it, and leave the
 * bytes after a message there for the next read.
 *
 * A view returned by `prepare` or `data` is valid until the next `prepare`.
 */
export class FlatBuffer {
  /** The most bytes that the buffer may hold. */
  readonly maxSize: number;
  #bytes: Uint8Array = empty;
  #begin = 0;
  #end = 0;

  constructor(options: FlatBufferOptions = none) {
    if (options !== none) checkOptions(flatBufferOptions, options);
    this.maxSize = checkNumber("maxSize", options.maxSize, Infinity);
  }

  /** How many bytes are held. */
  get size(): number {
    return this.#end - this.#begin;
  }

  /** How many bytes fit without allocating. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** The bytes held. */
  data(): Uint8Array {
    if (this.#begin === this.#end) return empty;
    return this.#bytes.subarray(this.#begin, this.#end);
  }

  /**
   * Returns room for `size` bytes after the bytes held; {@link commit} adds what was written there. Throws
   * `core.buffer_overflow` if `maxSize` would be exceeded; then nothing is lost.
   */
  prepare(size: number): Uint8Array {
    const needed = this.size + size;
    if (needed > this.maxSize) throw coreError("core.buffer_overflow");
    if (this.#end + size > this.#bytes.length) this.#makeRoom(needed);
    return this.#bytes.subarray(this.#end, this.#end + size);
  }

  /** Adds the first `size` bytes of the room that {@link prepare} returned. */
  commit(size: number): void {
    this.#end = Math.min(this.#end + size, this.#bytes.length);
  }

  /** Copies bytes to the end. Throws `core.buffer_overflow` as {@link prepare} does. */
  append(bytes: Uint8Array): void {
    this.prepare(bytes.length).set(bytes);
    this.commit(bytes.length);
  }

  /** Drops the first `size` bytes held; an emptied buffer frees its memory. */
  consume(size: number): void {
    this.#begin = Math.min(this.#begin + size, this.#end);
    if (this.#begin === this.#end) this.clear();
  }

  /** Drops all bytes and frees the memory: an idle connection owns no buffer. */
  clear(): void {
    this.#bytes = empty;
    this.#begin = this.#end = 0;
  }

  #makeRoom(needed: number): void {
    const held = this.data();
    if (needed <= this.#bytes.length) {
      this.#bytes.copyWithin(0, this.#begin, this.#end);
    } else {
      // A new block; the old one is never reused, so that an earlier view does not show later bytes.
      const bytes = new Uint8Array(Math.min(Math.max(smallest, this.#bytes.length * 2, needed), this.maxSize));
      bytes.set(held);
      this.#bytes = bytes;
    }
    this.#begin = 0;
    this.#end = held.length;
  }
}
