import type { Handler, ServalError } from "../../core/index.ts";
import { encodeUtf8, utf8Length, writeUtf8 } from "../../core/internal.ts";
import { inlineUpTo, type Deflater } from "../deflate/deflate.ts";
import { deflatedBit, finalBit, opcode } from "../frames/frame.ts";
import { Closing, itemsOf, joined, Part, PartedMessage, WholeMessage, type DataOpcode, type Item } from "./item.ts";
import { copiedUpTo, type Outgoing } from "../protocol/outgoing.ts";
import { deflatePrepared } from "./deflate-prepared.ts";
import { PreparedMessage, type WholeData } from "../protocol/prepared.ts";
import { tell } from "./tell.ts";

/** How messages are sent. */
export interface SenderOptions {
  /** The most payload that a frame has. */
  readonly fragmentSize: number;
  readonly highWaterMark: number;
  /** Messages of fewer bytes than its threshold are not compressed. */
  readonly deflate?: { readonly threshold: number } | undefined;
}

/** What a sender asks of its session. */
export interface SenderOwner {
  /** Calls back when writing has come as far as `position`. */
  waitWritten(position: number, handler: Handler): void;
  hasWritten(position: number): boolean;
  /** Something was framed that could not be before: it is to be written. */
  framed(): void;
  /** It will never be framed. */
  cut(item: Item): void;
  /** Nothing can be framed any more. */
  lost(error: ServalError): void;
}

/**
 * Control frames find their way between the frames of a long message: no more than this is framed ahead, or one frame; and
 * no more than the mark above which pongs are withheld.
 */
const framedAheadAtMost = 64 * 1024;

/** Texts are encoded here on their way into the deflater. */
const scratchSize = 16 * 1024;
let scratch: Uint8Array | undefined;

/**
 * Messages to frames: one after the other, in the order of the calls; compressed where that was agreed on; long ones in
 * fragments, of which only as many are framed as are about to leave.
 */
export class Sender {
  /** How many messages were sent, and bytes of them; of those that were deflated, bytes before and after. */
  messages = 0;
  payload = 0;
  inflatedPayload = 0;
  deflatedPayload = 0;
  /** How many bytes wait to be framed, and how many will: those of Blobs that are not read yet. */
  waiting = 0;
  announced = 0;

  readonly #outgoing: Outgoing;
  readonly #deflater: Deflater | undefined;
  readonly #options: SenderOptions;
  readonly #owner: SenderOwner;
  /** What can't be framed yet; the first may be in progress. */
  #queue: (WholeMessage | PartedMessage | Closing)[] | undefined;
  #isPumping = false;

  /** `deflater` compresses, where permessage-deflate was agreed on. */
  constructor(outgoing: Outgoing, deflater: Deflater | undefined, options: SenderOptions, owner: SenderOwner) {
    this.#outgoing = outgoing;
    this.#deflater = deflater;
    this.#options = options;
    this.#owner = owner;
  }

