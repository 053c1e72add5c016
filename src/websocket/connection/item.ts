import { byteLength, type Handler, type ServalError } from "../../core/index.ts";
import { copyOf, dropFront, encodeUtf8, invalidArgument } from "../../core/internal.ts";
import type { MessageData } from "../options/handlers.ts";
import { copiedUpTo } from "../protocol/frame-buffer.ts";
import { Fifo } from "./fifo.ts";
import type { DataOpcode } from "../protocol/outgoing.ts";
import { PreparedMessage, type WholeData } from "../protocol/prepared.ts";

// The items of a `SendQueue`: messages, parts of messages, and the close.

/** A message, or a part of one, that waits to be framed. */
export class Item {
  /** How many bytes wait to be framed. */
  size: number;
  /** How far writing must come before the writer completes. Known once the whole item is framed. */
  position: number | undefined;
  /** It waits in the queue: it was not framed, cut or withdrawn yet. */
  isQueued = true;
  /** Completes the write. */
  handler: Handler | undefined;
  /** Whether its bytes are in memory that never changes, so that they need no copy. */
  isOurs = false;
  /** It can be withdrawn until it leaves, so it is framed only when writing has reached `after`. */
  isPatient = false;
  after: number | undefined;

  constructor(size: number) {
    this.size = size;
  }
}

/** A message whose bytes are all in memory. */
export class WholeMessage extends Item {
  readonly code: DataOpcode;
  readonly prepared: PreparedMessage | undefined;
  pieces: readonly Uint8Array[];
  /** It has still to be compressed. */
  compress: boolean;
  isReferenced: boolean;
  isDeflating = false;
  isDeflated = false;
  /** How many bytes have been framed; and the piece, and the offset in it, where the rest begins. */
  framed = 0;
  piece = 0;
  offset = 0;

  constructor(code: DataOpcode, data: Exclude<WholeData, string>, compress: boolean) {
    const bytes = data instanceof PreparedMessage ? data.payload : data;
    super(byteLength(bytes));
    this.code = code;
    this.prepared = data instanceof PreparedMessage ? data : undefined;
    // The caller may change the list after the call, but not the content of large pieces.
    this.pieces = bytes instanceof Uint8Array ? [bytes] : bytes.slice();
    this.compress = compress && this.prepared?.compress !== false;
    // A prepared message has bytes of its own.
    this.isReferenced = this.size > copiedUpTo && this.prepared === undefined;
  }

  get hasBegun(): boolean {
    return this.framed > 0 || this.isDeflating || this.isDeflated;
  }

  /** Throws if the caller has detached or shrunk a buffer meanwhile. */
  checkUnchanged(): void {
    let size = -this.offset;
    for (let i = this.piece; i < this.pieces.length; i++) size += this.pieces[i]!.length;
    if (size !== this.size) throw changed();
  }

  /** Copies what is left, so that the caller may change its bytes. */
  keep(): void {
    this.pieces = [copyOf(dropFront(this.pieces, this.framed), this.size)];
    this.piece = this.offset = 0;
  }
}

/** A message that is given in parts. */
export class PartedMessage extends Item {
  /** Undefined until the first part says what the message is. */
  code: DataOpcode | undefined;
  readonly compress: boolean;
  readonly parts: Fifo<Part> = new Fifo();
  /** A part has been framed: the message has begun. */
  hasBegun = false;
  /** Its source ends by itself, as a Blob or a list does, so a close waits for the end. */
  isFinite = false;
  /** How many bytes its source will still give, if that is known. */
  announced = 0;
  /** Its source is still being read, so all of the message is not in the queue yet. */
  isBeingRead = false;
  /** Stops the source: no more of the message will be sent. */
  cancel: (() => void) | undefined;
  #isFirst = false;
  #start: (() => void) | undefined;
  #half = "";

  constructor(code: DataOpcode | undefined, compress: boolean) {
    super(0);
    this.code = code;
    this.compress = compress;
  }

  /** Runs `start` when the message is the first in the queue. Parts read before that would only take memory. */
  whenFirst(start: () => void): void {
    if (this.#isFirst) start();
    else this.#start = start;
  }

  /** The message is the first in the queue, and there is room. */
  isFirst(): void {
    this.#isFirst = true;
    this.#start?.();
    this.#start = undefined;
  }

  /** Encodes a part. Half a surrogate pair at its end is kept for the next part, unless this is the last one. */
  encode(part: MessageData, isLast: boolean): Uint8Array {
    const half = this.#half;
    if (half === "" && typeof part !== "string") return part;
    this.#half = "";
    if (typeof part !== "string") {
      const before = encodeUtf8(half);
      return copyOf([before, part], before.length + part.length);
    }
    const text = half + part;
    const last = text.charCodeAt(text.length - 1);
    if (isLast || !(last >= 0xd800 && last <= 0xdbff)) return encodeUtf8(text);
    this.#half = text.slice(-1);
    return encodeUtf8(text.slice(0, -1));
  }
}

/** A part of a message. */
export class Part extends Item {
  bytes: Uint8Array;
  readonly isLast: boolean;
  readonly isReferenced: boolean;

  constructor(bytes: Uint8Array, isLast: boolean) {
    super(bytes.length);
    this.bytes = bytes;
    this.isLast = isLast;
    this.isReferenced = this.size > copiedUpTo;
  }

  /** Copies the bytes, so that the caller may change them. */
  keep(): void {
    this.bytes = copyOf(this.bytes, this.bytes.length);
  }

  /** The next bytes to be framed. */
  take(count: number): Uint8Array {
    if (this.bytes.length !== this.size) throw changed();
    const bytes = this.bytes.subarray(0, count);
    this.bytes = this.bytes.subarray(count);
    this.size -= count;
    return bytes;
  }
}

/** Our close frame, in its place in the queue. */
export class Closing extends Item {
  readonly hasBegun = false;
  readonly code: number;
  readonly reason: string;

  constructor(code: number, reason: string) {
    super(0);
    this.code = code;
    this.reason = reason;
  }
}

/** What sending something came to: how far writing must come, an item that will know, or why it can't be sent. */
export type Queued = number | Item | ServalError;

/** An item, and before it the parts that it consists of. */
export function itemsOf(item: Item): Item[] {
  return item instanceof PartedMessage ? [...item.parts, item] : [item];
}

function changed(): Error {
  return invalidArgument("A buffer was detached or shrunk before it had been written");
}

/** The bytes of a message as one piece, which nobody changes. */
export function joined({ pieces, size, isReferenced }: WholeMessage): Uint8Array {
  return pieces.length === 1 && isReferenced ? pieces[0]! : copyOf(pieces, size);
}
