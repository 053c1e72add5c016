import {
  byteLength,
  type ByteStream,
  type ReadHandler,
  type Role,
  type TeardownHandler,
  type WriteHandler,
} from "./byte-stream.ts";
import { copyOf } from "./bytes.ts";
import { coreError, transportError } from "./errors.ts";
import type { ServalError } from "./error.ts";
import { operationPending } from "./operation-pending.ts";

/**
 * The book-keeping of a {@link ByteStream} at the bottom of a stack: which operations are in flight, what has ended or
 * failed, and that every handler runs once and never inside the call it was given to. A transport derives from it and
 * supplies the five verbs that move bytes: `pull`, `idle`, `push`, `finish`, `destroy`. It reports through `deliver`,
 * `wrote`, `readEnded`, `writeEnded` and `failed`, from wherever it likes, also inside a verb.
 */
export abstract class TransportStream implements ByteStream {
  #reader: ReadHandler | undefined;
  #writer: WriteHandler | undefined;
  #teardown: TeardownHandler | undefined;
  #role: Role = "server";
  /** Bytes that came while no read was in flight: they are ours, and the next reads get them. */
  #held: Uint8Array[] | undefined;
  /** What a write took before its call had returned. */
  #taken = 0;
  #failure: ServalError | undefined;
  #closed = false;
  #ended = false;
  #finished = false;
  /** Inside a verb that a call of the user's runs: no handler may run now. */
  #inCall = false;
  #settling = false;

