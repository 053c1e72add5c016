import { byteLength } from "../../core/index.ts";
import { allocate, copyOf, cost, costOf } from "../../core/internal.ts";
import { decompressorPool } from "./context-pool.ts";
import type { WebsocketCode } from "../frames/errors.ts";
import {
  decompressor,
  flush,
  hasContexts,
  inflateAlone,
  inlineUpTo,
  longestRun,
  tailAndMore,
  tailEndAndMore,
  tailSize,
  type Context,
} from "./zlib.ts";

/** How the peer's messages are compressed. */
export interface InflaterOptions {
  /** How far back messages may refer, as a power of 2 in bytes: 8 to 15. */
  readonly windowBits: number;
  /** Whether a message may refer to earlier ones. */
  readonly takeover: boolean;
}

/** Shared memory that messages are inflated into, and copied from at once. */
const scratchSize = 64 * 1024;
let scratch: Uint8Array | undefined;

/** The most bytes inflated in one step, about 0.3 ms. */
const turnSize = 4 * scratchSize;

/**
 * A compressed message may have several DEFLATE streams (RFC 7692 section 7.2.3.4). Each is as much work as a few
 * hundred bytes, so their number is limited.
 */
export const mostStreams = 1024;

/** The tail of a message produces no output, so this room is never used up. */
const tailOutput = new Uint8Array(64);

/** The largest payload that is inflated aside, in bytes. */
const asideSize = 4096;
const asideInput = new Uint8Array(asideSize + tailEndAndMore.length);

/** A message being inflated in more than one step. */
class Progress {
  /** How much of the payload is consumed. */
  consumed = 0;
  /** The output so far. */
  readonly pieces: Uint8Array[] = [];
  total = 0;
}

/** A message without contexts: its payload so far; and the inflated bytes that were not taken yet. */
class Whole {
  readonly payload: Uint8Array[] = [];
  message: Uint8Array | undefined;
}

/**
 * Decompresses the messages of one connection (RFC 7692 section 7.2.2). Without takeover it holds memory only for a
 * message in progress. One message at a time: each call continues the last message until that is done.
 *
 * Errors of a payload are returned: `websocket.bad_deflate_data`, also for one that ends inside a block, and
 * `websocket.message_too_big`. After an error only {@link close} may be called.
 */
export class Inflater {
  /** How many bytes of its connection's messages it was given, and how many these became: counted by its user. */
  deflatedPayload = 0;
  inflatedPayload = 0;
  /** How many bytes the last {@link inflateSome} consumed, and how many it produced. */
  consumed = 0;
  produced = 0;
  /** The work since {@link takeCost}, in the unit of `cost`. */
  cost = 0;

  readonly #windowBits: number;
  readonly #takeover: boolean;
  /** The inflater's own context with takeover; or one of the pool, while a message is in progress. */
  #context: Context | undefined;
  /** How many streams the message in progress has begun after its first. */
  #streams = 0;
  #progress: Progress | undefined;
  /** For platforms without contexts. */
  #whole: Whole | undefined;

  constructor({ windowBits, takeover }: InflaterOptions) {
    this.#windowBits = windowBits;
    this.#takeover = takeover;
  }

  /**
   * Inflates a small message at once, into shared memory: valid until the next call of any inflater. Undefined if it is
   * not small or has anything unusual: then use {@link inflate}.
   */
  inflateAside(payload: Uint8Array, limit: number): Uint8Array | undefined {
    const { length } = payload;
    if (this.#takeover || this.#context !== undefined || length > asideSize || !hasContexts()) return undefined;
    asideInput.set(payload);
    asideInput.set(tailEndAndMore, length);
    const output = (scratch ??= allocate(scratchSize));
    const context = decompressorPool.take();
    const size = length + tailEndAndMore.length;
    const isWhole =
      context.run(flush.sync, asideInput, 0, size, output, 0, output.length) && context.consumed === size - 1;
    const { produced } = context;
    this.cost += costOf(length, cost.inflatedFrom) + costOf(produced, cost.inflated) + cost.stream;
    decompressorPool.give(context);
    if (!isWhole || produced > limit) return undefined;
    return new Uint8Array(output.buffer, output.byteOffset, produced);
  }

  /**
   * Inflates a message, the payloads of all its frames together, to at most `limit` bytes, in memory of the receiver's
   * own. One call does one step, so that others can have their turn meanwhile. Undefined if there is more: then {@link
   * inflateOn} continues or, if the message {@link isAlone}, another thread starts over, after {@link giveUp}.
   */
  inflate(payload: Uint8Array, limit: number): Uint8Array | WebsocketCode | undefined {
    return hasContexts() ? this.inflateOn(payload, limit) : this.#inflateAlone(payload, limit);
  }

  /**
   * Continues after {@link inflate} has returned undefined, with the same payload, for one more step; undefined while
   * there is more. Without contexts there are no steps, and this inflates everything.
   */
  inflateOn(payload: Uint8Array, limit: number): Uint8Array | WebsocketCode | undefined {
    if (!hasContexts()) return inflateAlone(payload, limit, mostStreams);
    const progress = (this.#progress ??= new Progress());
    const result = this.#advance(progress, payload, limit);
    if (result !== undefined) this.#progress = undefined;
    return result;
  }

  /** The work since the last call, in the unit of `cost`. */
  takeCost(): number {
    const { cost } = this;
    this.cost = 0;
    return cost;
  }

  /** Whether messages never refer to earlier ones, so that another thread can inflate them from the beginning. */
  get isAlone(): boolean {
    return !this.#takeover || !hasContexts();
  }

  /** Drops the message in progress. Only if it {@link isAlone}: otherwise the next may refer to it. */
  giveUp(): void {
    this.#progress = undefined;
    this.#giveBack();
  }

  /** Without a context a message can't be inflated in steps. More than one step is left to another thread. */
  #inflateAlone(payload: Uint8Array, limit: number): Uint8Array | WebsocketCode | undefined {
    const result = inflateAlone(payload, Math.min(limit, turnSize), mostStreams);
    this.cost += costOf(payload.length, cost.inflatedFrom) + costOf(turnSize, cost.inflated);
    return result === "websocket.message_too_big" && limit > turnSize ? undefined : result;
  }

  /** Consumes as much of a message as one step allows; returns the message if that was all. */
  #advance(progress: Progress, payload: Uint8Array, limit: number): Uint8Array | WebsocketCode | undefined {
    const output = (scratch ??= allocate(scratchSize));
    const last = progress.consumed + inlineUpTo;
    for (const until = progress.total + turnSize; progress.total < until;) {
      // Much input without output takes long too.
      const end = Math.min(payload.length, last);
      const isLast = end === payload.length;
      const input = payload.subarray(progress.consumed, end);
      const failure = this.inflateSome(input, input.length, output, 0, isLast, limit - progress.total);
      if (failure !== undefined) return failure;
      progress.consumed += this.consumed;
      progress.total += this.produced;
      const piece = copyOf(output, this.produced);
      this.cost += costOf(this.produced, cost.copied);
      if (this.produced < output.length && !isLast) {
        progress.pieces.push(piece);
        return undefined;
      }
      if (this.produced < output.length) {
        if (progress.pieces.length === 0) return piece;
        progress.pieces.push(piece);
        this.cost += costOf(progress.total, cost.copied);
        return copyOf(progress.pieces, progress.total);
      }
      progress.pieces.push(piece);
    }
    return undefined;
  }

