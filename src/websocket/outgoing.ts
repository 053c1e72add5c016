import { dropFront } from "../core/bytes.ts";
import { invalidArgument } from "../core/errors.ts";
import { byteLength } from "../core/index.ts";
import { allocate, encodeUtf8, utf8Length, writeUtf8 } from "../core/text.ts";
import { maxHeaderSize, writeHeader, type Opcode } from "./frame.ts";

/** Payloads up to this many bytes are copied when they are queued; larger ones are referenced until written. */
export const copiedUpTo: number = 16 * 1024;

const blockSize = 2 * copiedUpTo;

/** Free blocks, shared by all connections: one is held only while bytes wait in it or are being written. */
const pool: Uint8Array[] = [];
const pooledAtMost = 32;

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

  /** Queues a frame with a payload that is text. */
  text(code: Opcode, fin: boolean, text: string): void {
    const length = utf8Length(text);
    if (length > copiedUpTo) {
      this.#reference(code, fin, encodeUtf8(text));
      return;
    }
    const block = this.#room(maxHeaderSize + length);
    const at = writeHeader(block, this.#end, code, fin, length);
    writeUtf8(block, text, at, length);
    this.#advance(at + length);
  }

  /** Queues a frame with a payload of bytes. */
  bytes(code: Opcode, fin: boolean, payload: Uint8Array): void {
    const length = payload.length;
    if (length > copiedUpTo) {
      this.#reference(code, fin, payload);
      return;
    }
    const block = this.#room(maxHeaderSize + length);
    const at = writeHeader(block, this.#end, code, fin, length);
    block.set(payload, at);
    this.#advance(at + length);
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
    this.written = this.queued;
  }

  #reference(code: Opcode, fin: boolean, payload: Uint8Array): void {
    const block = this.#room(maxHeaderSize);
    this.#advance(writeHeader(block, this.#end, code, fin, payload.length));
    this.#seal();
    this.#pieces.push(payload);
    this.queued += payload.length;
  }

  /** The block being filled, with room for `size` bytes at `#end`. */
  #room(size: number): Uint8Array {
    if (this.#block !== undefined && this.#end + size <= blockSize) return this.#block;
    if (this.#block !== undefined) {
      this.#seal();
      this.#blocks.push(this.#block);
    }
    this.#begin = this.#end = 0;
    return (this.#block = pool.pop() ?? allocate(blockSize));
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

function giveBack(block: Uint8Array): void {
  if (pool.length < pooledAtMost) pool.push(block);
}
