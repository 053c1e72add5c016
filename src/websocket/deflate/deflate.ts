import { allocate, copyInto, copyOf } from "../../core/internal.ts";
import { compressorPool, type CompressorPool } from "./context-pool.ts";
import {
  compressor,
  deflateAlone,
  flush,
  hasContexts,
  longestRun,
  tailSize,
  type CompressorOptions,
  type Context,
} from "./zlib.ts";

export { Inflater } from "./inflate.ts";
export { hasContexts as canTakeOver, inlineUpTo } from "./zlib.ts";

/** How this side's messages are compressed. */
export interface DeflaterOptions extends CompressorOptions {
  /** How far back messages may refer, as a power of 2 in bytes: 8 to 15. */
  readonly windowBits: number;
  /** How hard to compress, 0 to 9. */
  readonly level: number;
  /** How much memory to take besides the window, 1 to 9: 2 to the power of `memLevel + 9` bytes. */
  readonly memLevel: number;
  /** Whether a message may refer to earlier ones. */
  readonly takeover: boolean;
}

/** RFC 7692 section 7.2.3.6: an empty message, or an end without data. */
export const emptyPayload: Uint8Array = Uint8Array.of(0x00);
const nothing: Uint8Array = new Uint8Array(0);

/** Shared output memory, valid until the next call. */
const scratchSize = 64 * 1024;
let scratch: Uint8Array | undefined;

/** Compresses the messages of one connection (RFC 7692 section 7.2.1). Without takeover it holds no memory between them. */
export class Deflater {
  /** How many bytes of its connection's messages it was given, and how many these became: counted by its user. */
  inflatedPayload = 0;
  deflatedPayload = 0;
  readonly windowBits: number;
  readonly takeover: boolean;
  protected readonly pool: CompressorPool;
  /** The deflater's own context with takeover; or one of the pool, while a message in parts is in progress. */
  #context: Context | undefined;
  /** The message that its own context has to begin with, once it is made. */
  #history: Uint8Array | undefined;
  protected isClosed = false;

  constructor(options: DeflaterOptions) {
    this.windowBits = options.windowBits;
    this.takeover = options.takeover;
    this.pool = compressorPool(options);
  }

  /** Compresses a message. The payload is valid until the next call of any deflater. */
  deflate(message: Uint8Array): Uint8Array {
    if (message.length === 0) return emptyPayload;
    if (!hasContexts()) return withoutTail(deflateAlone(message, this.pool.options));
    if (this.takeover) return withoutTail(compress(this.#own(), message));
    const context = this.pool.take();
    const result = compress(context, message);
    this.pool.give(context);
    return withoutTail(result);
  }

  /**
   * Compresses part of a message: the payload of one frame, from which the whole part can be decompressed at once. It
   * may be empty for an empty part, and is valid until the next call of any deflater. Until the last part, nothing else
   * may be compressed.
   */
  deflateSome(part: Uint8Array, isLast: boolean): Uint8Array {
    let result = nothing;
    if (part.length > 0) {
      if (hasContexts()) {
        this.#context ??= this.takeover ? this.#own() : this.pool.take();
        result = compress(this.#context, part);
      } else result = deflateAlone(part, this.pool.options);
    }
    if (!isLast) return result;
    this.#giveBack();
    return result.length === 0 ? emptyPayload : withoutTail(result);
  }

  #own(): Context {
    this.#context ??= compressor(this.pool.options, this.#history);
    this.#history = undefined;
    return this.#context;
  }

  /** The peer now has this message in its window, so the next may refer to it. */
  protected remember(message: Uint8Array): void {
    this.#context?.close();
    this.#context = undefined;
    const size = Math.min(message.length, 2 ** this.windowBits);
    if (size > 0) this.#history = copyOf(message.subarray(message.length - size), size);
  }

  #giveBack(): void {
    if (this.takeover || this.#context === undefined) return;
    this.pool.give(this.#context);
    this.#context = undefined;
  }

  /** Releases its context. Must be the last call. */
  close(): void {
    this.isClosed = true;
    this.#history = undefined;
    if (this.takeover) this.#context?.close();
    else this.#giveBack();
    this.#context = undefined;
  }
}

/** A payload without the bytes that end each compressed message (RFC 7692 section 7.2.1). */
export function withoutTail(compressed: Uint8Array): Uint8Array {
  return new Uint8Array(compressed.buffer, compressed.byteOffset, compressed.length - tailSize);
}

/** Compresses bytes, with the tail, into shared memory. */
function compress(context: Context, bytes: Uint8Array): Uint8Array {
  // The size that incompressible data may grow to; if it is not enough, the loop continues.
  const bound = bytes.length + (bytes.length >>> 2) + 64;
  let output = bound <= scratchSize ? (scratch ??= allocate(scratchSize)) : allocate(bound);
  let input = bytes;
  let at = 0;
  for (;;) {
    const count = Math.min(input.length, longestRun);
    const room = output.length - at;
    const mode = count === input.length ? flush.sync : flush.none;
    if (!context.run(mode, input, 0, count, output, at, room)) throw new RangeError("No memory to compress a message");
    at += context.produced;
    if (context.produced < room && count === input.length) return new Uint8Array(output.buffer, output.byteOffset, at);
    input = input.subarray(context.consumed);
    if (context.produced === room) {
      const larger = allocate(2 * output.length);
      copyInto(larger, output);
      output = larger;
    }
  }
}
