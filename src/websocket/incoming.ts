import { allocate, decodeUtf8, isValidUtf8, longestText } from "../core/text.ts";
import type { Role } from "../core/index.ts";
import type { WebsocketCode } from "./errors.ts";
import { maxControlSize, opcode } from "./frame.ts";
import { asideSize, maskInto, rotateKey, unmaskAside } from "./mask.ts";
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
} as const;

/** One of {@link event}. */
export type Event = (typeof event)[keyof typeof event];

/** How received data is to be taken. */
export interface IncomingOptions {
  role: Role;
  maxMessageSize: number;
  text: "string" | "bytes";
}

const empty: Uint8Array = new Uint8Array(0);

/** Up to here, unmasking aside and copying is cheaper than unmasking in the message's own memory. */
const smallMessage = 2048;

/** What a message may take before its bytes are there: a header alone must not make us reserve what it promises. */
const trusted = 16 * 1024;

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
  /** Whether the last message was text. */
  isText = false;
  /** The payload after a control frame's event; valid until the next call. */
  control: Uint8Array = empty;
  /** What was wrong, after `event.failed`. */
  failure: WebsocketCode | undefined;
  readonly #masked: boolean;
  readonly #maxMessageSize: number;
  readonly #maxTextSize: number;
  readonly #textAsBytes: boolean;

  #dropsData = false;

  #input = empty;
  #at = 0;
  #end = 0;
  #owned = true;

  /** The message in progress: its opcode, or 0. */
  #opcode = 0;
  #bytes = empty;
  #length = 0;
  #utf8: Utf8Checker | undefined;

  /** The data frame in progress: whether it is the last of its message, what is left of it, and the key for that. */
  #fin = true;
  #left = 0;
  #key = 0;

  constructor(options: IncomingOptions) {
    this.#masked = options.role === "server";
    this.#maxMessageSize = options.maxMessageSize;
    this.#textAsBytes = options.text === "bytes";
    this.#maxTextSize = this.#textAsBytes ? options.maxMessageSize : Math.min(options.maxMessageSize, longestText);
  }

  /** Whether there are bytes that `next` has not used. */
  get hasInput(): boolean {
    return this.#at < this.#end;
  }

  /** Lends the next received bytes, until `retain`. What was left unfinished before goes in front of them. */
  receive(bytes: Uint8Array): void {
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
    this.#bytes = empty;
    this.#length = 0;
  }

  /** Drops everything: input, and the message in progress. */
  clear(): void {
    this.#input = this.#bytes = empty;
    this.#at = this.#end = this.#left = this.#length = this.#opcode = 0;
  }

  /**
   * Takes the next event from the input; undefined when more bytes are needed. With `takeData` false it stops before a
   * data frame, with `event.data`.
   */
  next(takeData: boolean): Event | undefined {
    for (;;) {
      if (this.#left > 0) {
        if (this.#at === this.#end) return undefined;
        if (!takeData && !this.#dropsData) return event.data;
        const taken = this.#takePayload();
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
      if (code < opcode.close && !takeData && !this.#dropsData) return event.data;

      const wrong = this.#checkHeader(first, second);
      if (wrong !== undefined) return this.#fail(wrong);

      let length = second & 0x7f;
      let size = 2;
      if (length === 126) {
        if (available < 4) return undefined;
        length = (input[at + 2]! << 8) | input[at + 3]!;
        if (length < 126) return this.#fail("websocket.bad_size");
        size = 4;
      } else if (length === 127) {
        if (available < 10) return undefined;
        const high = readUint32(input, at + 2);
        // The first bit of the 64 must be 0, and the form the shortest (section 5.2).
        if (high >= 2 ** 31 || (high === 0 && readUint32(input, at + 6) <= 0xffff)) {
          return this.#fail("websocket.bad_size");
        }
        length = high * 2 ** 32 + readUint32(input, at + 6);
        size = 10;
      }
      const isControl = code >= opcode.close;
      const limit = (this.#opcode || code) === opcode.text ? this.#maxTextSize : this.#maxMessageSize;
      if (!isControl && !this.#dropsData && this.#length + length > limit) {
        return this.#fail("websocket.message_too_big");
      }

      let key = 0;
      if (this.#masked) {
        size += 4;
        if (available < size) return undefined;
        const k = at + size - 4;
        key = input[k]! | (input[k + 1]! << 8) | (input[k + 2]! << 16) | (input[k + 3]! << 24);
      }

      if (isControl) {
        if (available < size + length) return undefined;
        this.#at = at + size + length;
        return this.#takeControl(code, at + size, length, key);
      }

      at += size;
      const fin = first >= 0x80;
      if (fin && this.#opcode === 0 && length <= this.#end - at && !this.#dropsData) {
        // By far the most common: a message in one frame, all of it here.
        this.#at = at + length;
        return this.#takeWhole(code === opcode.text, at, length, key);
      }
      this.#at = at;
      if (this.#opcode === 0) this.#opcode = code;
      this.#fin = fin;
      this.#left = length;
      this.#key = key;
      if (length === 0) {
        const taken = this.#endFrame();
        if (taken !== undefined) return taken;
      }
    }
  }

  /** What can be said against a frame from its first two bytes. */
  #checkHeader(first: number, second: number): WebsocketCode | undefined {
    const code = first & 0x0f;
    if ((first & 0x70) !== 0) return "websocket.bad_reserved_bits"; // no extension gave them a meaning
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

  #takeWhole(isText: boolean, at: number, length: number, key: number): Event {
    this.isText = isText;
    if (isText && !this.#textAsBytes) {
      const text = this.#masked
        ? decodeMasked(this.#input, at, length, key)
        : decodeChecked(this.#input.subarray(at, at + length));
      if (text === undefined) return this.#fail("websocket.bad_frame_payload");
      this.message = text;
      return event.message;
    }
    const bytes = this.#copy(at, length, key);
    if (isText && !isValidUtf8(bytes)) return this.#fail("websocket.bad_frame_payload");
    this.message = bytes;
    return event.message;
  }

  /** A payload, unmasked, in memory of its own. */
  #copy(at: number, length: number, key: number): Uint8Array {
    if (this.#masked && length <= smallMessage) return unmaskAside(this.#input, at, length, key).slice(0, length);
    const bytes = allocate(length);
    maskInto(this.#input, at, bytes, 0, length, key);
    return bytes;
  }

  /** Takes what there is of the frame in progress. */
  #takePayload(): Event | undefined {
    const count = Math.min(this.#left, this.#end - this.#at);
    if (!this.#dropsData) {
      if (!this.#makeRoom(count)) return this.#fail("websocket.message_too_big");
      maskInto(this.#input, this.#at, this.#bytes, this.#length, count, this.#key);
      this.#length += count;
    }
    this.#at += count;
    this.#left -= count;
    if (this.#opcode === opcode.text && !this.#dropsData) {
      this.#utf8 ??= new Utf8Checker();
      if (!this.#utf8.check(this.#bytes, this.#length - count, this.#length)) {
        return this.#fail("websocket.bad_frame_payload");
      }
    }
    if (this.#left === 0) return this.#endFrame();
    this.#key = rotateKey(this.#key, count);
    return undefined;
  }

  /** The frame in progress is complete; its message too if it was the last one. */
  #endFrame(): Event | undefined {
    if (!this.#fin) return undefined;
    const bytes = this.#bytes;
    const length = this.#length;
    this.isText = this.#opcode === opcode.text;
    this.#opcode = 0;
    this.#length = 0;
    this.#bytes = empty;
    if (this.#dropsData) return undefined;
    if (this.isText && this.#utf8?.isComplete === false) return this.#fail("websocket.bad_frame_payload");
    if (this.isText && !this.#textAsBytes) this.message = decodeUtf8(bytes, 0, length);
    // A message never pins a buffer larger than itself.
    else this.message = length === bytes.length ? bytes : bytes.slice(0, length);
    return event.message;
  }

  /**
   * Makes room for `count` more bytes of the message; all at once where its length is known and believable. False where
   * the platform has no memory for it: with no limit set, that is the limit.
   */
  #makeRoom(count: number): boolean {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return true;
    const promised = this.#length + this.#left;
    const grown = Math.max(needed, Math.min(Math.max(trusted, this.#bytes.length * 4), promised));
    // Of a fragmented message the end is unknown: small fragments must not mean a copy each.
    const size = this.#fin ? grown : Math.max(grown, Math.min(this.#bytes.length * 2, this.#maxMessageSize));
    try {
      const bytes = allocate(size);
      bytes.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = bytes;
      return true;
    } catch {
      return false;
    }
  }

  #fail(failure: WebsocketCode): Event {
    this.failure = failure;
    this.clear();
    return event.failed;
  }
}

function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function decodeMasked(input: Uint8Array, at: number, length: number, key: number): string | undefined {
  if (length <= asideSize) return decodeChecked(unmaskAside(input, at, length, key).subarray(0, length));
  const bytes = allocate(length);
  maskInto(input, at, bytes, 0, length, key);
  return decodeChecked(bytes);
}

/** Bytes as text; undefined if they are not UTF-8. */
function decodeChecked(bytes: Uint8Array): string | undefined {
  return isValidUtf8(bytes) ? decodeUtf8(bytes, 0, bytes.length) : undefined;
}