  get #threshold(): number {
    return this.#options.deflate?.threshold ?? 0;
  }

  /**
   * Sends a message. Returns how far writing must come before it counts as written, or an item that will know. With
   * `isPatient` it is not framed before it can leave, so that it can be withdrawn.
   */
  send(code: DataOpcode, data: WholeData, compress: boolean, isPatient = false): number | Item {
    const mustWait = this.#queue !== undefined || (isPatient && this.#outgoing.bufferedAmount > 0);
    if (!mustWait) {
      const position = this.#sendNow(code, data, compress);
      if (position !== undefined) return position;
    }
    const bytes = typeof data === "string" ? encodeUtf8(data) : data;
    const message = new WholeMessage(code, bytes, compress);
    message.isPatient = isPatient;
    // Text was encoded into memory of ours.
    const isOurs = typeof data === "string" || data instanceof PreparedMessage;
    if (isOurs) message.isReferenced = false;
    this.#enqueue(message);
    // Small payloads are copied at the call, whenever they leave.
    if (message.position === undefined && !message.isReferenced && !isOurs) message.keep();
    return this.#waitFor(message, message.isReferenced);
  }

  /** Begins a message that comes in parts. It holds its place among the others from now on. */
  begin(code: DataOpcode | undefined, compress: boolean, announced = 0): PartedMessage {
    const message = new PartedMessage(code, compress);
    this.announced += message.announced = announced;
    this.#enqueue(message);
    return message;
  }

  /** Adds a part to a message; returns what {@link send} does. */
  part(message: PartedMessage, bytes: Uint8Array, isLast: boolean): number | Item {
    const part = new Part(bytes, isLast);
    message.parts.push(part);
    this.waiting += part.size;
    this.#arrived(message, isLast ? Infinity : part.size);
    this.pump();
    if (part.position === undefined && !part.isReferenced) part.keep();
    return this.#waitFor(part, part.isReferenced);
  }

  /** It will not be sent, or no further. */
  #cancel(message: PartedMessage): void {
    this.#arrived(message, Infinity);
    message.cancel?.();
  }

  /** So much of what a message has announced is not to come any more. */
  #arrived(message: PartedMessage, size: number): void {
    const count = Math.min(message.announced, size);
    message.announced -= count;
    this.announced -= count;
  }

  /** Calls back when everything queued so far is framed; of a message in parts what is there, but not what may still come. */
  close(callback: () => void): void {
    this.#enqueue(new Closing(callback));
  }

  /** Takes back what has not begun to be sent; false if it has. What follows it may be framed now. */
  withdraw(item: Item): boolean {
    const queue = this.#queue ?? [];
    const at = queue.findIndex((one) => one === item && !one.hasBegun);
    if (at < 0) return false;
    queue.splice(at, 1);
    if (queue.length === 0) this.#queue = undefined;
    for (const { size } of itemsOf(item)) this.waiting -= size;
    if (item instanceof PartedMessage) this.#cancel(item);
    return true;
  }

  /** Frames what there is room for; of what waits to leave, so many bytes take no room from it. */
  pump(besides = 0): void {
    if (this.#queue === undefined || this.#isPumping) return;
    this.#isPumping = true;
    try {
      this.#frame(besides);
    } catch (misuse) {
      // A frame may lack its payload: there is no way on.
      this.#owner.lost(misuse as ServalError);
    }
    this.#isPumping = false;
  }

  #frame(besides: number): void {
    while (
      this.#queue !== undefined &&
      this.#outgoing.bufferedAmount - besides < Math.min(framedAheadAtMost, this.#options.highWaterMark)
    ) {
      const item = this.#queue[0]!;
      if (item.isPatient && !item.hasBegun) {
        // Control frames that come later do not keep it waiting.
        item.after ??= this.#outgoing.queued;
        if (this.#outgoing.written < item.after) break;
      }
      if (!this.#step(item)) break;
      if (item.position === undefined) continue;
      this.#queue.shift();
      if (this.#queue.length === 0) this.#queue = undefined;
      this.#settle(item);
      if (item instanceof Closing) item.close();
    }
  }

  /** Nothing is sent any more: waiters for items that are not framed get the error. */
  end(error: () => ServalError): void {
    const queue = this.#queue ?? [];
    this.#queue = undefined;
    this.waiting = this.announced = 0;
    this.#deflater?.close();
    for (const item of queue) {
      if (item instanceof PartedMessage) item.cancel?.();
      for (const { handler } of itemsOf(item)) if (handler !== undefined) tell(handler, error(), undefined);
    }
  }

  #enqueue(item: WholeMessage | PartedMessage | Closing): void {
    (this.#queue ??= []).push(item);
    this.waiting += item.size;
    this.pump();
  }

  /** What the sender of an item waits for: its framing, unless it needs none of the sender's memory and there is room. */
  #waitFor(item: Item, isReferenced: boolean): number | Item {
    if (item.position !== undefined) return item.position;
    const hasRoom = this.#outgoing.bufferedAmount + this.waiting + this.announced < this.#options.highWaterMark;
    return hasRoom && !isReferenced ? this.#outgoing.written : item;
  }

  /** Frames a message at once, if it is of the common kind: not long, and not to be compressed elsewhere. */
  #sendNow(code: DataOpcode, data: WholeData, compress: boolean): number | undefined {
    const deflater = compress ? this.#deflater : undefined;
    if (typeof data === "string") {
      // At most three bytes for each code unit.
      if (data.length * 3 > this.#options.fragmentSize && utf8Length(data) > this.#options.fragmentSize)
        return undefined;
      if (deflater !== undefined) return this.#deflateText(deflater, code, data);
      return this.#sent(this.#outgoing.text(finalBit | code, data), false);
    }
    if (data instanceof PreparedMessage) return this.#sendPrepared(data, deflater);
    if (!(data instanceof Uint8Array)) return undefined;
    const { length } = data;
    if (length > this.#options.fragmentSize) return undefined;
    if (deflater !== undefined && length >= this.#threshold) {
      if (length > inlineUpTo) return undefined;
      if (this.#frameDeflated(code, deflater.deflate(data), length)) return this.#sent(length, false);
    }
    this.#outgoing.bytes(finalBit | code, data);
    return this.#sent(length, length > copiedUpTo);
  }

  #deflateText(deflater: Deflater, code: DataOpcode, text: string): number | undefined {
    const length = utf8Length(text);
    if (length >= this.#threshold) {
      if (length > scratchSize) return undefined;
      const bytes = (scratch ??= new Uint8Array(scratchSize));
      writeUtf8(bytes, text, 0, length);
      const payload = deflater.deflate(bytes.subarray(0, length));
      if (this.#frameDeflated(code, payload, length)) return this.#sent(length, false);
    }
    this.#outgoing.text(finalBit | code, text);
    return this.#sent(length, false);
  }

  #sendPrepared(message: PreparedMessage, deflater: Deflater | undefined): number | undefined {
    const { length } = message.payload;
    if (this.#outgoing.isMasked || length > this.#options.fragmentSize) return undefined;
    if (deflater === undefined || !message.compress || length < this.#threshold) this.#outgoing.frame(message.frame);
    else if (deflater.takeover || length > inlineUpTo) return undefined;
    else {
      const frame = message.deflatedFrame(deflater);
      const isSmaller = frame.length < message.frame.length;
      if (isSmaller) this.#countDeflated(length, frame.length);
      this.#outgoing.frame(isSmaller ? frame : message.frame);
    }
    // Its bytes never change.
    return this.#sent(length, false);
  }

  /** Frames a message of `length` bytes that was deflated; false if it is better sent as it is. */
  #frameDeflated(code: DataOpcode, payload: Uint8Array, length: number): boolean {
    if (!this.#isWorthIt(payload, length)) return false;
    this.#countDeflated(length, payload.length);
    // The deflater's memory is another message's soon.
    this.#outgoing.bytes(
      finalBit | deflatedBit | code,
      payload.length > copiedUpTo ? new Uint8Array(payload) : payload,
    );
    return true;
  }

  /** Some messages get no smaller. With takeover the peer must have them all the same: later ones may refer to them. */
  #isWorthIt(payload: Uint8Array, length: number): boolean {
    return payload.length < length || this.#deflater!.takeover;
  }

  #countDeflated(before: number, after: number): void {
    this.inflatedPayload += before;
    this.deflatedPayload += after;
  }

  /** A message has been framed; returns how far writing must come before it counts as written. */
  #sent(length: number, isReferenced: boolean): number {
    this.messages++;
    this.payload += length;
    return this.#position(isReferenced);
  }

  /** A referenced payload is the caller's again once the write has settled, so it must have left. */
  #position(isReferenced: boolean): number {
    const { queued } = this.#outgoing;
    return isReferenced ? queued : queued - this.#options.highWaterMark + 1;
  }

  /** Frames something of an item; false if it has to wait for something. Sets `position` when the item is framed. */
  #step(item: WholeMessage | PartedMessage | Closing): boolean {
    if (item instanceof WholeMessage) return this.#stepWhole(item);
    if (item instanceof PartedMessage) return this.#stepParted(item);
    item.position = this.#outgoing.queued;
    return true;
  }

  #stepWhole(message: WholeMessage): boolean {
    if (message.isDeflating) return false;
    message.checkUnchanged();
    const deflater = this.#deflater;
    if (message.compress && deflater !== undefined && message.size >= this.#threshold) {
      if (message.size > inlineUpTo) {
        this.#deflateLater(message, deflater);
        return false;
      }
      // A copy: the deflater's memory is another message's soon.
      this.#deflated(message, new Uint8Array(deflater.deflate(joined(message))));
    }
    let left = Math.min(message.size, this.#options.fragmentSize);
    const isLast = left === message.size;
    const code = message.framed === 0 ? message.code : opcode.continuation;
    const deflated = message.isDeflated && message.framed === 0 ? deflatedBit : 0;
    this.#outgoing.header((isLast ? finalBit : 0) | deflated | code, left);
    message.framed += left;
    message.size -= left;
    this.waiting -= left;
    while (left > 0) {
      const piece = message.pieces[message.piece]!;
      const count = Math.min(left, piece.length - message.offset);
      const isAll = count === piece.length;
      this.#outgoing.payload(isAll ? piece : piece.subarray(message.offset, message.offset + count));
      message.offset += count;
      left -= count;
      if (message.offset === piece.length) {
        message.piece++;
        message.offset = 0;
      }
    }
    if (isLast) message.position = this.#sent(message.isDeflated ? 0 : message.framed, message.isReferenced);
    return true;
  }

  /** Long messages are compressed elsewhere; nothing overtakes them but control frames. */
  #deflateLater(message: WholeMessage, deflater: Deflater): void {
    message.isDeflating = true;
    const { prepared } = message;
    const deflated = (payload: Uint8Array): void => {
      // It may have ended meanwhile.
      if (this.#queue?.[0] !== message) return;
      message.isDeflating = false;
      try {
        // What another thread has read is what it was only if it still is.
        message.checkUnchanged();
      } catch (misuse) {
        this.#owner.lost(misuse as ServalError);
        return;
      }
      this.#deflated(message, payload);
      this.pump();
      this.#owner.framed();
    };
    if (prepared !== undefined && !deflater.takeover) deflatePrepared(prepared, deflater, deflated);
    else deflater.deflateLater(joined(message), deflated);
  }

  /** From here on it is the deflated payload that is sent, which is ours; if that is smaller. */
  #deflated(message: WholeMessage, payload: Uint8Array): void {
    const { size } = message;
    message.compress = false;
    if (!this.#isWorthIt(payload, size)) return;
    message.isDeflated = true;
    message.isReferenced = false;
    message.pieces = [payload];
    message.size = payload.length;
    this.waiting += payload.length - size;
    this.payload += size;
    this.#countDeflated(size, payload.length);
  }

  #stepParted(message: PartedMessage): boolean {
    const part = message.parts[0];
    if (part === undefined) {
      message.isFirst();
      // Nothing may be coming any more: the item after it says so.
      if (message.isFinite || !(this.#queue!.at(-1) instanceof Closing)) return false;
      this.#cut(message);
      return true;
    }
    const deflater = message.compress ? this.#deflater : undefined;
    const count = Math.min(part.size, this.#options.fragmentSize, deflater === undefined ? Infinity : inlineUpTo);
    const isAll = count === part.size;
    const isLast = isAll && part.isLast;
    const code = message.hasBegun ? opcode.continuation : message.code!;
    const deflated = deflater === undefined || message.hasBegun ? 0 : deflatedBit;
    const bytes = part.take(count);
    const first = (isLast ? finalBit : 0) | deflated | code;
    if (deflater === undefined) this.#outgoing.bytes(first, bytes);
    else {
      const payload = deflater.deflateSome(bytes, isLast);
      this.#countDeflated(count, payload.length);
      this.#outgoing.bytes(first, payload.length > copiedUpTo ? new Uint8Array(payload) : payload);
    }
    message.hasBegun = true;
    this.waiting -= count;
    this.payload += count;
    if (isAll) {
      message.parts.shift();
      part.position = this.#position(deflater === undefined && part.isReferenced);
      this.#settle(part);
    }
    if (isLast) {
      this.messages++;
      message.position = part.position;
    }
    return true;
  }

  /**
   * A message in parts will not be finished before the close: it can't be sent and, if it has begun, neither can what waits
   * after it.
   */
  #cut(message: PartedMessage): void {
    const queue = this.#queue!;
    const cut = queue.splice(0, message.hasBegun ? queue.length - 1 : 1);
    for (const item of cut) {
      if (item instanceof PartedMessage) this.#cancel(item);
      for (const each of itemsOf(item)) {
        this.waiting -= each.size;
        this.#owner.cut(each);
      }
    }
  }

  /** An item is framed: its waiter waits for the writing now. */
  #settle(item: Item): void {
    const { handler, position } = item;
    if (handler === undefined) return;
    if (!this.#owner.hasWritten(position!)) this.#owner.waitWritten(position!, handler);
    else queueMicrotask(() => tell(handler, undefined, undefined));
  }
}
