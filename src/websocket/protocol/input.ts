import { allocate, copyOf, decodeText } from "../../core/internal.ts";
import { maskInPlace, unmasked, unmaskedAscii, unmaskedCopy } from "../frames/mask.ts";
import { slabFor, type PayloadSlab } from "./payload-slab.ts";

const empty: Uint8Array = new Uint8Array(0);

/**
 * Received bytes that are not used yet. They are borrowed: `receive` lends them, the payloads of frames are taken from them
 * in place, and `retain` copies the unused rest.
 */
export class Input {
  /** How many bytes were received. */
  received = 0;

  protected input: Uint8Array = empty;
  /** Where the unused bytes begin and end. */
  protected at = 0;
  protected end = 0;
  /** Whether the frames are masked. */
  protected readonly isMasked: boolean;
  #owned = true;
  /** Memory of the small payloads in this input. */
  #slab: PayloadSlab | undefined;

  constructor(isMasked: boolean) {
    this.isMasked = isMasked;
  }

  /** How many bytes are not used. */
  get available(): number {
    return this.end - this.at;
  }

  /** Lends the next received bytes, until `retain`. The unused rest of earlier ones goes in front. */
  receive(bytes: Uint8Array): void {
    this.received += bytes.length;
    const rest = this.end - this.at;
    if (rest === 0) {
      this.input = bytes;
      this.end = bytes.length;
      this.#owned = false;
    } else {
      const joined = allocate(rest + bytes.length);
      joined.set(this.input.subarray(this.at, this.end));
      joined.set(bytes, rest);
      this.input = joined;
      this.end = joined.length;
      this.#owned = true;
    }
    this.at = 0;
  }

  /** Ends the loan: copies the unused bytes. Call it before the lender reuses them. */
  retain(): void {
    if (this.at === this.end) {
      // As `drop` does, which is a call less for each read.
      this.input = empty;
      this.at = this.end = 0;
      this.#slab = undefined;
    } else if (!this.#owned || (this.end - this.at) * 2 < this.input.length) {
      // Either borrowed, or much larger than the rest. Not slice: a Buffer's would be a view.
      const rest = allocate(this.end - this.at);
      rest.set(this.input.subarray(this.at, this.end));
      this.input = rest;
      this.at = 0;
      this.end = rest.length;
    }
    this.#owned = true;
  }

  /** Drops the unused bytes. */
  protected drop(): void {
    this.input = empty;
    this.at = this.end = 0;
    this.#slab = undefined;
  }

  /** `length` bytes of payload at `at`, unmasked; valid until the next call. */
  protected peekAt(at: number, length: number, key: number): Uint8Array {
    return this.isMasked ? unmasked(this.input, at, length, key) : this.input.subarray(at, at + length);
  }

  /** The same, as a text; undefined if it is not valid UTF-8. */
  protected textAt(at: number, length: number, key: number): string | undefined {
    const ascii = this.isMasked ? unmaskedAscii(this.input, at, length, key) : undefined;
    return ascii ?? decodeText(this.peekAt(at, length, key));
  }

  /** The same, in memory of their own. */
  protected copyAt(at: number, length: number, key: number): Uint8Array {
    return this.isMasked
      ? unmaskedCopy(this.input, at, length, key)
      : copyOf(this.input.subarray(at, at + length), length);
  }

  /** The same, unmasked in place: a part of the input, and of its class. */
  protected inPlaceAt(at: number, length: number, key: number): Uint8Array {
    if (this.isMasked) maskInPlace(this.input, at, length, key);
    return this.input.subarray(at, at + length);
  }

  /** The same, in memory that small payloads of this connection share; more than 64 bytes. */
  protected sharedAt(at: number, length: number, key: number): Uint8Array {
    const slab = slabFor(this.#slab, length, this.end - at);
    if (slab === undefined) return this.copyAt(at, length, key);
    this.#slab = slab;
    return slab.take(this.input, at, length, key);
  }
}