  readSome(handler: ReadHandler): void {
    if (this.#reader !== undefined || this.#teardown !== undefined) throw this.#pending("read");
    this.#reader = handler;
    this.starting();
    if (this.#dead || this.#ended || this.#held !== undefined) this.#settleSoon();
    else this.#call(undefined, 0);
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    if (this.#writer !== undefined || this.#teardown !== undefined) throw this.#pending("write");
    const length = byteLength(buffers);
    if (length === 0) throw coreError("core.invalid_argument", { message: "A write needs at least one byte" });
    this.#writer = handler;
    this.#taken = 0;
    this.starting();
    if (this.#dead) this.#settleSoon();
    else this.#call(buffers, length);
  }

  teardown(role: Role, handler: TeardownHandler): void {
    if (this.#reader !== undefined || this.#writer !== undefined || this.#teardown !== undefined) {
      throw this.#pending("teardown");
    }
    this.#teardown = handler;
    this.#role = role;
    this.#held = undefined;
    this.starting();
    if (this.#dead) this.#settleSoon();
    else this.#call(undefined, 0);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#held = undefined;
    this.destroy();
    if (this.#reader !== undefined || this.#writer !== undefined || this.#teardown !== undefined) this.#settleSoon();
  }

  /** Whether bytes are wanted: a read is in flight, or a teardown that drops what comes. */
  protected get wanting(): boolean {
    return this.#reader !== undefined || (this.#teardown !== undefined && !this.#ended);
  }

  /** Whether a write is in flight. */
  protected get writing(): boolean {
    return this.#writer !== undefined;
  }

  /** Whether the stream was closed, by `close` or at the end of a teardown. */
  protected get isClosed(): boolean {
    return this.#closed;
  }

  /** Runs whenever an operation has been admitted, before anything is done for it. */
  protected starting(): void {}

  /** Let bytes come: they are wanted now. May be called while they are coming already. */
  protected abstract pull(): void;

  /** Nobody wants bytes for the moment: let none come. */
  protected abstract idle(): void;

  /** Start writing `length` bytes, at least one; {@link wrote} tells how many were taken. */
  protected abstract push(buffers: Uint8Array | readonly Uint8Array[], length: number): void;

  /** End the write side; {@link writeEnded} tells when that is done. Runs at most once. */
  protected abstract finish(): void;

  /** Let go of everything, at once. Runs at most once; what is reported later is ignored. */
  protected abstract destroy(): void;

  /** Bytes have come. They are borrowed from here on down too: they are not looked at after the return. */
  protected deliver(bytes: Uint8Array): void {
    const reader = this.#reader;
    if (this.#closed) return;
    if (reader !== undefined && !this.#inCall && this.#held === undefined) {
      this.#reader = undefined;
      reader(undefined, bytes);
      // The handler may have started another read, or a teardown, which drops what comes.
      if (!this.wanting && !this.#closed) this.idle();
    } else if (this.#teardown !== undefined) {
      this.pull();
    } else {
      // Not slice: a Buffer's is no copy.
      (this.#held ??= []).push(copyOf(bytes, bytes.length));
      this.idle();
      if (reader !== undefined) this.#settleSoon();
    }
  }

  /** The write in flight has taken `count` bytes, at least one. */
  protected wrote(count: number): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    if (this.#inCall) {
      this.#taken = count;
      this.#settleSoon();
      return;
    }
    this.#writer = undefined;
    writer(undefined, count);
  }

  /** The write side has ended, as {@link finish} asked. */
  protected writeEnded(): void {
    this.#finished = true;
    this.#settleSoon();
  }

  /** The peer has ended: no more bytes will come. */
  protected readEnded(): void {
    if (this.#ended || this.#dead) return;
    this.#ended = true;
    // RFC 6455 section 7.1.1: the client waits for the server to end first.
    if (this.#teardown !== undefined && this.#role === "client") this.finish();
    this.#settleSoon();
  }

  /** The transport has failed, for good: what is in flight and all that follows fails with this error. The first one counts. */
  protected failed(error: ServalError): void {
    if (this.#dead) return;
    this.#failure = error;
    this.#settleSoon();
  }

  /** Which operation is in the way of the one that is wanted. */
  #pending(wanted: "read" | "write" | "teardown"): ServalError {
    if (this.#teardown !== undefined) return operationPending("teardown", wanted);
    const isRead = wanted === "read" || (wanted === "teardown" && this.#reader !== undefined);
    return operationPending(isRead ? "read" : "write", wanted);
  }

  get #dead(): boolean {
    return this.#closed || this.#failure !== undefined;
  }

  /** Runs the verb that an operation needs; what that reports meanwhile is settled later. */
  #call(buffers: Uint8Array | readonly Uint8Array[] | undefined, length: number): void {
    const nested = this.#inCall;
    this.#inCall = true;
    try {
      if (buffers !== undefined) this.push(buffers, length);
      else if (this.#teardown === undefined) this.pull();
      else this.#startTeardown();
    } catch (cause) {
      this.failed(transportError(cause));
    }
    this.#inCall = nested;
  }

  #startTeardown(): void {
    if (this.#role === "server" || this.#ended) this.finish();
    if (!this.#ended) this.pull();
  }

  #settleSoon(): void {
    if (this.#settling) return;
    this.#settling = true;
    queueMicrotask(() => this.#settle());
  }

  /** Completes what need not wait any longer: one operation at a time, so that a handler that throws costs no other its turn. */
  #settle(): void {
    this.#settling = false;
    if (this.#reader !== undefined && (this.#dead || this.#ended || this.#held !== undefined)) this.#settleRead();
    else if (this.#writer !== undefined && (this.#dead || this.#taken > 0)) this.#settleWrite();
    else if (this.#teardown !== undefined && (this.#dead || (this.#ended && this.#finished))) this.#settleTeardown();
  }

  #settleRead(): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    this.#settleSoon();
    const held = this.#held;
    if (held !== undefined) {
      const bytes = held.shift();
      if (held.length === 0) this.#held = undefined;
      reader(undefined, bytes);
    } else if (this.#ended && !this.#closed) {
      reader(undefined, undefined);
    } else {
      reader(this.#error(), undefined);
    }
  }

  #settleWrite(): void {
    const writer = this.#writer!;
    this.#writer = undefined;
    this.#settleSoon();
    if (this.#taken > 0) writer(undefined, this.#taken);
    else writer(this.#error(), 0);
  }

  #settleTeardown(): void {
    const handler = this.#teardown!;
    const error = this.#ended && this.#finished && !this.#closed ? undefined : this.#error();
    this.#teardown = undefined;
    this.close();
    handler(error);
  }

  #error(): ServalError {
    return this.#closed ? coreError("core.aborted") : this.#failure!;
  }
}
