import type { Role } from "../../core/index.ts";
import { cost, costOf, utf8Length, writeUtf8 } from "../../core/internal.ts";
import { inlineUpTo, type Deflater } from "../deflate/deflate.ts";
import { deflatedBit, finalBit, type opcode } from "../frames/frame.ts";
import { defaultDeflate } from "../handshake/permessage-deflate.ts";
import { copiedUpTo, FrameBuffer, type FrameOptions } from "./frame-buffer.ts";
import { PreparedMessage, type WholeData } from "./prepared.ts";

/** The opcode of a message. */
export type DataOpcode = typeof opcode.text | typeof opcode.binary;

/** How messages are framed. */
export interface OutgoingOptions extends FrameOptions {
  /** The most payload of a frame, in bytes. */
  readonly fragmentSize: number;
  readonly highWaterMark: number;
  /** Messages of fewer bytes than the threshold are not compressed. */
  readonly deflate?: { readonly threshold: number } | undefined;
}

/** Memory for encoding texts before they are compressed. */
const scratchSize = 16 * 1024;
let scratch: Uint8Array | undefined;

/** Turns messages into frames (RFC 6455 section 5.4), compressed if that was negotiated (RFC 7692 section 6). */
export class Outgoing extends FrameBuffer {
  /** How many messages were framed, and their bytes. */
  messages = 0;
  payloadSize = 0;
  /** The work of compressing since this was last set to 0, in the unit of `cost`. */
  cost = 0;

  /** Compresses messages, if compression was negotiated. */
  readonly deflater: Deflater | undefined;
  declare readonly options: OutgoingOptions;

  constructor(role: Role, options: OutgoingOptions, deflater?: Deflater) {
    super(role, options);
    this.deflater = deflater;
  }

  /**
   * Frames a message at once, if it fits into one frame and needs no compressing on another thread; undefined if not.
   * Returns how far writing must come before the message counts as written.
   */
  send(code: DataOpcode, data: WholeData, compress: boolean): number | undefined {
    const { fragmentSize, highWaterMark } = this.options;
    let size: number;
    if (typeof data === "string") {
      // UTF-8 takes at most three bytes for each code unit.
      if (data.length * 3 > fragmentSize && utf8Length(data) > fragmentSize) return undefined;
      if (compress && this.deflater !== undefined) return this.#deflateText(this.deflater, code, data);
      size = this.text(finalBit | code, data);
    } else if (data instanceof Uint8Array) {
      size = data.length;
      if (size > fragmentSize) return undefined;
      if (compress && this.deflater !== undefined && size >= this.threshold) return this.#deflateBytes(code, data);
      this.bytes(finalBit | code, data);
      // The caller may reuse a referenced payload when the write has settled, so all of it must have been written by
      // then.
      if (size > copiedUpTo) return this.framed(size, true);
    } else {
      return data instanceof PreparedMessage ? this.#sendPrepared(data, compress) : undefined;
    }
    this.messages++;
    this.payloadSize += size;
    return this.queued - highWaterMark + 1;
  }

  /** Counts a message of `size` bytes as framed; returns what {@link send} does. */
  framed(size: number, isReferenced: boolean): number {
    this.messages++;
    this.payloadSize += size;
    return this.position(isReferenced);
  }

  /**
   * How far writing must come before the last queued payload counts as written: until there is room, or to its end if
   * it is the caller's memory.
   */
  position(isReferenced: boolean): number {
    return isReferenced ? this.queued : this.queued - this.options.highWaterMark + 1;
  }

  /** The fewest bytes of a message that is compressed. */
  get threshold(): number {
    return this.options.deflate?.threshold ?? defaultDeflate.threshold;
  }

  /**
   * Some messages do not get smaller. With takeover they are sent compressed all the same, since later ones may refer
   * to them.
   */
  isWorthIt(deflated: number, size: number): boolean {
    return deflated < size || this.deflater!.takeover;
  }

  /** How many bytes of deflated messages were framed, before and after deflating. */
  get inflatedPayload(): number {
    return this.deflater?.inflatedPayload ?? 0;
  }

  get deflatedPayload(): number {
    return this.deflater?.deflatedPayload ?? 0;
  }

  /** Counts a payload of `before` bytes that was deflated to `after`. */
  countDeflated(before: number, after: number): void {
    const deflater = this.deflater!;
    deflater.inflatedPayload += before;
    deflater.deflatedPayload += after;
  }

  /** Queues a frame with the deflater's output, whose memory is reused for the next message. */
  deflatedBytes(first: number, payload: Uint8Array): void {
    this.bytes(first, payload.length > copiedUpTo ? new Uint8Array(payload) : payload);
  }

  #deflateText(deflater: Deflater, code: DataOpcode, text: string): number | undefined {
    const length = utf8Length(text);
    if (length >= this.threshold) {
      if (length > scratchSize) return undefined;
      const bytes = (scratch ??= new Uint8Array(scratchSize));
      writeUtf8(bytes, text, 0, length);
      this.cost += cost.deflation + costOf(length, cost.deflated);
      const payload = deflater.deflate(bytes.subarray(0, length));
      if (this.isWorthIt(payload.length, length)) return this.#sendDeflated(code, payload, length);
    }
    this.text(finalBit | code, text);
    return this.framed(length, false);
  }

  #deflateBytes(code: DataOpcode, data: Uint8Array): number | undefined {
    const { length } = data;
    if (length > inlineUpTo) return undefined;
    this.cost += cost.deflation + costOf(length, cost.deflated);
    const payload = this.deflater!.deflate(data);
    if (this.isWorthIt(payload.length, length)) return this.#sendDeflated(code, payload, length);
    this.bytes(finalBit | code, data);
    return this.framed(length, length > copiedUpTo);
  }

  #sendDeflated(code: DataOpcode, payload: Uint8Array, length: number): number {
    this.countDeflated(length, payload.length);
    this.deflatedBytes(finalBit | deflatedBit | code, payload);
    return this.framed(length, false);
  }

  /** The bytes of a prepared frame never change, so the write may settle before they have left. */
  #sendPrepared(message: PreparedMessage, compress: boolean): number | undefined {
    const { length } = message.payload;
    const deflater = compress ? this.deflater : undefined;
    if (this.isMasked || length > this.options.fragmentSize) return undefined;
    if (deflater === undefined || !message.compress || length < this.threshold) this.frame(message.frame);
    else if (deflater.takeover || length > inlineUpTo) return undefined;
    else {
      const frame = message.deflatedFrame(deflater);
      const isSmaller = frame.length < message.frame.length;
      if (isSmaller) this.countDeflated(length, frame.length);
      this.frame(isSmaller ? frame : message.frame);
    }
    return this.framed(length, false);
  }
}
