import { byteLength, type Handler } from "../../core/index.ts";
import { copyOf, dropFront, encodeUtf8, invalidArgument } from "../../core/internal.ts";
import type { MessageData } from "../options/handlers.ts";
import { copiedUpTo } from "../protocol/frame-buffer.ts";
import type { DataOpcode } from "../protocol/outgoing.ts";
import { PreparedMessage, type WholeData } from "../protocol/prepared.ts";

// The items of a `SendQueue`: messages, parts of messages, and the close.

/** A message, or part of one, on its way to being frames. */
export class Item {
  /** How many bytes wait to be framed. */
  size: number;
  /** How far writing must come before the sender is told; known once all of it is framed. */
  position: number | undefined;
  /** Called then. */
  handler: Handler | undefined;
  /** Its bytes are memory that nobody changes, so they need no copy. */
  isOurs = false;
  /** It is not framed before it can leave, so that it can be withdrawn: when writing has come as far as `after`. */
  isPatient = false;
  after: number | undefined;

  constructor(size: number) {
    this.size = size;
  }
}

/** A message that is there, to be sent whole. */
export class WholeMessage extends Item {
  readonly code: DataOpcode;
  readonly prepared: PreparedMessage | undefined;
  pieces: readonly Uint8Array[];
  /** It is to be compressed yet. */
  compress: boolean;
  isReferenced: boolean;
  isDeflating = false;
  isDeflated = false;
  /** How much has been framed: of it all, and where that is. */
  framed = 0;
  piece = 0;
  offset = 0;

  constructor(code: DataOpcode, data: Exclude<WholeData, string>, compress: boolean) {
    const bytes = data instanceof PreparedMessage ? data.payload : data;
    super(byteLength(bytes));
    this.code = code;
    this.prepared = data instanceof PreparedMessage ? data : undefined;
    // The list is the caller's to change; what large pieces hold is not, until they have left.
    this.pieces = bytes instanceof Uint8Array ? [bytes] : bytes.slice();
    this.compress = compress && this.prepared?.compress !== false;
    // What was prepared is nobody's to change.
    this.isReferenced = this.size > copiedUpTo && this.prepared === undefined;
  }

  get hasBegun(): boolean {
    return this.framed > 0 || this.isDeflating || this.isDeflated;
  }

  /** Throws if the bytes are not there any more: they are the caller's, who may have detached or shrunk them. */
  checkUnchanged(): void {
    let size = -this.offset;
    for (let i = this.piece; i < this.pieces.length; i++) size += this.pieces[i]!.length;
    if (size !== this.size) throw changed();
  }

  /** The caller's bytes are the caller's again. */
  keep(): void {
    this.pieces = [copyOf(dropFront(this.pieces, this.framed), this.size)];
    this.piece = this.offset = 0;
  }
}

/** A message whose parts come one by one. */
export class PartedMessage extends Item {
  /** Known with the first part. */
  code: DataOpcode | undefined;
  readonly compress: boolean;
  readonly parts: Part[] = [];
  /** A part has been framed: the message has begun. */
  hasBegun = false;
  /** Its source comes to an end without the application, as a Blob and a list do: a close waits for that. */
  isFinite = false;
  /** How many bytes its source will give yet, as far as that is known. */
  announced = 0;
  /** Told when the message will not be sent, or no further. */
  cancel: (() => void) | undefined;
  #isFirst = false;
  #start: (() => void) | undefined;
  #half = "";

  constructor(code: DataOpcode | undefined, compress: boolean) {
    super(0);
    this.code = code;
    this.compress = compress;
  }

  /** Runs `start` once the message is the first that waits: the parts of others would only take memory. */
  whenFirst(start: () => void): void {
    if (this.#isFirst) start();
    else this.#start = start;
  }

  /** It is the first, and there is room. */
  isFirst(): void {
    this.#isFirst = true;
    this.#start?.();
    this.#start = undefined;
  }

  /** A part as bytes. The first half of a character at its end waits for the second, unless it is the last part. */
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

  /** The caller's bytes are the caller's again. */
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

/** An item, and before it the parts that it consists of. */
export function itemsOf(item: Item): Item[] {
  return item instanceof PartedMessage ? [...item.parts, item] : [item];
}

function changed(): Error {
  return invalidArgument("A buffer was detached or shrunk before it had been written");
}

/** A message's bytes in one piece, which will not change. */
export function joined({ pieces, size, isReferenced }: WholeMessage): Uint8Array {
  return pieces.length === 1 && isReferenced ? pieces[0]! : copyOf(pieces, size);
}
