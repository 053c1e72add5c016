import { copied } from "../core/bytes.ts";
import { allocate, decodeUtf8, isValidUtf8, longestText } from "../core/text.ts";
import type { Role } from "../core/index.ts";
import type { Inflater } from "./deflate.ts";
import type { WebsocketCode } from "./errors.ts";
import {
  deflatedBit,
  headerSize,
  maxControlSize,
  notShortest,
  opcode,
  readKey,
  readLength,
  unfinished,
} from "./frame.ts";
import { asideSize, maskInto, rotateKey, unmasked, unmaskedCopy } from "./mask.ts";
import { MessageBuffer } from "./message-buffer.ts";
import { Utf8Checker } from "./utf8.ts";

/** What {@link Incoming.next} found. Numbers, so that no object is made for an event. */
export const event = {
  /** A whole message: `message`, `isText`. */
  message: 1,
  /** A ping: `control` has its payload. */
  ping: 2,
  /** A pong: `control` has its payload. */
  pong: 3,
  /** A close frame: `control` has its payload. */
  close: 4,
  /** A data frame is next, and the caller said not to take it. */
  data: 5,
  /** The peer broke the protocol, or a limit: `failure` says which. Nothing is read after it. */
  failed: 6,
  /** The next bytes of a message: `part`, `isLast`, `isText`. */
  part: 7,
  /** A whole message that is worth inflating elsewhere: `deflated` has its payload; {@link Incoming.inflated} goes on. */
  deflated: 8,
} as const;

/** One of {@link event}. */
export type Event = (typeof event)[keyof typeof event];

/** How {@link Incoming.next} takes data. */
export const take = {
  /** Not at all: it stops before a data frame, with `event.data`. */
  nothing: 0,
  /** Message by message. */
  message: 1,
  /** As it comes. */
  part: 2,
} as const;

/** One of {@link take}. */
export type Take = (typeof take)[keyof typeof take];

/** How received data is to be taken. */
export interface IncomingOptions {
  role: Role;
  maxMessageSize: number;
  /** The most data frames that a message may have. */
  maxFragments: number;
  text: "string" | "bytes";
  /** Inflates messages, where permessage-deflate was agreed on. */
  inflater?: Inflater | undefined;
}

const empty: Uint8Array = new Uint8Array(0);

/** The most that one part of a deflated message has, in bytes; inflated into memory that all connections share. */
const partSize = 64 * 1024;
let parts: Uint8Array | undefined;

/**
 * Received bytes to messages and control frames (RFC 6455 sections 5 and 6.2), without I/O. The bytes are borrowed:
 * `receive` lends them, `next` takes events from them in place, `retain` keeps what was not used up.
 *
 * A header is parsed from its first byte each time; an unfinished one, or an unfinished control frame, is left in the
 * input and comes again with more bytes behind it. Only the payload of a data frame is consumed in parts.
 */
export class Incoming {
  /** The message, after `event.message`: the receiver's own. */
  message: string | Uint8Array = empty;
  /** After `event.part` the next bytes of the message, the receiver's own and possibly none, and whether they are the last. */
  part: Uint8Array = empty;
  isLast = false;
  /** Whether parts of a message were handed out, and not yet the last. */
  isInParts = false;
  /** The payload of a whole message, after `event.deflated`. */
  deflated: Uint8Array = empty;
  /** Whether the last message, or the one in progress, is text. */
  isText = false;
  /** The payload after a control frame's event; valid until the next call. */
  control: Uint8Array = empty;
  /** What was wrong, after `event.failed`. */
  failure: WebsocketCode | undefined;

  /** How many bytes were ever received. */
  received = 0;
  /** How many messages were taken, and bytes of them; of those that came deflated, bytes before and after. */
  messages = 0;
  payload = 0;
  deflatedPayload = 0;
  inflatedPayload = 0;

  readonly #masked: boolean;
  readonly #maxMessageSize: number;
  readonly #maxTextSize: number;
  readonly #maxFragments: number;
  readonly #textAsBytes: boolean;
  readonly #inflater: Inflater | undefined;

