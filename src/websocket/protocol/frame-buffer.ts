import { byteLength, type Role } from "../../core/index.ts";
import {
  allocate,
  blockSize,
  dropFront,
  encodeUtf8,
  giveBackChunk,
  invalidArgument,
  SharedBlock,
  takeChunk,
  utf8Length,
  writeUtf8,
} from "../../core/internal.ts";
import { maxHeaderSize, writeHeader } from "../frames/frame.ts";
import { maskInPlace, maskInto, rotateKey } from "../frames/mask.ts";
import { maskingKey } from "../frames/masking-key.ts";

/** Payloads up to this many bytes are copied when they are queued; larger ones are referenced until written. */
export const copiedUpTo: number = 16 * 1024;

/**
 * How much of a shared block a connection reserves while others use it, in bytes. It grows each time, so that a
 * connection has few pieces.
 */
const firstReserve = 1024;
const lastReserve = 16 * 1024;

/** Options of frames. */
export interface FrameOptions {
  /** Makes masking keys instead of the platform's cryptographic source. */
  readonly maskingKey?: (() => number) | undefined;
}

/**
 * Turns frames into bytes (RFC 6455 section 5), and collects these until the next write. Headers and small payloads are
 * copied into a chunk of a shared block, so that many messages leave as one buffer; large payloads are listed without a
 * copy. An empty buffer holds no memory.
 */
export class FrameBuffer {
  /** How many bytes were ever queued. */
  queued = 0;
  /** How many of these were written. */
  written = 0;

  readonly options: FrameOptions;

  /** A client masks every frame, a server none (RFC 6455 section 5.1); `#key` is for the rest of the current frame. */
  isMasked: boolean;
  #key = 0;

  /** The waiting bytes, in order, one buffer or a list of them; the chunk being filled comes last. */
  #pieces: Uint8Array | Uint8Array[] | undefined;
  /** The block of the current chunk; the part filled but not yet a piece; and where the chunk ends. */
  #block: SharedBlock | undefined;
  #begin = 0;
  #end = 0;
  #limit = 0;
  /** The blocks of full chunks whose bytes wait, one for each chunk. */
  #blocks: SharedBlock[] | undefined;
  /** The bytes being written, as `take` returned them, and how many they are. */
  #flight: Uint8Array | Uint8Array[] | undefined;
  #flightSize = 0;
  #flightBlocks: SharedBlock | SharedBlock[] | undefined;

  /** How many bytes wait or are being written. */
  get bufferedAmount(): number {
    return this.queued - this.written;
  }

  constructor(role: Role, options: FrameOptions = {}) {
    this.isMasked = role === "client";
    this.options = options;
  }

  /** Queues frames masked or not, regardless of the role. */
  withMask(isMasked: boolean, queue: () => void): void {
    const usual = this.isMasked;
    this.isMasked = isMasked;
    try {
      queue();
    } finally {
      this.isMasked = usual;
    }
  }