  /**
   * Inflates the next `size` bytes of a message's payload, the last ones if `isLast`, into `output` from `at` on, where
   * there must be room; {@link consumed} and {@link produced} have the counts. Later bytes of `output` may change. If
   * the output is full, there may be more: continue with another call, for which `size` may be 0. Otherwise all input
   * was taken, and with `isLast` the message is complete. The rest of the message may have at most `limit` bytes.
   */
  inflateSome(
    input: Uint8Array,
    size: number,
    output: Uint8Array,
    at: number,
    isLast: boolean,
    limit: number,
  ): WebsocketCode | undefined {
    this.consumed = this.produced = 0;
    if (!hasContexts()) return this.#inflateWhole(input, size, output, at, isLast, limit);
    const context = (this.#context ??= this.#takeover ? decompressor(this.#windowBits) : decompressorPool.take());
    do {
      const count = Math.min(size - this.consumed, longestRun);
      const room = output.length - at - this.produced;
      if (!context.run(flush.sync, input, this.consumed, count, output, at + this.produced, room))
        return this.#corrupt();
      this.consumed += context.consumed;
      this.produced += context.produced;
      this.cost += cost.stream + costOf(context.consumed, cost.inflatedFrom) + costOf(context.produced, cost.inflated);
      if (this.produced > limit) return this.#fail("websocket.message_too_big");
      if (context.produced === room) return undefined;
      // Section 7.2.3.4: the stream has ended (BFINAL); another begins with the next byte.
      if (context.consumed < count && !this.#beginStream(context)) return this.#corrupt();
    } while (this.consumed < size);
    return isLast ? this.#end(context) : undefined;
  }

  #beginStream(context: Context): boolean {
    context.reset();
    return ++this.#streams <= mostStreams;
  }

  /**
   * Section 7.2.2: the tail completes a message, which must then be at the end of a block; otherwise it is incomplete.
   */
  #end(context: Context): WebsocketCode | undefined {
    if (!context.run(flush.block, tailAndMore, 0, tailAndMore.length, tailOutput, 0, tailOutput.length)) {
      return this.#corrupt();
    }
    if (context.produced > 0) return this.#corrupt();
    // Nothing is consumed if a stream has ended with the payload: then it is complete without the tail.
    if (context.consumed === 0) context.reset();
    else if (context.consumed !== tailSize) return this.#corrupt();
    this.#streams = 0;
    this.#giveBack();
    return undefined;
  }

  #giveBack(): void {
    this.#streams = 0;
    if (this.#takeover || this.#context === undefined) return;
    decompressorPool.give(this.#context);
    this.#context = undefined;
  }

  #corrupt(): WebsocketCode {
    return this.#fail("websocket.bad_deflate_data");
  }

  #fail(code: WebsocketCode): WebsocketCode {
    this.close();
    return code;
  }

  /** Without a context a message is inflated when all of it is there. */
  #inflateWhole(
    input: Uint8Array,
    size: number,
    output: Uint8Array,
    at: number,
    isLast: boolean,
    limit: number,
  ): WebsocketCode | undefined {
    const whole = (this.#whole ??= new Whole());
    whole.payload.push(copyOf(input, size));
    this.consumed = size;
    if (!isLast) return undefined;
    if (whole.message === undefined) {
      const payload = copyOf(whole.payload, byteLength(whole.payload));
      const result = inflateAlone(payload, limit, mostStreams);
      if (typeof result === "string") return this.#fail(result);
      whole.message = result;
    }
    const left = whole.message;
    this.produced = Math.min(output.length - at, left.length);
    output.set(left.subarray(0, this.produced), at);
    if (at + this.produced < output.length) this.#whole = undefined;
    else whole.message = left.subarray(this.produced);
    return undefined;
  }

  /** Releases its context. A message in progress is dropped. */
  close(): void {
    this.#progress = undefined;
    this.#whole = undefined;
    if (this.#takeover) this.#context?.close();
    else this.#giveBack();
    this.#context = undefined;
  }
}
