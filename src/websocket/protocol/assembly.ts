import { allocate, copyOf, cost, costOf } from "../../core/internal.ts";
import type { Inflater } from "../deflate/deflate.ts";
import type { WebsocketCode } from "../frames/errors.ts";
import { asideSize } from "../frames/mask.ts";
import { take, type Take } from "./event.ts";
import { MessageBuffer, type BytesSource } from "./message-buffer.ts";
import { Utf8Checker } from "../frames/utf8.ts";

/** The data frame in progress, as {@link Assembly} needs it. */
export interface FramePayload extends BytesSource {
  /** Whether its message ends with it. */
  readonly isFinal: boolean;
  /** How many of its bytes are not taken yet, and how many of these have arrived. */
  readonly left: number;
  readonly available: number;
  /** The work done for it, in the unit of `cost`. */
  cost: number;
  /** Its next bytes, unmasked; valid until the next call. */
  peek(count: number): Uint8Array;
  /** Its next bytes, unmasked, in memory of their own. */
  copy(count: number): Uint8Array;
  /** Takes its next bytes. */
  consume(count: number): void;
  /** Counts the work of copying this many received bytes. */
  countCopied(count: number): void;
}

/** Options of an {@link Assembly}. */
export interface AssemblyOptions {
  readonly maxMessageSize: number;
  /** Accepts text even if it is not valid UTF-8. */
  readonly skipUtf8Validation?: boolean;
}

const empty: Uint8Array = new Uint8Array(0);

/** The largest part of a deflated message, in bytes; it is inflated into shared memory. */
const partSize = 64 * 1024;
let output: Uint8Array | undefined;

/**
 * A received message that did not come whole, in one frame and one read, or is wanted in parts: collected, inflated,
 * checked, and returned whole or in parts. A whole message is collected first and inflated when it is complete, so a
 * peer that sends half a message holds no context.
 */
export class Assembly {
  readonly isText: boolean;
  readonly isDeflated: boolean;
  /** Its frame in progress: whether it is the last, how many bytes are left, and the key for these. */
  isFinal = false;
  left = 0;
  key = 0;
  /** How many frames it has so far, and how many bytes of their payloads were taken. */
  frames = 0;
  size = 0;
  /** Whether the inflater has more of it than fitted into the last part. */
  hasMore = false;
  /** Whether parts of it were returned. */
  isInParts = false;
  /**
   * After {@link takePart}: the next bytes, the receiver's own and possibly none, and whether the message ends with
   * them.
   */
  part: Uint8Array = empty;
  isLast = false;
  /** For parts that were inflated: bytes before and after. */
  deflated = 0;
  inflated = 0;

  readonly #options: AssemblyOptions;
  readonly #inflater: Inflater | undefined;
  #buffer: MessageBuffer | undefined;
  #utf8: Utf8Checker | undefined;

  constructor(isText: boolean, isDeflated: boolean, options: AssemblyOptions, inflater: Inflater | undefined) {
    this.isText = isText;
    this.isDeflated = isDeflated;
    this.#options = options;
    this.#inflater = inflater;
  }

  /** Whether collected bytes have not been returned. */
  get hasGathered(): boolean {
    return this.#buffer !== undefined;
  }

  /** Whether it has something to return without more bytes. */
  isReady(taking: Take): boolean {
    return this.hasMore || (taking === take.part && this.hasGathered);
  }

