import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Protocol, ProtocolSendOptions } from "../websocket/index.ts";
import { checkReason } from "./close-reason.ts";
import { beginRead, endRead, flushLater, isFirstInTurn, watchExit, type Gathering } from "./gathering.ts";
import { isShort, keepFrame, loneFrame } from "./lone-frame.ts";
import { bytesOf, bytesOfBlob, isBlob } from "./payload.ts";
import { SendQueue } from "./send-queue.ts";

/** Called when what was sent has been written, or with the error why not. */
export type Callback = (error?: Error | null) => void;

/** How `send` sends. */
export interface SendOptions {
  /** Whether as binary or as text. Default: a string as text, all else as binary. */
  binary?: boolean | undefined;
  /** Whether it is compressed, if that was negotiated. Default true. */
  compress?: boolean | undefined;
  /** Whether the message ends with it. Default true. */
  fin?: boolean | undefined;
  /** Whether it is masked. Default: a client's frames are. */
  mask?: boolean | undefined;
}

/** How a connection compresses its messages. */
export interface Compression {
  /** Whether a message may refer to earlier ones. */
  readonly takeover: boolean;
  /** Without takeover, a message in fragments is compressed if the first has so many bytes. */
  readonly threshold: number;
}

/** What output tells its connection. */
export interface OutputOwner {
  /** A Blob could not be read. */
  outputFailed(error: Error): void;
  /** More bytes wait than {@link Output.limit} allows. */
  outputOverflowed(): void;
}

/** Output that gathers is written when it comes to this many bytes. */
const gatheredAtMost = 64 * 1024;
/** `Protocol` borrows larger payloads until they were written, and their owner may change them when the kernel has them. */
const copiedUpTo = 16 * 1024;

const nothing = Buffer.alloc(0);
const asText: ProtocolSendOptions = { kind: "text" };
const asBinary: ProtocolSendOptions = { kind: "binary" };
const asPlainText: ProtocolSendOptions = { kind: "text", compress: false };
const asPlainBinary: ProtocolSendOptions = { kind: "binary", compress: false };
const opcodes = { text: 1, binary: 2, ping: 9, pong: 10 } as const;

/**
 * What a connection sends: messages and control frames to bytes, and these to the socket.
 *
 * All that is sent while a read is handled leaves in one write, at the end of it. Otherwise the first frame in a turn of
 * the event loop is written at once, and what follows it in this turn gathers until its end. While a write is in flight,
 * all gathers.
 */
export class Output implements Gathering {
  turn = -1;
  outer: Gathering | undefined;
  readonly #socket: Duplex;
  readonly #protocol: Protocol;
  readonly #compression: Compression | undefined;
  readonly #owner: OutputOwner;
  #queue: SendQueue | undefined;
  /** Of what is queued and not yet given to the socket. */
  #callbacks: Callback[] | undefined;
  #isReading = false;
  #isWaiting = false;
  /** Whether writes of this socket complete later, as a rule. */
  readonly #isSlow: boolean;
  /** Whether short messages are framed without the protocol, if nothing else leaves with them. */
  readonly #sendsAlone: boolean;
  /** Whether the other side of the socket may be in this process, and get the very memory that is written. */
  readonly #isInMemory: boolean;
  #most = Infinity;
  /** Whether a socket without bytes left after a write has no need of their memory any more. */
  readonly #isTakenAtOnce: boolean;
  /** What the socket calls when the write in flight has completed. */
  #flight: Callback | undefined;
  #onWritten: Callback | undefined;
  /** Of a message begun with `fin: false`: whether it is compressed. */
  #fragments: { readonly compress: boolean } | undefined;

  constructor(socket: Duplex, protocol: Protocol, compression: Compression | undefined, owner: OutputOwner) {
    this.#socket = socket;
    this.#protocol = protocol;
    this.#compression = compression;
    this.#owner = owner;
    this.#isInMemory = !(socket instanceof Socket);
    this.#isSlow = "encrypted" in socket;
    this.#isTakenAtOnce = !this.#isInMemory && !this.#isSlow;
    this.#sendsAlone = protocol.role === "server" && compression === undefined;
  }

