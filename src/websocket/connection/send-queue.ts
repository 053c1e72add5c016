import type { Handler } from "../../core/index.ts";
import { cost, costOf, encodeUtf8 } from "../../core/internal.ts";
import { inlineUpTo } from "../deflate/deflate.ts";
import { deflatedBit, finalBit, opcode } from "../frames/frame.ts";
import type { DataOpcode, Outgoing } from "../protocol/outgoing.ts";
import { PreparedMessage, type WholeData } from "../protocol/prepared.ts";
import { Fifo } from "./fifo.ts";
import { Closing, itemsOf, joined, Part, PartedMessage, WholeMessage, type Item } from "./item.ts";

/**
 * At most this many bytes, or one frame, are framed ahead of the write, so that control frames get between the frames of a
 * long message; and no more than `highWaterMark`, above which pongs are withheld.
 */
const framedAheadAtMost = 64 * 1024;

/** What the caller of {@link SendQueue.next} has to do before it calls again. */
export type Step =
  /** Compress the message on another thread, and pass the result to {@link SendQueue.deflated}. */
  | { readonly do: "deflate"; readonly message: WholeMessage }
  /** Send our close frame. */
  | { readonly do: "close"; readonly closing: Closing }
  /** Fail the handlers of these items, which will not be sent, and stop the sources of the parted ones. */
  | { readonly do: "cut"; readonly items: readonly Item[] };

/** What a waiting message or part takes besides its bytes, in bytes: its objects, as a heap snapshot shows them. */
const itemOverhead = 512;

/** A handler that waits until writing has reached `position`. */
export interface Waiter {
  readonly position: number;
  readonly handler: Handler;
}

/**
 * The messages that can't be framed at once, in the order of the calls: messages in parts, long ones, those compressed on
 * another thread, and every message after one of these. And the handlers that wait for bytes to be written. The queue
 * frames into `outgoing` and calls no handler: {@link next} and {@link written} return what the caller has to do.
 */
export class SendQueue {
  /** How many bytes wait to be framed, and how many more will come from Blobs that are being read. */
  waiting = 0;
  announced = 0;

  readonly #outgoing: Outgoing;
  /** In the order of the calls. The first may be in progress. */
  readonly #items: Fifo<WholeMessage | PartedMessage | Closing> = new Fifo();
  /** How many messages and parts there are. */
  #count = 0;
  /** In the order of their calls. */
  readonly #waiters: Fifo<Waiter> = new Fifo();

  constructor(outgoing: Outgoing) {
    this.#outgoing = outgoing;
  }

  /** Whether nothing waits to be framed. */
  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** How many bytes wait, or will. */
  get size(): number {
    return this.waiting + this.announced;
  }

  /** The same, with the objects of what waits: a message without a payload is not free. */
  get sizeInMemory(): number {
    return this.size + this.#count * itemOverhead;
  }

  // ---- input ----

  /** Adds a message. With `isPatient` it is not framed before it can leave, so that it can be withdrawn. */
  add(code: DataOpcode, data: WholeData, compress: boolean, isPatient: boolean): WholeMessage {
    const message = new WholeMessage(code, typeof data === "string" ? encodeUtf8(data) : data, compress);
    message.isPatient = isPatient;
    message.isOurs = typeof data === "string" || data instanceof PreparedMessage;
    if (message.isOurs) message.isReferenced = false;
    this.#push(message);
    return message;
  }

  /** Adds a message in parts, which takes its place in the queue now. `announced` is how many bytes will come, if known. */
  begin(code: DataOpcode | undefined, compress: boolean, announced = 0): PartedMessage {
    const message = new PartedMessage(code, compress);
    this.announced += message.announced = announced;
    this.#push(message);
    return message;
  }

  /** Adds a part to a message. */
  part(message: PartedMessage, bytes: Uint8Array, isLast: boolean): Part {
    const part = new Part(bytes, isLast);
    message.parts.push(part);
    if (isLast) message.isBeingRead = false;
    this.#count++;
    this.waiting += part.size;
    this.#arrived(message, isLast ? Infinity : part.size);
    return part;
  }

  /** Adds our close frame. A message in parts before it is cut after the parts that are there, unless its source is finite. */
  close(code: number, reason: string): void {
    this.#push(new Closing(code, reason));
  }

  /**
   * What the writer of an item waits for: a position that writing must reach, or the item itself if it is not framed
   * and its memory is needed or there is no room. Copies small payloads of the caller's. Call it after {@link next}.
   */
  awaited(item: WholeMessage | Part): number | Item {
    if (item.position !== undefined) return item.position;
    if (!item.isReferenced && !item.isOurs) item.keep();
    const { bufferedAmount, written, options } = this.#outgoing;
    const hasRoom = bufferedAmount + this.size < options.highWaterMark;
    return hasRoom && !item.isReferenced ? written : item;
  }

