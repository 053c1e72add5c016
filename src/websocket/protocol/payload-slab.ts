import { unmaskInto } from "../frames/mask.ts";

/**
 * The most memory that consecutive small payloads share, in bytes: a payload that the application keeps, keeps no more than
 * this.
 */
export const slabSize: number = 8 * 1024;

/** V8 has typed arrays of up to so many bytes on its heap, where memory of their own costs nothing. */
export const onHeap = 64;
/** From here on, the allocation is little of what a payload costs. */
const smallPayload = 2048;

/**
 * Memory for the small payloads of one connection that arrive together: allocating some for each costs more than all else
 * that is done with it. None of it is used twice, nor for two connections.
 */
export class PayloadSlab {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  #used = 0;

  constructor(size: number) {
    this.#words = new Int32Array((size + 3) >>> 2);
    this.#bytes = new Uint8Array(this.#words.buffer);
  }

  /** Whether a payload of this size fits in. Not if the application has transferred the memory to another thread. */
  hasRoom(length: number): boolean {
    return this.#used + length <= this.#bytes.length;
  }

  /** A payload of `length` bytes of `source`, from `from` on, unmasked with `key`. There must be room. */
  take(source: Uint8Array, from: number, length: number, key: number): Uint8Array {
    const at = this.#used;
    this.#used = (at + length + 3) & ~3;
    unmaskInto(source, from, length, key, this.#words, this.#bytes, at);
    return new Uint8Array(this.#words.buffer, at, length);
  }
}

/**
 * The slab for a payload of `length` bytes: the current one, or a new one. `rest` is how many bytes have arrived from the
 * payload on. Undefined for a payload that had better have memory of its own: one that is not small, or the only one.
 * One of at most {@link onHeap} bytes should have that too.
 */
export function slabFor(current: PayloadSlab | undefined, length: number, rest: number): PayloadSlab | undefined {
  if (length > smallPayload) return undefined;
  if (current?.hasRoom(length) === true) return current;
  return rest < 2 * length ? undefined : new PayloadSlab(Math.min(slabSize, rest));
}