  /** The most bytes that may wait after a message was sent. Default Infinity. */
  limit(most: number): void {
    this.#most = most;
  }

  /** How many bytes were not given to the kernel. */
  get bufferedAmount(): number {
    this.flush();
    return this.#unsent;
  }

  /** The same, with what gathers. */
  get #unsent(): number {
    const isBusy = this.#isWaiting || this.#flight !== undefined;
    const ours = isBusy ? this.#protocol.bufferedAmount : 0;
    const { writableLength } = this.#socket;
    return (
      (this.#queue?.bytes ?? 0) + (this.#flight === undefined ? ours + writableLength : Math.max(ours, writableLength))
    );
  }

  /** Sends a message, or a fragment of one. Throws for data that `Buffer.from` refuses. */
  send(data: unknown, options: SendOptions | undefined, callback: Callback | undefined): void {
    this.#send(data, options, callback);
    // Not flushed where it surely holds.
    if (this.#most === Infinity || this.#unsent <= this.#most) return;
    if (this.bufferedAmount > this.#most) this.#owner.outputOverflowed();
  }

  #send(data: unknown, options: SendOptions | undefined, callback: Callback | undefined): void {
    if (this.#sendsAlone && this.#sendAlone(data, options, callback)) return;
    if (typeof data === "string") {
      if (this.#queue?.isBusy === true) this.#enqueue(data, Buffer.byteLength(data), options, callback);
      else {
        this.#frame(data, options);
        this.#queued(callback, false);
      }
      return;
    }
    if (isBlob(data)) {
      this.#afterBlob(data, callback, (bytes) => this.#frame(bytes, options));
      return;
    }
    const bytes = bytesOf(data);
    if (this.#queue?.isBusy === true) this.#enqueue(bytes, bytes.length, options, callback);
    else {
      this.#frame(bytes, options);
      this.#queued(callback, bytes.length > copiedUpTo);
    }
  }

  /** Sends a ping or pong. */
  control(kind: "ping" | "pong", data: unknown, mask: boolean, callback: Callback | undefined): void {
    if (isBlob(data)) {
      if (data.size > 125) throw new RangeError("The data size must not be greater than 125 bytes");
      this.#afterBlob(data, callback, (bytes) => this.#control(kind, bytes, mask));
      return;
    }
    const bytes = typeof data === "string" ? Buffer.from(data) : bytesOf(data);
    if (bytes.length > 125) throw new RangeError("The data size must not be greater than 125 bytes");
    if (this.#queue?.isBusy === true) {
      this.#after(bytes.length, callback, () => this.#control(kind, bytes, mask));
      return;
    }
    this.#control(kind, bytes, mask);
    this.#queued(callback, false);
  }

  /** Sends our close frame, after all that was sent before. Throws for a code or a reason that can't be sent. */
  close(code: number | undefined, reason: string | Uint8Array | undefined, callback: Callback): void {
    const options = { code: code ?? 1005, reason: checkReason(code, reason) };
    if (this.#queue?.isBusy === true) this.#after(2, callback, () => this.#protocol.close(options));
    else {
      this.#protocol.close(options);
      this.#queued(callback, false);
    }
  }

  /** Sends bytes that were framed elsewhere. */
  frames(list: readonly (string | Uint8Array)[], callback: Callback | undefined): void {
    let size = 0;
    for (const piece of list) {
      const bytes = typeof piece === "string" ? Buffer.from(piece) : piece;
      this.#protocol.sendFramed(bytes);
      size += bytes.length;
    }
    this.#queued(callback, size > copiedUpTo);
  }

  /** A read begins: what it sends gathers until {@link endRead}. */
  beginRead(): void {
    this.#isReading = true;
    beginRead(this);
  }

  endRead(): void {
    endRead(this);
    this.#isReading = false;
    if (this.#isWaiting) this.flush();
  }

  /** Writes what was gathered, unless a write is in flight. */
  flush(): void {
    if (!this.#isWaiting || this.#flight !== undefined) return;
    this.#write(this.#protocol.bytesToSend());
  }

  /** The socket is closed: what was not written has failed. */
  end(): void {
    this.#failCallbacks();
  }

  #failCallbacks(): void {
    const callbacks = this.#callbacks;
    this.#callbacks = undefined;
    if (callbacks !== undefined) process.nextTick(callAll, callbacks, destroyedError());
  }

  #control(kind: "ping" | "pong", bytes: Uint8Array, mask: boolean): void {
    if (mask !== (this.#protocol.role === "client")) {
      this.#protocol.sendFrame({ opcode: opcodes[kind], mask }, bytes);
    } else if (kind === "ping") this.#protocol.ping(bytes);
    else this.#protocol.pong(bytes);
  }

  /** Writes a short message that is the first in its turn, unless something else is to leave before it. */
  #sendAlone(data: unknown, options: SendOptions | undefined, callback: Callback | undefined): boolean {
    if (typeof data !== "string" && !(data instanceof Uint8Array)) return false;
    if (this.#isReading || this.#isWaiting || this.#flight !== undefined || this.#queue?.isBusy === true) return false;
    if (this.#fragments !== undefined || !isShort(data)) return false;
    const socket = this.#socket;
    if (socket.writableLength > 0 || socket.writableEnded) return false;
    let isBinary = typeof data !== "string";
    if (options !== undefined) {
      if ("fin" in options || "mask" in options) return false;
      if ("binary" in options) isBinary = Boolean(options.binary);
    }
    if (!isFirstInTurn(this)) return false;
    const isTaken = this.#isTakenAtOnce && socket.write === Socket.prototype.write;
    const frame = loneFrame(data, isBinary);
    if (!isTaken) keepFrame();
    socket.write(frame, callback);
    if (isTaken && socket.writableLength > 0) keepFrame();
    return true;
  }

  #frame(data: string | Uint8Array, given: SendOptions | undefined): void {
    if (given === undefined && this.#fragments === undefined) {
      this.#protocol.send(data);
      return;
    }
    const { role } = this.#protocol;
    const options = given ?? {};
    // An option that is there and undefined is false, as in `ws`.
    const isBinary = "binary" in options ? Boolean(options.binary) : typeof data !== "string";
    const compress = this.#compression !== undefined && (!("compress" in options) || Boolean(options.compress));
    const isLast = !("fin" in options) || Boolean(options.fin);
    const isMasked = "mask" in options ? Boolean(options.mask) : role === "client";
    if (isMasked !== (role === "client")) {
      const opcode = this.#fragments !== undefined ? 0 : isBinary ? opcodes.binary : opcodes.text;
      this.#protocol.sendFrame({ opcode, fin: isLast, mask: isMasked }, data);
      this.#fragments = isLast ? undefined : (this.#fragments ?? { compress: false });
    } else if (!isLast || this.#fragments !== undefined) this.#fragment(data, isBinary, isLast, compress);
    else if (compress) this.#protocol.send(data, isBinary ? asBinary : asText);
    else this.#protocol.send(data, isBinary ? asPlainBinary : asPlainText);
  }

  #fragment(data: string | Uint8Array, isBinary: boolean, isLast: boolean, asked: boolean): void {
    const { takeover, threshold } = this.#compression ?? { takeover: false, threshold: 0 };
    const compress = this.#fragments?.compress ?? (asked && (takeover || Buffer.byteLength(data) >= threshold));
    this.#protocol.send(data, { kind: isBinary ? "binary" : "text", compress, fin: isLast });
    this.#fragments = isLast ? undefined : { compress };
  }

  #enqueue(data: string | Uint8Array, size: number, options: SendOptions | undefined, callback?: Callback): void {
    this.#after(size, callback, () => this.#frame(data, options));
  }

  /** Sends a Blob's bytes after what waits. */
  #afterBlob(blob: Blob, callback: Callback | undefined, send: (bytes: Uint8Array) => void): void {
    this.#after(
      blob.size,
      callback,
      (bytes) => send(bytes!),
      () => bytesOfBlob(blob),
    );
  }

  /** Sends after what waits. */
  #after(
    size: number,
    callback: Callback | undefined,
    send: (bytes: Uint8Array | undefined) => void,
    prepare?: () => Promise<Uint8Array>,
  ): void {
    (this.#queue ??= new SendQueue(
      () => this.#socket.destroyed,
      (error) => this.#owner.outputFailed(error),
    )).add({
      size,
      prepare,
      doing: "the blob was being read",
      send: (bytes) => {
        send(bytes);
        this.#queued(callback, true);
      },
      fail: (error) => callback?.(error),
    });
  }

  /** Something was queued; `isBorrowed` if it is memory that its owner may reuse when the kernel has it. */
  #queued(callback: Callback | undefined, isBorrowed: boolean): void {
    if (typeof callback === "function") (this.#callbacks ??= []).push(callback);
    const isFirst = !this.#isWaiting;
    this.#isWaiting = true;
    if (this.#flight !== undefined) return;
    if (isBorrowed) this.flush();
    else if (this.#isReading) {
      if (isFirst) watchExit();
      else if (this.#protocol.bufferedAmount > gatheredAtMost) this.flush();
    } else if (!isFirst) {
      if (this.#protocol.bufferedAmount > gatheredAtMost) this.flush();
    } else if (isFirstInTurn(this)) this.flush();
    else flushLater(this);
  }

  #write(list: readonly Uint8Array[]): void {
    this.#isWaiting = false;
    const socket = this.#socket;
    // Somebody else has ended it.
    if (socket.writableEnded) {
      this.#failCallbacks();
      return;
    }
    const callbacks = this.#callbacks;
    this.#callbacks = undefined;
    let done: Callback | undefined;
    if (callbacks !== undefined) done = (error) => this.#written(done!, error, callbacks);
    else if (this.#isSlow) done = this.#toldLater();
    const last = list.length - 1;
    if (last < 0) {
      if (callbacks !== undefined) process.nextTick(callAll, callbacks, undefined);
      return;
    }
    if (last === 0) socket.write(this.#given(list[0]!), done);
    else {
      socket.cork();
      for (let i = 0; i < last; i++) socket.write(this.#given(list[i]!));
      socket.write(this.#given(list[last]!), done);
      socket.uncork();
    }
    if (this.#isInMemory || (this.#isTakenAtOnce && socket.writableLength === 0)) {
      // It has a copy, or the kernel has all of it: the memory can be used again.
      this.#protocol.bytesToSend();
    } else {
      this.#flight = done ?? this.#toldLater();
      // The socket tells nobody when a write without a callback has completed, so another comes after it.
      if (done === undefined) socket.write(nothing, this.#flight);
    }
  }

  /** What to give the socket. */
  #given(bytes: Uint8Array): Uint8Array {
    return this.#isInMemory || this.#socket.write !== Socket.prototype.write ? Buffer.from(bytes) : bytes;
  }

  /** What the socket calls after a write without callbacks. */
  #toldLater(): Callback {
    return (this.#onWritten ??= (error) => this.#written(this.#onWritten!, error, []));
  }

  #written(flight: Callback, error: Error | null | undefined, callbacks: readonly Callback[]): void {
    if (this.#flight === flight) {
      this.#flight = undefined;
      const next = this.#protocol.bytesToSend();
      if (next.length > 0) this.#write(next);
    }
    callAll(callbacks, error);
  }
}

/** Calls all, the others later if one throws. */
function callAll(callbacks: readonly Callback[], error: Error | null | undefined): void {
  let next = 0;
  try {
    while (next < callbacks.length) callbacks[next++]!(error);
  } finally {
    if (next < callbacks.length) process.nextTick(callAll, callbacks.slice(next), error);
  }
}

/** What a stream says to a write after it was destroyed. */
function destroyedError(): Error {
  const error = new Error("Cannot call write after a stream was destroyed");
  return Object.assign(error, { code: "ERR_STREAM_DESTROYED" });
}
