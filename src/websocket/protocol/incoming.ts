import type { Role } from "../../core/index.ts";
import { copyOf, cost, costOf, decodeText, decodeUtf8, isValidUtf8, longestText } from "../../core/internal.ts";
import { Assembly, type AssemblyOptions, type FramePayload } from "./assembly.ts";
import { inlineUpTo, type Inflater } from "../deflate/deflate.ts";
import { checkHeader, wrongIn } from "../frames/check-header.ts";
import { exactly, tooBig, type WebsocketCode } from "../frames/errors.ts";
import { event, found, take, type Event, type Take } from "./event.ts";
import {
  deflatedBit,
  finalBit,
  headerSize,
  longest,
  opcode,
  readKey,
  readLength,
  topBit,
  unfinished,
} from "../frames/frame.ts";
import { maskInto, rotateKey } from "../frames/mask.ts";
import { Input } from "./input.ts";
import { onHeap } from "./payload-slab.ts";

/** How received data is taken. */
export interface IncomingOptions extends AssemblyOptions {
  /** The most data frames that a message may have. */
  readonly maxFragments: number;
  readonly text: "string" | "bytes";
  /** Whether messages may be parts of the input. Default false. */
  readonly inPlace?: boolean;
}

const empty: Uint8Array = new Uint8Array(0);

/** Texts of more bytes than this should not become a string in a turn with much other work. */
export const long: number = 256 * 1024;
const light = 4096; // bytes of a message that is little work

/**
 * Turns received bytes into messages and control frames (RFC 6455 sections 5 and 6.2), without I/O. The bytes are
 * borrowed: `receive` lends them, `next` takes events from them in place, `retain` copies the unused rest.
 *
 * A header is parsed from its first byte each time; an incomplete one, or an incomplete control frame, stays in the
 * input and comes again with more bytes after it. Only the payload of a data frame is consumed in parts.
 */
export class Incoming extends Input implements FramePayload {
  /** Whether the last message, or the one in progress, is text. */
  isText = false;

  /** How many frames were taken. */
  frames = 0;
  /** How many messages were taken, and their bytes. */
  messages = 0;
  payload = 0;
  /** The work since this was last set to 0, in the unit of `cost`; and the part of it that copied received bytes. */
  cost = 0;
  copying = 0;

  readonly #options: IncomingOptions;
  /** Inflates messages, if compression was negotiated. */
  readonly inflater: Inflater | undefined;

  #dropsData = false;

  /** The message in progress: its first frame was not its last, or has not come whole. */
  #assembly: Assembly | undefined;

  constructor(role: Role, options: IncomingOptions, inflater?: Inflater) {
    super(role === "server");
    this.#options = options;
    this.inflater = inflater;
  }

  /** How many bytes of deflated messages were taken, before and after inflating. */
  get deflatedPayload(): number {
    return this.inflater?.deflatedPayload ?? 0;
  }

  get inflatedPayload(): number {
    return this.inflater?.inflatedPayload ?? 0;
  }