  /** Removes an item. Returns false if its framing has begun. The items after it may be framed now. */
  withdraw(item: Item): boolean {
    if (!item.isQueued || item instanceof Part || (item as WholeMessage | PartedMessage).hasBegun) return false;
    this.#forget(item);
    if (item instanceof WholeMessage) item.pieces = [];
    // It keeps its place until that comes to the front, or most places are such: to look for one takes too long.
    if (this.#items.length > 2 * this.#count + 64) {
      for (const one of this.#items.takeAllBut(0)) if (one.isQueued) this.#items.push(one);
    }
    return true;
  }

  /** Removes and returns all items, parts before their messages. */
  cutAll(): Item[] {
    const items = this.#items.takeAllBut(0).filter((item) => item.isQueued);
    for (const item of items) this.#forget(item);
    this.waiting = this.announced = 0;
    return items.flatMap(itemsOf);
  }

  // ---- output ----

  /**
   * Frames items while there is room. Returns the next step for the caller, or undefined if there is none now.
   * `besides` of the bytes that wait to be written do not count. Throws if the caller's buffer has been detached or
   * shrunk: then a frame may lack its payload, and nothing can follow.
   */
  next(besides: number): Step | undefined {
    const outgoing = this.#outgoing;
    const limit = Math.min(framedAheadAtMost, outgoing.options.highWaterMark) + besides;
    for (let item = this.#items.first; item !== undefined; item = this.#items.first) {
      if (!item.isQueued) {
        this.#items.shift();
        continue;
      }
      if (outgoing.bufferedAmount >= limit) break;
      if (item.isPatient && !item.hasBegun) {
        // Control frames that are queued later must not delay it.
        item.after ??= outgoing.queued;
        if (outgoing.written < item.after) break;
      }
      const step = item instanceof WholeMessage ? this.#stepWhole(item) : this.#stepOther(item);
      if (step === "wait") break;
      if (step !== undefined) return step;
    }
    return undefined;
  }

  /** Takes the result of the step "deflate": sends this payload in place of the message, if it is smaller. */
  deflated(message: WholeMessage, payload: Uint8Array): void {
    message.isDeflating = false;
    // If the caller has detached a buffer meanwhile, the other thread may have read nothing of it.
    message.checkUnchanged();
    this.#useDeflated(message, payload);
  }

  /** Whether the message is the first item; if it was cut, it is not. */
  isFirst(message: Item): boolean {
    return this.#items.first === message && message.isQueued;
  }

  /** Keeps a handler until writing has reached `position`. Handlers complete in the order of these calls. */
  wait(position: number, handler: Handler): void {
    this.#waiters.push({ position, handler });
  }

  /** Removes and returns the handlers whose position has been reached. */
  written(): readonly Waiter[] {
    const { written } = this.#outgoing;
    let done: Waiter[] | undefined;
    for (let one = this.#waiters.first; one !== undefined && one.position <= written; one = this.#waiters.first) {
      (done ??= []).push(one);
      this.#waiters.shift();
    }
    return done ?? none;
  }

  /** Removes and returns all handlers that wait. */
  takeWaiters(): readonly Waiter[] {
    return this.#waiters.takeAllBut(0);
  }

  // ---- framing ----

  #push(item: WholeMessage | PartedMessage | Closing): void {
    this.#items.push(item);
    this.#count++;
    this.waiting += item.size;
  }

  #stepWhole(message: WholeMessage): Step | "wait" | undefined {
    if (message.isDeflating) return "wait";
    message.checkUnchanged();
    const outgoing = this.#outgoing;
    const { deflater } = outgoing;
    if (message.compress && deflater !== undefined && message.size >= outgoing.threshold) {
      if (message.size > inlineUpTo) {
        message.isDeflating = true;
        return { do: "deflate", message };
      }
      outgoing.cost += cost.deflation + costOf(message.size, cost.deflated);
      // Copied, since the deflater uses its memory again for the next message.
      this.#useDeflated(message, new Uint8Array(deflater.deflate(joined(message))));
    }
    if (!this.#frameOf(message)) return undefined;
    message.position = outgoing.framed(message.isDeflated ? 0 : message.framed, message.isReferenced);
    this.#shift(message);
    this.#settled(message);
    return undefined;
  }