  /**
   * Collects the available bytes of a frame, for a message that is wanted whole. Returns an error if they are invalid.
   */
  gather(frame: FramePayload): WebsocketCode | undefined {
    const count = Math.min(frame.left, frame.available);
    const buffer = (this.#buffer ??= new MessageBuffer());
    const before = buffer.bytes;
    if (!buffer.makeRoom(count, frame.left, frame.isFinal, this.#options.maxMessageSize))
      return "websocket.message_too_big";
    const start = buffer.length;
    frame.countCopied(buffer.bytes === before ? count : start + count);
    buffer.append(frame, count);
    this.#consume(frame, count);
    return this.#checkText(frame, buffer.bytes, start, buffer.length);
  }

  /** All collected bytes, once the last frame is complete; an error if text ends too early. */
  takeWhole(): MessageBuffer | WebsocketCode {
    if (this.#utf8?.isComplete === false) return "websocket.bad_frame_payload";
    return this.#buffer ?? new MessageBuffer();
  }

  /**
   * Takes the available bytes of a frame as a part, first those that were collected while the message was wanted whole.
   * Returns whether there is a part, or an error.
   */
  takePart(frame: FramePayload): boolean | WebsocketCode {
    if (this.isDeflated) return this.#inflatePart(frame);
    const gathered = this.#buffer;
    if (gathered !== undefined) {
      this.#buffer = undefined;
      return this.#handOut(gathered.take(), frame.isFinal && frame.left === 0);
    }
    const count = Math.min(frame.left, frame.available);
    const part = frame.copy(count);
    frame.countCopied(count);
    this.#consume(frame, count);
    return this.#checkText(frame, part, 0, count) ?? this.#handOut(part, frame.isFinal && frame.left === 0);
  }

  /** Drops the collected bytes, and the rest of the message. */
  drop(): void {
    this.#buffer = undefined;
    this.hasMore = false;
  }

  /** Each call returns one part of limited size, however few bytes it was deflated to. */
  #inflatePart(frame: FramePayload): boolean | WebsocketCode {
    const inflater = this.#inflater!;
    const memory = (output ??= allocate(partSize));
    let produced = 0;
    let isDone = false;
    while (!isDone && produced < partSize) {
      const buffer = this.#buffer;
      const count = Math.min(frame.left, frame.available, asideSize);
      const input = buffer === undefined ? frame.peek(count) : buffer.bytes;
      const size = buffer === undefined ? count : buffer.length;
      const isLast = frame.isFinal && frame.left === (buffer === undefined ? count : 0);
      if (size === 0 && !isLast && !this.hasMore) break;
      const failure = inflater.inflateSome(
        input,
        size,
        memory,
        produced,
        isLast,
        this.#options.maxMessageSize - this.inflated,
      );
      if (failure !== undefined) return failure;
      produced += inflater.produced;
      this.inflated += inflater.produced;
      this.deflated += inflater.consumed;
      if (buffer === undefined) this.#consume(frame, inflater.consumed);
      else if (inflater.consumed < buffer.length) buffer.drop(inflater.consumed);
      else this.#buffer = undefined;
      this.hasMore = produced === partSize;
      isDone = isLast && !this.hasMore;
    }
    frame.cost += inflater.takeCost();
    if (!isDone && produced === 0) return false;
    const part = copyOf(memory, produced);
    frame.cost += costOf(produced, cost.copied);
    return this.#check(frame, part, 0, produced) ?? this.#handOut(part, isDone);
  }

  #handOut(part: Uint8Array, isLast: boolean): true | WebsocketCode {
    if (isLast && this.#utf8?.isComplete === false) return "websocket.bad_frame_payload";
    this.part = part;
    this.isLast = isLast;
    this.isInParts = true;
    return true;
  }

  #consume(frame: FramePayload, count: number): void {
    frame.consume(count);
    this.size += count;
  }

  /** Text is checked as it arrives; deflated text, as it is inflated. */
  #checkText(frame: FramePayload, bytes: Uint8Array, start: number, end: number): WebsocketCode | undefined {
    return this.isDeflated ? undefined : this.#check(frame, bytes, start, end);
  }

  #check(frame: FramePayload, bytes: Uint8Array, start: number, end: number): WebsocketCode | undefined {
    if (!this.isText || this.#options.skipUtf8Validation) return undefined;
    frame.cost += costOf(end - start, cost.checked);
    return (this.#utf8 ??= new Utf8Checker()).check(bytes, start, end) ? undefined : "websocket.bad_frame_payload";
  }
}