  get #textAsBytes(): boolean {
    return this.#options.text === "bytes";
  }

  /** A text must fit into a string. */
  get #maxTextSize(): number {
    const { maxMessageSize } = this.#options;
    return this.#textAsBytes ? maxMessageSize : Math.min(maxMessageSize, longestText);
  }

  /** Whether the next message may be much work by itself: it is long, a text that becomes a string at once, or compressed. */
  get isHeavy(): boolean {
    if (this.#assembly !== undefined) return this.#assembly.isDeflated || this.#assembly.size > light;
    const [first = 0, second = 0, high = 0] = this.input.subarray(this.at, this.end);
    return (first & deflatedBit) !== 0 || (second & 0x7f) === 127 || ((second & 0x7f) === 126 && high >= light >>> 8);
  }

  /** Whether parts of a message were returned, but not yet the last. */
  get isInParts(): boolean {
    return this.#assembly?.isInParts === true;
  }

  /** Whether a message is here whole, in one plain frame, and after it another data frame begins. */
  get isFollowed(): boolean {
    const { input, at, end } = this;
    if (end - at < 2 || this.#assembly !== undefined) return false;
    const first = input[at]!;
    if (first !== (finalBit | opcode.binary) && first !== (finalBit | opcode.text)) return false;
    const length = readLength(input, at, end);
    const next = at + headerSize(input[at + 1]!) + length;
    return length >= 0 && next + 1 < end && (input[next]! & 0x0f) < opcode.close;
  }

  /** Whether nothing waits to be taken: neither bytes nor a message in progress. */
  get isEmpty(): boolean {
    return this.at === this.end && this.#assembly === undefined;
  }

  /** From now on drops data frames, and the message in progress. */
  dropData(): void {
    this.#dropsData = true;
    this.#assembly?.drop();
  }

  /** Drops everything: input, and the message in progress. */
  clear(): void {
    this.drop();
    this.#assembly = undefined;
  }

  /** Drops everything for good, and releases the inflater's context. */
  close(): void {
    this.clear();
    this.inflater?.close();
  }

  /** Takes the next event from the input, and data as `taking` says; undefined if more bytes are needed. */
  next(taking: Take): Event | undefined {
    for (;;) {
      const assembly = this.#assembly;
      if (assembly !== undefined && (assembly.left > 0 || assembly.isReady(taking))) {
        const taken = this.#goOn(assembly, taking);
        if (taken !== undefined || this.left > 0) return taken;
        continue;
      }

      const input = this.input;
      let at = this.at;
      const available = this.end - at;
      if (available < 2) return undefined;
      const first = input[at]!;
      const second = input[at + 1]!;
      const code = first & 0x0f;
      if (code < opcode.close && taking === take.nothing && !this.#dropsData) return event.data;

      const wrong = checkHeader(first, second, this.isMasked, this.inflater !== undefined, assembly !== undefined);
      if (wrong !== undefined) return this.#fail(wrong, undefined, wrongIn(wrong, first, second));

      const length = readLength(input, at, this.end);
      if (length === unfinished) return undefined;
      if (length < 0) return this.#fail("websocket.bad_size", length === topBit ? exactly.topBit : undefined);
      const isControl = code >= opcode.close;
      const isDeflated = assembly === undefined ? (first & deflatedBit) !== 0 : assembly.isDeflated;
      const isText = assembly === undefined ? code === opcode.text : assembly.isText;
      if (!isControl && !this.#dropsData) {
        const limit = isText && taking === take.message ? this.#maxTextSize : this.#options.maxMessageSize;
        const { size = 0, frames = 0 } = assembly ?? {};
        // A deflated message that arrives in many small pieces may be longer than its content, within limits.
        if (size + length > (isDeflated ? Math.min(2 * limit + 1024, longest) : limit)) {
          return this.#failTooBig(limit, isDeflated ? undefined : size + length, length);
        }
        if (frames >= this.#options.maxFragments) return this.#fail("websocket.too_many_fragments");
      }

      const size = headerSize(second);
      if (available < size) return undefined;
      const key = this.isMasked ? readKey(input, at + size - 4) : 0;

      at += size;
      if (isControl) return available < size + length ? undefined : this.#takeControl(code, at, length, key);

      this.frames++;
      this.cost += cost.frame;
      this.isText = isText;
      const isFinal = first >= 0x80;
      const isWhole = isFinal && assembly === undefined && length <= this.end - at;
      if (isWhole && !this.#dropsData && taking === take.message) {
        // By far the most common case: a message in one frame, all of it here.
        this.at = at + length;
        if (!isDeflated) return this.#takeWhole(at, length, key);
        return this.#takeDeflated(this.peekAt(at, length, key), false);
      }
      const begun = this.#begin(isFinal, at, length, key, isDeflated);
      const taken = length === 0 ? this.#endFrame(begun, taking) : undefined;
      if (taken !== undefined) return taken;
    }
  }

  /** Continues the message in progress, with the available bytes of its frame, or without more bytes. */
  #goOn(assembly: Assembly, taking: Take): Event | undefined {
    if (assembly.left > 0 && this.at === this.end && !assembly.isReady(taking)) return undefined;
    if (taking === take.nothing && !this.#dropsData) return event.data;
    return this.#takePayload(assembly, taking);
  }

  /** Begins a data frame whose payload is taken in parts, and its message unless that is in progress. */
  #begin(isFinal: boolean, at: number, length: number, key: number, isDeflated: boolean): Assembly {
    this.at = at;
    const assembly = (this.#assembly ??= new Assembly(this.isText, isDeflated, this.#options, this.inflater));
    assembly.isFinal = isFinal;
    assembly.left = length;
    assembly.key = key;
    assembly.frames++;
    return assembly;
  }

  #takeControl(code: number, at: number, length: number, key: number): Event {
    this.frames++;
    this.at = at + length;
    this.cost += cost.control;
    const payload = length === 0 ? empty : new Uint8Array(length);
    maskInto(this.input, at, payload, 0, length, key);
    found.control = payload;
    return code === opcode.ping ? event.ping : code === opcode.pong ? event.pong : event.close;
  }

  #takeWhole(at: number, length: number, key: number): Event {
    this.cost += cost.message;
    if (length > light) this.countCopied(length);
    if (this.isText && !this.#textAsBytes) {
      const isLenient = this.#options.skipUtf8Validation;
      const text = isLenient ? decodeUtf8(this.peekAt(at, length, key)) : this.textAt(at, length, key);
      if (text === undefined) return this.#fail("websocket.bad_frame_payload");
      if (text.length < length) this.cost += costOf(length, cost.decoded);
      found.message = text;
    } else {
      let bytes: Uint8Array;
      if (this.#options.inPlace === true) bytes = this.inPlaceAt(at, length, key);
      else bytes = length > onHeap ? this.sharedAt(at, length, key) : this.copyAt(at, length, key);
      if (this.isText && !this.#options.skipUtf8Validation && !isValidUtf8(bytes)) {
        return this.#fail("websocket.bad_frame_payload");
      }
      found.message = bytes;
    }
    this.messages++; // after the check, as for one that came in several reads
    this.payload += length;
    return event.message;
  }

  /** A whole deflated message has arrived. */
  #takeDeflated(payload: Uint8Array, owned: boolean): Event {
    const inflater = this.inflater!;
    inflater.deflatedPayload += payload.length;
    const aside = inflater.inflateAside(payload, this.inflatedLimit);
    if (aside !== undefined) return this.#takeInflated(aside, false);
    const isElsewhere = inflater.isAlone && payload.length > inlineUpTo;
    const result = isElsewhere ? undefined : inflater.inflate(payload, this.inflatedLimit);
    if (result !== undefined) return this.inflated(result);
    found.deflated = owned ? payload : copyOf(payload, payload.length);
    return event.deflated;
  }

  /** The most bytes that the message of `event.deflated` may inflate to. */
  get inflatedLimit(): number {
    return this.isText ? this.#maxTextSize : this.#options.maxMessageSize;
  }

  /** Continues after `event.deflated`, with the inflated message or its error. */
  inflated(result: Uint8Array | WebsocketCode): Event {
    found.deflated = empty;
    return typeof result === "string" ? this.#fail(result) : this.#takeInflated(result, true);
  }

  #takeInflated(bytes: Uint8Array, owned: boolean): Event {
    const { length } = bytes;
    const inflater = this.inflater!;
    this.cost += cost.message + inflater.takeCost();
    const isLenient = this.#options.skipUtf8Validation;
    if (this.isText && !this.#textAsBytes) {
      const text = isLenient ? decodeUtf8(bytes) : decodeText(bytes);
      if (text === undefined) return this.#fail("websocket.bad_frame_payload");
      this.#foundText(text, length);
    } else {
      if (this.isText && !isLenient && !isValidUtf8(bytes)) return this.#fail("websocket.bad_frame_payload");
      found.message = owned ? bytes : copyOf(bytes, length);
      this.cost += costOf(length, cost.copied);
    }
    this.messages++;
    this.payload += length;
    inflater.inflatedPayload += length;
    return event.message;
  }

  /** The message is this text of `length` bytes. */
  #foundText(text: string, length: number): void {
    found.message = text;
    this.cost += costOf(length, text.length < length ? cost.decoded : cost.decodedAscii);
  }

  /** Takes the available bytes of the frame in progress. */
  #takePayload(assembly: Assembly, taking: Take): Event | undefined {
    if (this.#dropsData) {
      this.consume(Math.min(assembly.left, this.available));
    } else if (taking === take.part) {
      return this.#takePart(assembly);
    } else {
      const wrong = assembly.gather(this);
      if (wrong !== undefined) return this.#fail(wrong);
    }
    return assembly.left === 0 ? this.#endFrame(assembly, taking) : undefined;
  }

  #takePart(assembly: Assembly): Event | undefined {
    const { deflated, inflated } = assembly;
    const taken = assembly.takePart(this);
    this.cost += cost.message;
    if (typeof taken === "string") return this.#fail(taken);
    if (assembly.isDeflated) {
      this.inflater!.deflatedPayload += assembly.deflated - deflated;
      this.inflater!.inflatedPayload += assembly.inflated - inflated;
    }
    if (!taken) return undefined;
    found.part = assembly.part;
    found.isLast = assembly.isLast;
    this.payload += found.part.length;
    if (found.isLast) {
      this.messages++;
      this.#assembly = undefined;
    }
    return event.part;
  }

  /** The frame in progress is complete, and so is its message if it was the last one. */
  #endFrame(assembly: Assembly, taking: Take): Event | undefined {
    if (!assembly.isFinal) return undefined;
    if (taking === take.part && !this.#dropsData) return this.#takePart(assembly);
    this.#assembly = undefined;
    if (this.#dropsData) return undefined;
    const whole = assembly.takeWhole();
    if (typeof whole === "string") return this.#fail(whole);
    if (assembly.isDeflated) return this.#takeDeflated(whole.take(), true);
    const { length } = whole;
    this.messages++;
    this.payload += length;
    this.cost += cost.message;
    if (this.isText && !this.#textAsBytes) this.#foundText(decodeUtf8(whole.bytes, 0, length), length);
    else found.message = whole.take();
    return event.message;
  }

  // ---- the frame in progress, for its message ----

  get isFinal(): boolean {
    return this.#assembly!.isFinal;
  }

  get left(): number {
    return this.#assembly?.left ?? 0;
  }

  peek(count: number): Uint8Array {
    return this.peekAt(this.at, count, this.#assembly!.key);
  }

  copy(count: number): Uint8Array {
    return this.copyAt(this.at, count, this.#assembly!.key);
  }

  copyInto(target: Uint8Array, at: number, count: number): void {
    maskInto(this.input, this.at, target, at, count, this.#assembly!.key);
  }

  consume(count: number): void {
    const assembly = this.#assembly!;
    this.at += count;
    assembly.left -= count;
    assembly.key = rotateKey(assembly.key, count);
  }

  countCopied(count: number): void {
    const copying = costOf(count, cost.copied);
    this.cost += copying;
    this.copying += copying;
  }

  #failTooBig(limit: number, size: number | undefined, length: number): Event {
    return this.#fail("websocket.message_too_big", tooBig(limit, size), length);
  }

  #fail(failure: WebsocketCode, because?: string, value?: number): Event {
    const why = failure === "websocket.message_too_big" ? tooBig(this.#options.maxMessageSize) : undefined;
    [found.failure, found.because, found.value] = [failure, because ?? why, value];
    this.clear();
    return event.failed;
  }
}
