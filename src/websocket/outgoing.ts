import { blockSize, giveBack, takeBlock } from "../core/block-pool.ts";
import { dropFront } from "../core/bytes.ts";
import { invalidArgument } from "../core/errors.ts";
import { byteLength, type Role } from "../core/index.ts";
import { allocate, encodeUtf8, utf8Length, writeUtf8 } from "../core/text.ts";
import { maxHeaderSize, writeHeader } from "./frame.ts";
import { maskInPlace, maskInto, rotateKey } from "./mask.ts";
import { maskingKey } from "./masking-key.ts";

/** Payloads up to this many bytes are copied when they are queued; larger ones are referenced until written. */
export const copiedUpTo: number = 16 * 1024;

/**
 * Frames to bytes (RFC 6455 section 5), gathered until the next write, without I/O. Small payloads and all headers are
 * copied into a block, one behind the other, so that many messages leave as one buffer; large payloads stand in the list
 * as they are.
 */
export class Outgoing {
  /** How many bytes were ever queued. */
  queued = 0;
  /** How many of them were written. */
  written = 0;

  /** A client masks every frame, a server none (RFC 6455 section 5.1); the key for what comes next of the frame begun. */
  readonly isMasked: boolean;
  #key = 0;

  /** What waits, in order; the block that is being filled comes behind it. */
  #pieces: Uint8Array[] = [];
  #block: Uint8Array | undefined;
  #begin = 0;
  #end = 0;
  /** Full blocks whose bytes wait or are being written. */
  #blocks: Uint8Array[] = [];
  /** What is being written, as `take` returned it, and how many bytes that is. */
  #flight: Uint8Array[] = [];
  #flightSize = 0;
  #flightBlocks: Uint8Array[] = [];

  /** How many bytes wait or are being written. */
  get bufferedAmount(): number {
    return this.queued - this.written;
  }

  constructor(role: Role) {
    this.isMasked = role === "client";
  }