  /** Frames a message, or the next fragment of it; returns whether that was the last. */
  #frameOf(message: WholeMessage): boolean {
    const outgoing = this.#outgoing;
    let left = Math.min(message.size, outgoing.options.fragmentSize);
    const isLast = left === message.size;
    const code = message.framed === 0 ? message.code : opcode.continuation;
    const deflated = message.isDeflated && message.framed === 0 ? deflatedBit : 0;
    outgoing.header((isLast ? finalBit : 0) | deflated | code, left);
    message.framed += left;
    message.size -= left;
    this.waiting -= left;
    while (left > 0) {
      const piece = message.pieces[message.piece]!;
      const count = Math.min(left, piece.length - message.offset);
      const isAll = count === piece.length;
      outgoing.payload(isAll ? piece : piece.subarray(message.offset, message.offset + count));
      message.offset += count;
      left -= count;
      if (message.offset === piece.length) {
        message.piece++;
        message.offset = 0;
      }
    }
    return isLast;
  }

  #useDeflated(message: WholeMessage, payload: Uint8Array): void {
    const { size } = message;
    message.compress = false;
    if (!this.#outgoing.isWorthIt(payload.length, size)) return;
    message.isDeflated = true;
    message.isReferenced = false;
    message.pieces = [payload];
    message.size = payload.length;
    this.waiting += payload.length - size;
    this.#outgoing.payloadSize += size;
    this.#outgoing.countDeflated(size, payload.length);
  }

  #stepOther(item: PartedMessage | Closing): Step | "wait" | undefined {
    if (item instanceof Closing) {
      this.#shift(item);
      return { do: "close", closing: item };
    }
    const part = item.parts.first;
    if (part !== undefined) {
      this.#framePart(item, part);
      return undefined;
    }
    item.isFirst();
    // A close after it means that no more parts will come, unless its source ends by itself.
    if (item.isFinite || !(this.#items.last instanceof Closing)) return "wait";
    return this.#cut(item);
  }

  #framePart(message: PartedMessage, part: Part): void {
    const outgoing = this.#outgoing;
    const deflater = message.compress ? outgoing.deflater : undefined;
    const count = Math.min(part.size, outgoing.options.fragmentSize, deflater === undefined ? Infinity : inlineUpTo);
    const isAll = count === part.size;
    const isLast = isAll && part.isLast;
    const code = message.hasBegun ? opcode.continuation : message.code!;
    const deflated = deflater === undefined || message.hasBegun ? 0 : deflatedBit;
    const bytes = part.take(count);
    const first = (isLast ? finalBit : 0) | deflated | code;
    if (deflater === undefined) outgoing.bytes(first, bytes);
    else {
      outgoing.cost += cost.deflation + costOf(count, cost.deflated);
      const payload = deflater.deflateSome(bytes, isLast);
      outgoing.countDeflated(count, payload.length);
      outgoing.deflatedBytes(first, payload);
    }
    message.hasBegun = true;
    this.waiting -= count;
    outgoing.payloadSize += count;
    if (!isAll) return;
    part.position = outgoing.position(deflater === undefined && part.isReferenced);
    message.parts.shift();
    this.#count--;
    this.#settled(part);
    if (!isLast) return;
    outgoing.messages++;
    message.position = part.position;
    this.#shift(message);
    this.#settled(message);
  }

  /**
   * Cuts a message in parts that will not be finished before the close. If its framing has begun, nothing after it can be
   * sent either.
   */
  #cut(message: PartedMessage): Step {
    // The close is the last item.
    const all = message.hasBegun ? this.#items.takeAllBut(1) : [message];
    const cut = all.filter((item) => item.isQueued);
    for (const item of cut) this.#forget(item);
    return { do: "cut", items: cut.flatMap(itemsOf) };
  }

  /** The item at the front is done. */
  #shift(item: Item): void {
    item.isQueued = false;
    this.#items.shift();
    this.#count--;
  }

  /** Takes an item out of the queue's counts. */
  #forget(item: Item): void {
    item.isQueued = false;
    for (const { size } of itemsOf(item)) {
      this.waiting -= size;
      this.#count--;
    }
    if (item instanceof PartedMessage) this.#arrived(item, Infinity);
  }

  /** Subtracts up to `size` bytes from what a message has announced. */
  #arrived(message: PartedMessage, size: number): void {
    const count = Math.min(message.announced, size);
    message.announced -= count;
    this.announced -= count;
  }

  /** The item is framed, so its handler waits for the write now. */
  #settled({ handler, position }: Item): void {
    if (handler !== undefined) this.wait(position!, handler);
  }
}

const none: readonly Waiter[] = [];