  #dropsData = false;

  #input = empty;
  #at = 0;
  #end = 0;
  #owned = true;

  /** The message in progress: its opcode, or 0; whether it is deflated; how much of it came, and came out of the inflater. */
  #opcode = 0;
  #isDeflated = false;
  #size = 0;
  #handedOut = 0;
  #fragments = 0;
  #buffer: MessageBuffer | undefined;
  #utf8: Utf8Checker | undefined;
  /** The inflater has more of the message in progress than fitted into the last part. */
  #hasMore = false;

  /** The data frame in progress: whether it is the last of its message, what is left of it, and the key for that. */
  #fin = true;
  #left = 0;
  #key = 0;

  constructor(options: IncomingOptions) {
    this.#masked = options.role === "server";
    this.#maxMessageSize = options.maxMessageSize;
    this.#maxFragments = options.maxFragments;
    this.#textAsBytes = options.text === "bytes";
    this.#maxTextSize = this.#textAsBytes ? options.maxMessageSize : Math.min(options.maxMessageSize, longestText);
    this.#inflater = options.inflater;
  }

  /** Whether there are bytes that `next` has not used. */
  get hasInput(): boolean {
    return this.#at < this.#end;
  }

  /** Lends the next received bytes, until `retain`. What was left unfinished before goes in front of them. */
  receive(bytes: Uint8Array): void {
    this.received += bytes.length;
    const rest = this.#end - this.#at;
    if (rest === 0) {
      this.#input = bytes;
      this.#end = bytes.length;
      this.#owned = false;
    } else {
      const joined = allocate(rest + bytes.length);
      joined.set(this.#input.subarray(this.#at, this.#end));
      joined.set(bytes, rest);
      this.#input = joined;
      this.#end = joined.length;
      this.#owned = true;
    }
    this.#at = 0;
  }

  /** Ends the loan: what was not used up is copied. To be called before the lender gets its bytes back. */
  retain(): void {
    if (this.#at === this.#end) {
      this.#input = empty;
      this.#at = this.#end = 0;
    } else if (!this.#owned || (this.#end - this.#at) * 2 < this.#input.length) {
      // Borrowed; or ours, but much larger than what is left of it.
      // Not with slice: of a Buffer that would be a view.
      const rest = allocate(this.#end - this.#at);
      rest.set(this.#input.subarray(this.#at, this.#end));
      this.#input = rest;
      this.#at = 0;
      this.#end = rest.length;
    }
    this.#owned = true;
  }

  /** From now on data frames are dropped as they come, and so is the message in progress. */
  dropData(): void {
    this.#dropsData = true;
    this.isInParts = this.#hasMore = false;
    this.#buffer = undefined;
    this.#size = 0;
  }

  /** Drops everything: input, and the message in progress. */
  clear(): void {
    this.#input = empty;
    this.#at = this.#end = this.#left = this.#size = this.#handedOut = this.#opcode = 0;
    this.isInParts = this.#hasMore = false;
    this.#buffer = undefined;
  }

  /** Takes the next event from the input, data in the way that `taking` says; undefined when more bytes are needed. */
  next(taking: Take): Event | undefined {
    for (;;) {
      // What was gathered for a read that was given up may end with a frame.
      const hasGathered = taking === take.part && this.#buffer !== undefined;
      if (this.#left > 0 || this.#hasMore || hasGathered) {
        if (this.#at === this.#end && !this.#hasMore && !hasGathered) return undefined;
        if (taking === take.nothing && !this.#dropsData) return event.data;
        const taken = this.#takePayload(taking);
        if (taken !== undefined) return taken;
        if (this.#left > 0) return undefined;
        continue;
      }

      const input = this.#input;
      let at = this.#at;
      const available = this.#end - at;
      if (available < 2) return undefined;
      const first = input[at]!;
      const second = input[at + 1]!;
      const code = first & 0x0f;
      if (code < opcode.close && taking === take.nothing && !this.#dropsData) return event.data;

      const wrong = this.#checkHeader(first, second);
      if (wrong !== undefined) return this.#fail(wrong);

      const length = readLength(input, at, this.#end);
      if (length === unfinished) return undefined;
      if (length === notShortest) return this.#fail("websocket.bad_size");
      const isControl = code >= opcode.close;
      const isDeflated = this.#opcode === 0 ? (first & deflatedBit) !== 0 : this.#isDeflated;
      if (!isControl && !this.#dropsData) {
        const limit = this.#limit(this.#opcode || code, taking);
        // What is deflated may take more than what it holds, if it came in many small pieces: but not without end.
        if (this.#size + length > (isDeflated ? 2 * limit + 1024 : limit)) {
          return this.#fail("websocket.message_too_big");
        }
        if (this.#fragments >= this.#maxFragments) return this.#fail("websocket.too_many_fragments");
      }

      const size = headerSize(second);
      if (available < size) return undefined;
      const key = this.#masked ? readKey(input, at + size - 4) : 0;

      if (isControl) {
        if (available < size + length) return undefined;
        this.#at = at + size + length;
        return this.#takeControl(code, at + size, length, key);
      }

      at += size;
      const fin = first >= 0x80;
      if (fin && this.#opcode === 0 && length <= this.#end - at && !this.#dropsData && taking === take.message) {
        // By far the most common: a message in one frame, all of it here.
        this.#at = at + length;
        this.isText = code === opcode.text;
        if (!isDeflated) return this.#takeWhole(at, length, key);
        return this.#takeDeflated(this.#peek(at, length, key), false);
      }
      this.#at = at;
      if (this.#opcode === 0) {
        this.#opcode = code;
        this.isText = code === opcode.text;
        this.#isDeflated = isDeflated;
      }
      this.#fin = fin;
      this.#left = length;
      this.#key = key;
      this.#fragments++;
      if (length === 0) {
        const taken = this.#endFrame(taking);
        if (taken !== undefined) return taken;
      }
    }
  }

  /** The most bytes that the message in progress may have: a text that becomes a string no more than a string can have. */
  #limit(code: number, taking: Take): number {
    return code === opcode.text && taking === take.message ? this.#maxTextSize : this.#maxMessageSize;
  }

  /** What can be said against a frame from its first two bytes. */
  #checkHeader(first: number, second: number): WebsocketCode | undefined {
    const code = first & 0x0f;
    const reserved = first & 0x70;
    // RFC 7692 section 6: of the reserved bits the first, on the first frame of a message, where that was agreed on.
    if (reserved !== 0) {
      const isFirst = code === opcode.text || code === opcode.binary;
      if (reserved !== deflatedBit || this.#inflater === undefined || !isFirst) return "websocket.bad_reserved_bits";
    }
    if (code >= opcode.close) {
      if (code > opcode.pong) return "websocket.bad_opcode";
      if (first < 0x80) return "websocket.bad_control_fragment"; // section 5.5
      if ((second & 0x7f) > maxControlSize) return "websocket.bad_control_size"; // section 5.5
    } else if (code === opcode.continuation) {
      if (this.#opcode === 0) return "websocket.bad_continuation"; // section 5.4
    } else {
      if (code > opcode.binary) return "websocket.bad_opcode";
      if (this.#opcode !== 0) return "websocket.bad_data_frame"; // section 5.4
    }
    // Section 5.1: a client masks every frame, a server none.
    if (this.#masked !== second >= 0x80) {
      return this.#masked ? "websocket.bad_unmasked_frame" : "websocket.bad_masked_frame";
    }
    return undefined;
  }

  #takeControl(code: number, at: number, length: number, key: number): Event {
    const payload = length === 0 ? empty : new Uint8Array(length);
    maskInto(this.#input, at, payload, 0, length, key);
    this.control = payload;
    return code === opcode.ping ? event.ping : code === opcode.pong ? event.pong : event.close;
  }

  #peek(at: number, length: number, key: number): Uint8Array {
    return this.#masked ? unmasked(this.#input, at, length, key) : this.#input.subarray(at, at + length);
  }

  #copy(at: number, length: number, key: number): Uint8Array {
    return this.#masked ? unmaskedCopy(this.#input, at, length, key) : copied(this.#input, at, length);
  }

  #takeWhole(at: number, length: number, key: number): Event {
    this.messages++;
    this.payload += length;
    if (this.isText && !this.#textAsBytes) {
      const text = decodeChecked(this.#peek(at, length, key));
      if (text === undefined) return this.#fail("websocket.bad_frame_payload");
      this.message = text;
      return event.message;
    }
    const bytes = this.#copy(at, length, key);
    if (this.isText && !isValidUtf8(bytes)) return this.#fail("websocket.bad_frame_payload");
    this.message = bytes;
    return event.message;
  }

  /** A whole message has come deflated. */
  #takeDeflated(payload: Uint8Array, owned: boolean): Event {
    this.deflatedPayload += payload.length;
    const inflater = this.#inflater!;
    const aside = inflater.inflateAside(payload, this.inflatedLimit);
    if (aside !== undefined) return this.#takeInflated(aside, false);
    const result = inflater.inflate(payload, this.inflatedLimit);
    if (result !== undefined) return this.inflated(result);
    this.deflated = owned ? payload : copied(payload, 0, payload.length);
    return event.deflated;
  }

  /** The most bytes that the message of `event.deflated` may come to. */
  get inflatedLimit(): number {
    return this.isText ? this.#maxTextSize : this.#maxMessageSize;
  }

  /** Goes on after `event.deflated`, with what the message was inflated to, or why it could not be. */
  inflated(result: Uint8Array | WebsocketCode): Event {
    this.deflated = empty;
    return typeof result === "string" ? this.#fail(result) : this.#takeInflated(result, true);
  }

  #takeInflated(bytes: Uint8Array, owned: boolean): Event {
    this.messages++;
    this.payload += bytes.length;
    this.inflatedPayload += bytes.length;
    if (this.isText && !isValidUtf8(bytes)) return this.#fail("websocket.bad_frame_payload");
    if (this.isText && !this.#textAsBytes) this.message = decodeUtf8(bytes, 0, bytes.length);
    else this.message = owned ? bytes : copied(bytes, 0, bytes.length);
    return event.message;
  }

  /** Takes what there is of the frame in progress. */
  #takePayload(taking: Take): Event | undefined {
    if (this.#dropsData) {
      this.#consume(Math.min(this.#left, this.#end - this.#at));
      return this.#left === 0 ? this.#endFrame(taking) : undefined;
    }
    if (taking === take.part) return this.#isDeflated ? this.#inflatePart() : this.#takePart();
    return this.#gather();
  }

  /** Payload of a message that is wanted whole. */
  #gather(): Event | undefined {
    const count = Math.min(this.#left, this.#end - this.#at);
    const buffer = (this.#buffer ??= new MessageBuffer());
    if (!buffer.makeRoom(count, this.#left, this.#fin, this.#maxMessageSize)) {
      return this.#fail("websocket.message_too_big");
    }
    buffer.append(this.#input, this.#at, count, this.#key);
    this.#consume(count);
    if (!this.#checkText(buffer.bytes, buffer.length - count, buffer.length)) {
      return this.#fail("websocket.bad_frame_payload");
    }
    return this.#left === 0 ? this.#endFrame(take.message) : undefined;
  }

  /** What came of the message while it was wanted whole. */
  #gathered(): Uint8Array {
    const buffer = this.#buffer;
    this.#buffer = undefined;
    return buffer?.take() ?? empty;
  }

  /** Payload of a message that is wanted as it comes. */
  #takePart(): Event {
    if (this.#buffer !== undefined) return this.#handOut(this.#gathered(), false);
    const count = Math.min(this.#left, this.#end - this.#at);
    const part = this.#copy(this.#at, count, this.#key);
    this.#consume(count);
    if (!this.#checkText(part, 0, count)) return this.#fail("websocket.bad_frame_payload");
    return this.#handOut(part, this.#left === 0 && this.#fin);
  }

  /** The same, deflated: one part of limited size for each call, whatever it was deflated to. */
  #inflatePart(): Event | undefined {
    const inflater = this.#inflater!;
    const output = (parts ??= allocate(partSize));
    let produced = 0;
    let isDone = false;
    while (!isDone && produced < partSize) {
      const buffer = this.#buffer;
      const count = Math.min(this.#left, this.#end - this.#at, asideSize);
      const input = buffer === undefined ? this.#peek(this.#at, count, this.#key) : buffer.bytes;
      const size = buffer === undefined ? count : buffer.length;
      const isLast = this.#fin && this.#left === (buffer === undefined ? count : 0);
      if (size === 0 && !isLast && !this.#hasMore) break;
      const left = this.#maxMessageSize - this.#handedOut - produced;
      const failure = inflater.inflateSome(input, size, output, produced, isLast, left);
      if (failure !== undefined) return this.#fail(failure);
      produced += inflater.produced;
      this.deflatedPayload += inflater.consumed;
      this.inflatedPayload += inflater.produced;
      if (buffer === undefined) this.#consume(inflater.consumed);
      else if (inflater.consumed < buffer.length) buffer.drop(inflater.consumed);
      else this.#buffer = undefined;
      this.#hasMore = produced === partSize;
      isDone = isLast && !this.#hasMore;
    }
    this.#handedOut += produced;
    if (!isDone && produced === 0) return undefined;
    const part = copied(output, 0, produced);
    if (this.isText && !(this.#utf8 ??= new Utf8Checker()).check(part, 0, produced)) {
      return this.#fail("websocket.bad_frame_payload");
    }
    return this.#handOut(part, isDone);
  }

  #handOut(part: Uint8Array, isLast: boolean): Event {
    if (isLast && this.isText && this.#utf8?.isComplete === false) return this.#fail("websocket.bad_frame_payload");
    this.part = part;
    this.isLast = isLast;
    this.isInParts = !isLast;
    this.payload += part.length;
    if (isLast) {
      this.messages++;
      this.#endMessage();
    }
    return event.part;
  }

  /** The frame in progress has come as far as `count` bytes more. */
  #consume(count: number): void {
    this.#at += count;
    this.#left -= count;
    this.#size += count;
    this.#key = rotateKey(this.#key, count);
  }

  /** Text is checked as it comes; what is deflated, as it is inflated. */
  #checkText(bytes: Uint8Array, start: number, end: number): boolean {
    if (!this.isText || this.#isDeflated) return true;
    return (this.#utf8 ??= new Utf8Checker()).check(bytes, start, end);
  }

  /** The frame in progress is complete; its message too if it was the last one. */
  #endFrame(taking: Take): Event | undefined {
    if (!this.#fin) return undefined;
    if (this.#dropsData) {
      this.#endMessage();
      return undefined;
    }
    if (taking === take.part) return this.#isDeflated ? this.#inflatePart() : this.#handOut(this.#gathered(), true);
    const buffer = this.#buffer ?? new MessageBuffer();
    const { length } = buffer;
    const isDeflated = this.#isDeflated;
    const isWhole = isDeflated || this.#utf8?.isComplete !== false;
    this.#endMessage();
    if (isDeflated) return this.#takeDeflated(buffer.take(), true);
    if (!isWhole) return this.#fail("websocket.bad_frame_payload");
    this.messages++;
    this.payload += length;
    if (this.isText && !this.#textAsBytes) this.message = decodeUtf8(buffer.bytes, 0, length);
    else this.message = buffer.take();
    return event.message;
  }

  #endMessage(): void {
    this.#opcode = this.#size = this.#handedOut = this.#fragments = 0;
    this.#isDeflated = false;
    this.#buffer = undefined;
  }

  #fail(failure: WebsocketCode): Event {
    this.failure = failure;
    this.clear();
    return event.failed;
  }
}

/** Bytes as text; undefined if they are not UTF-8. */
function decodeChecked(bytes: Uint8Array): string | undefined {
  return isValidUtf8(bytes) ? decodeUtf8(bytes, 0, bytes.length) : undefined;
}