  /** Queues a frame whose first byte is `first`, with a payload that is text. Returns how many bytes of payload that is. */
  text(first: number, text: string): number {
    const length = utf8Length(text);
    if (length > copiedUpTo) {
      this.bytes(first, encodeUtf8(text));
      return length;
    }
    const block = this.#room(maxHeaderSize + length);
    const at = this.#writeHeader(block, first, length);
    writeUtf8(block, text, at, length);
    if (this.isMasked) maskInPlace(block, at, length, this.#key);
    this.#advance(at + length);
    return length;
  }

  /** Queues a frame whose first byte is `first`, with a payload of bytes. */
  bytes(first: number, payload: Uint8Array): void {
    const { length } = payload;
    if (length > copiedUpTo) {
      this.header(first, length);
      this.payload(payload);
      return;
    }
    const block = this.#room(maxHeaderSize + length);
    const at = this.#writeHeader(block, first, length);
    if (this.isMasked) maskInto(payload, 0, block, at, length, this.#key);
    else block.set(payload, at);
    this.#advance(at + length);
  }

  /** Queues the header of a frame with a payload of `length` bytes, which {@link payload} has to add before anything else. */
  header(first: number, length: number): void {
    const block = this.#room(maxHeaderSize);
    this.#advance(this.#writeHeader(block, first, length));
  }

  /** Adds to the payload of the frame whose header was queued last; or, where nothing is masked, frames that are ready. */
  payload(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length <= copiedUpTo) {
      const block = this.#room(length);
      if (this.isMasked) maskInto(bytes, 0, block, this.#end, length, this.#key);
      else block.set(bytes, this.#end);
      this.#advance(this.#end + length);
    } else {
      this.#seal();
      this.#pieces.push(this.isMasked ? masked(bytes, this.#key) : bytes);
      this.queued += length;
    }
    if (this.isMasked) this.#key = rotateKey(this.#key, length);
  }

  /**
   * Everything queued since the last call, to be written; undefined if there is nothing. What it returns is in use
   * until `wrote` has accounted for all of it.
   */
  take(): Uint8Array | readonly Uint8Array[] | undefined {
    this.#seal();
    if (this.#block !== undefined) {
      this.#blocks.push(this.#block);
      this.#block = undefined;
    }
    if (this.#flightSize === 0) {
      [this.#flight, this.#pieces] = [this.#pieces, this.#flight];
    } else if (this.#pieces.length > 0) {
      this.#flight = this.#flight.concat(this.#pieces);
      this.#pieces = [];
    }
    if (this.#blocks.length > 0) {
      if (this.#flightBlocks.length === 0) [this.#flightBlocks, this.#blocks] = [this.#blocks, this.#flightBlocks];
      else this.#flightBlocks.push(...this.#blocks.splice(0));
    }
    this.#flightSize = this.bufferedAmount;
    // A referenced payload is the application's memory. Moved to another thread meanwhile, it is empty here.
    if (byteLength(this.#flight) !== this.#flightSize) {
      throw invalidArgument("A buffer was detached before it had been written");
    }
    if (this.#flightSize === 0) return undefined;
    return this.#flight.length === 1 ? this.#flight[0]! : this.#flight;
  }

  /** Accounts for bytes that the layer below took; what it did not take comes first in the next `take`. */
  wrote(count: number): void {
    this.written += count;
    this.#flightSize -= count;
    if (this.#flightSize === 0) {
      this.#flight.length = 0;
      for (const block of this.#flightBlocks) giveBack(block);
      this.#flightBlocks.length = 0;
      return;
    }
    this.#flight = dropFront(this.#flight, count);
    this.#releaseBlocks();
  }

  /** Gives back the blocks that have left: where every write is short, a flight may never come to its end. */
  #releaseBlocks(): void {
    const used = new Set(this.#flight.map((piece) => piece.buffer));
    this.#flightBlocks = this.#flightBlocks.filter((block) => {
      const isUsed = used.has(block.buffer);
      if (!isUsed) giveBack(block);
      return isUsed;
    });
  }

  /** Drops what waits. Blocks that are in use are left to the collector: the layer below may still look at them. */
  clear(): void {
    this.#pieces = [];
    this.#flight = [];
    this.#blocks = [];
    this.#flightBlocks = [];
    this.#block = undefined;
    this.#flightSize = 0;
    // That it was queued is forgotten; it was never written.
    this.queued = this.written;
  }

  /** Writes a header where the block's free part begins, and chooses the key; returns where the payload goes. */
  #writeHeader(block: Uint8Array, first: number, length: number): number {
    const at = writeHeader(block, this.#end, first, length, this.isMasked);
    if (!this.isMasked) return at;
    const key = (this.#key = maskingKey());
    block[at] = key;
    block[at + 1] = key >>> 8;
    block[at + 2] = key >>> 16;
    block[at + 3] = key >>> 24;
    return at + 4;
  }

  /** The block being filled, with room for `size` bytes at `#end`. */
  #room(size: number): Uint8Array {
    if (this.#block !== undefined && this.#end + size <= blockSize) return this.#block;
    if (this.#block !== undefined) {
      this.#seal();
      this.#blocks.push(this.#block);
    }
    this.#begin = this.#end = 0;
    return (this.#block = takeBlock());
  }

  #advance(end: number): void {
    this.queued += end - this.#end;
    this.#end = end;
  }

  /** Makes what was filled since the last time a piece. */
  #seal(): void {
    if (this.#block === undefined || this.#begin === this.#end) return;
    this.#pieces.push(this.#block.subarray(this.#begin, this.#end));
    this.#begin = this.#end;
  }
}

/** A payload that is not ours to change, masked in memory of its own. */
function masked(payload: Uint8Array, key: number): Uint8Array {
  const bytes = allocate(payload.length);
  maskInto(payload, 0, bytes, 0, payload.length, key);
  return bytes;
}