  /** Queues a frame whose first byte is `first`, with a text as its payload. Returns the size of the payload in bytes. */
  text(first: number, text: string): number {
    const length = utf8Length(text);
    if (length > copiedUpTo) {
      this.bytes(first, encodeUtf8(text));
      return length;
    }
    const block = this.#startFrame(first, length, length);
    const at = this.#end;
    writeUtf8(block, text, at, length);
    if (this.isMasked) maskInPlace(block, at, length, this.#key);
    this.#end = at + length;
    this.queued += length;
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
    const block = this.#startFrame(first, length, length);
    const at = this.#end;
    if (this.isMasked) maskInto(payload, 0, block, at, length, this.#key);
    else block.set(payload, at);
    this.#end = at + length;
    this.queued += length;
  }

  /** Queues the header of a frame with a payload of `length` bytes; {@link payload} has to add them before anything else. */
  header(first: number, length: number): void {
    this.#startFrame(first, length, 0);
  }

  /** Adds to the payload of the frame whose header was queued last. */
  payload(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length <= copiedUpTo) {
      let block = this.#block ?? this.#open(takeChunk(length), length);
      if (this.#end + length > this.#limit) block = this.#grow(block, length);
      if (this.isMasked) maskInto(bytes, 0, block.bytes, this.#end, length, this.#key);
      else block.bytes.set(bytes, this.#end);
      this.#end += length;
    } else {
      this.#seal();
      this.#add(this.isMasked ? masked(bytes, this.#key) : bytes);
    }
    this.queued += length;
    if (this.isMasked) this.#key = rotateKey(this.#key, length);
  }

  /** Queues a ready frame, unmasked. Its bytes never change, so they need no copy if nothing waits. */
  frame(bytes: Uint8Array): void {
    if (this.#block !== undefined || this.#pieces !== undefined) {
      this.payload(bytes);
      return;
    }
    this.#pieces = bytes;
    this.queued += bytes.length;
  }

  /**
   * All bytes queued since the last call, to be written; undefined if there are none. The result is in use until
   * `wrote` has accounted for all of it.
   */
  take(): Uint8Array | readonly Uint8Array[] | undefined {
    const block = this.#block;
    if (block !== undefined && this.#pieces === undefined && this.#flight === undefined && this.#blocks === undefined) {
      // By far the most common case: all bytes lie in one chunk.
      const { buffer, byteOffset } = block.bytes;
      const size = (this.#flightSize = this.#end - this.#begin);
      if (block.end === this.#limit) block.end = this.#end;
      this.#block = undefined;
      this.#flightBlocks = block;
      // The constructor takes a third of the time of `subarray`.
      return (this.#flight = new Uint8Array(buffer, byteOffset + this.#begin, size));
    }
    this.#close();
    const pieces = this.#pieces;
    if (pieces !== undefined) {
      this.#flight = this.#flight === undefined ? pieces : joined(this.#flight, pieces);
      this.#pieces = undefined;
    }
    const blocks = this.#blocks;
    if (blocks !== undefined) {
      const only = blocks.length === 1 && this.#flightBlocks === undefined;
      this.#flightBlocks = only ? blocks[0] : joined(this.#flightBlocks ?? [], blocks);
      this.#blocks = undefined;
    }
    this.#flightSize = this.bufferedAmount;
    // A referenced payload is the application's memory. If it was transferred to another thread meanwhile, it is empty
    // here.
    if ((this.#flight === undefined ? 0 : byteLength(this.#flight)) !== this.#flightSize) {
      throw invalidArgument("A buffer was detached before it had been written");
    }
    return this.#flight;
  }

  /** Accounts for bytes that the layer below took; what it did not take comes first in the next `take`. */
  wrote(count: number): void {
    this.written += count;
    this.#flightSize -= count;
    if (this.#flightSize === 0) {
      this.#flight = undefined;
      giveBackAll(this.#flightBlocks);
      this.#flightBlocks = undefined;
      return;
    }
    this.#flight = dropFront(listed(this.#flight!), count);
    this.#releaseBlocks(this.#flight);
  }

  /** Returns the chunks that were written: with short writes, a list may never be written to its end. */
  #releaseBlocks(flight: readonly Uint8Array[]): void {
    if (this.#flightBlocks === undefined) return;
    const used = new Set(flight.map((piece) => piece.buffer));
    this.#flightBlocks = listed(this.#flightBlocks).filter((block) => {
      const isUsed = used.has(block.bytes.buffer);
      if (!isUsed) giveBackChunk(block);
      return isUsed;
    });
  }

  /**
   * Drops all waiting bytes. The layer below may still read those of a write in flight: their blocks are left to the
   * garbage collector or, if the write `isInFlight` and nothing is queued any more, kept for {@link release}.
   */
  clear(isInFlight = false): void {
    this.#close();
    giveBackAll(this.#blocks);
    if (!isInFlight) this.#flightBlocks = undefined;
    this.#pieces = this.#blocks = this.#flight = undefined;
    this.#flightSize = 0;
    // These bytes were never written, so they no longer count as queued.
    this.queued = this.written;
  }

  /** Gives back the blocks of a write that has failed, or that completed after the end. */
  release(): void {
    giveBackAll(this.#flightBlocks);
    this.#flightBlocks = undefined;
  }

  /**
   * Writes a header, with a new key for a masked frame, and makes room for `room` bytes after it. Returns the memory;
   * the payload begins at `#end`.
   */
  #startFrame(first: number, length: number, room: number): Uint8Array {
    const size = maxHeaderSize + room;
    let block = this.#block;
    if (block === undefined) {
      // `#open` inlined: most writes consist of one frame.
      block = this.#block = takeChunk(size);
      this.#limit = block.end;
      this.#begin = this.#end = block.end - size;
    } else if (this.#end + size > this.#limit) {
      block = this.#grow(block, size);
    }
    const { bytes } = block;
    const begin = this.#end;
    let at = begin + 2;
    if (length < 126) {
      bytes[begin] = first;
      bytes[begin + 1] = this.isMasked ? 0x80 | length : length;
    } else {
      at = writeHeader(bytes, begin, first, length, this.isMasked);
    }
    if (this.isMasked) {
      const { maskingKey: ownKey } = this.options;
      const key = (this.#key = ownKey === undefined ? maskingKey() : ownKey());
      bytes[at] = key;
      bytes[at + 1] = key >>> 8;
      bytes[at + 2] = key >>> 16;
      bytes[at + 3] = key >>> 24;
      at += 4;
    }
    this.#end = at;
    this.queued += at - begin;
    return bytes;
  }

  /** Makes room for `size` bytes at `#end` of the block being filled, or of another. */
  #grow(block: SharedBlock, size: number): SharedBlock {
    const end = this.#end + size;
    // No other connection has taken a chunk after this one, so it can grow.
    if (block.end === this.#limit && end <= blockSize) {
      block.end = this.#limit = end;
      return block;
    }
    this.#close();
    const reserve = Math.min(lastReserve, firstReserve * 4 ** Math.min(2, this.#blocks!.length - 1));
    return this.#open(takeChunk(Math.max(size, reserve)), Math.max(size, reserve));
  }

  #open(block: SharedBlock, size: number): SharedBlock {
    this.#block = block;
    this.#limit = block.end;
    this.#begin = this.#end = block.end - size;
    return block;
  }

  /** Makes a piece of the bytes filled since the last one. */
  #seal(): void {
    if (this.#block === undefined || this.#begin === this.#end) return;
    const { buffer, byteOffset } = this.#block.bytes;
    // The constructor takes a third of the time of `subarray`.
    this.#add(new Uint8Array(buffer, byteOffset + this.#begin, this.#end - this.#begin));
    this.#begin = this.#end;
  }

  /** Closes the chunk. */
  #close(): void {
    const block = this.#block;
    if (block === undefined) return;
    this.#seal();
    // The next chunk gets what this one did not need.
    if (block.end === this.#limit) block.end = this.#end;
    (this.#blocks ??= []).push(block);
    this.#block = undefined;
  }

  #add(piece: Uint8Array): void {
    if (this.#pieces === undefined) this.#pieces = piece;
    else if (this.#pieces instanceof Uint8Array) this.#pieces = [this.#pieces, piece];
    else this.#pieces.push(piece);
  }
}

function listed<Item>(items: Item | Item[]): Item[] {
  return Array.isArray(items) ? items : [items];
}

function joined<Item>(first: Item | Item[], second: Item | Item[]): Item[] {
  return [...listed(first), ...listed(second)];
}

function giveBackAll(blocks: SharedBlock | SharedBlock[] | undefined): void {
  if (blocks === undefined) return;
  if (blocks instanceof SharedBlock) giveBackChunk(blocks);
  else for (const block of blocks) giveBackChunk(block);
}

/** A payload masked in memory of its own, since the caller's must not change. */
function masked(payload: Uint8Array, key: number): Uint8Array {
  const bytes = allocate(payload.length);
  maskInto(payload, 0, bytes, 0, payload.length, key);
  return bytes;
}
