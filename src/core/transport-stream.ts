import {
  byteLength,
  type ByteStream,
  type ReadHandler,
  type ShutdownHandler,
  type WatchHandler,
  type WriteHandler,
} from "./byte-stream.ts";
import { checkHandler } from "./completion.ts";
import { coreError, transportError, operationPending } from "./errors.ts";
import type { ServalError } from "./error.ts";
import { FlatBuffer } from "./flat-buffer.ts";

// The state of a stream, as bits of one field, since an idle connection consists of little else.

/** Closed, by `close` or `reset`. */
const closed = 1;
/** The peer has ended: no more bytes will come. */
const ended = 2;
/** The write side has ended. */
const finished = 4;
/** `#reader` is a watch's. */
const watching = 8;
/** `#writer` is a shutdown's. */
const shuttingDown = 16;
/** Inside a verb that runs in the user's call: no handler may run now. */
const inCall = 32;
/** A microtask will complete what it can. */
const settling = 64;
/** The transport has failed. */
const broken = 128;

/** How many bytes a watch takes, since a paused transport reports no end, and often no reset. */
const mostHeld = 16 * 1024;

/**
 * Gets the outcomes of its reads and writes by two methods, and may stand for their handlers where {@link handlersFor} says so:
 * two bound functions would take 112 bytes as long as the connection lasts.
 */
export abstract class Receiver {
  /** See {@link ReadHandler}. */
  abstract onRead(error: ServalError | undefined, bytes: Uint8Array | undefined): void;
  /** See {@link WriteHandler}. */
  abstract onWritten(error: ServalError | undefined, written: number): void;
}

/**
 * The book-keeping of a {@link ByteStream} at the bottom of a stack: which operations are in flight, what has ended or
 * failed, and that every handler runs once and never inside the call it was passed to. A transport derives from it and
 * implements the five verbs that move bytes: `pull`, `idle`, `push`, `finish`, `destroy`. It reports through `deliver`,
 * `wrote`, `readEnded`, `writeEnded` and `failed`, from anywhere, also inside a verb.
 */
export abstract class TransportStream implements ByteStream {
  /** The handler of the read in flight, or of the watch. */
  #reader: ReadHandler | Receiver | undefined;
  /** The handler of the write in flight, or of the shutdown. */
  #writer: WriteHandler | Receiver | undefined;
  /** Bytes that arrived while no read was in flight, for the next reads. */
  #held: FlatBuffer | undefined;
  /** How many bytes a write took before its call returned. */
  #taken = 0;
  #failure: ServalError | undefined;
  #state = 0;

  readSome(handler: ReadHandler): void {
    // Looked at here, in each operation, since every read and write of a connection would pay for a call.
    if (typeof handler !== "function" && !((handler as unknown) instanceof Receiver)) checkHandler(handler);
    if (this.#reader !== undefined && (this.#state & watching) === 0) throw operationPending("read", "read");
    this.#state &= ~watching;
    this.#reader = handler;
    this.starting?.();
    if ((this.#state & (closed | broken | ended)) !== 0 || this.#held !== undefined) this.#settleSoon();
    else this.#call(false);
  }

  watch(handler: WatchHandler): void {
    if (typeof handler !== "function") checkHandler(handler);
    if (this.#reader !== undefined && (this.#state & watching) === 0) throw operationPending("read", "watch");
    this.#state |= watching;
    this.#reader = handler;
    this.starting?.();
    if ((this.#state & (closed | broken)) !== 0) {
      this.#settleSoon();
    } else if ((this.#state & ended) !== 0) {
      this.#state &= ~ended;
      this.checkEnd();
    } else if (this.#held === undefined || this.wanting) {
      this.#call(false);
    }
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    if (typeof handler !== "function" && !((handler as unknown) instanceof Receiver)) checkHandler(handler);
    if (this.#writer !== undefined) throw this.#pending("write");
    const length = buffers instanceof Uint8Array ? buffers.length : byteLength(buffers);
    if (length === 0) throw coreError("core.invalid_argument", { message: "A write needs at least one byte" });
    this.#writer = handler;
    this.#taken = 0;
    this.starting?.();
    if ((this.#state & (closed | broken | finished)) !== 0) {
      this.#settleSoon();
      return;
    }
    const outer = this.#state & inCall;
    this.#state |= inCall;
    try {
      this.push(buffers, length);
    } catch (cause) {
      this.failed(transportError(cause));
    }
    if (outer === 0) this.#state &= ~inCall;
  }

  shutdown(handler: ShutdownHandler): void {
    if (typeof handler !== "function") checkHandler(handler);
    if (this.#writer !== undefined) throw this.#pending("shutdown");
    this.#writer = handler;
    this.#state |= shuttingDown;
    this.starting?.();
    if ((this.#state & (closed | broken | finished)) !== 0) this.#settleSoon();
    else this.#call(true);
  }

  close(): void {
    this.#end(false);
  }

  reset(): void {
    this.#end(true);
  }

  /** Whether bytes are wanted: a read is in flight, or a watch that may hold more. */
  protected get wanting(): boolean {
    if (this.#reader === undefined) return false;
    if ((this.#state & watching) === 0) return true;
    return (this.#state & ended) === 0 && (this.#held === undefined || this.#held.size < mostHeld);
  }

  /** Whether only a watch waits for the end. */
  protected get isWatched(): boolean {
    return (this.#state & watching) !== 0;
  }

  /** Whether a write is in flight. */
  protected get writing(): boolean {
    return this.#writer !== undefined && (this.#state & shuttingDown) === 0;
  }

  /** Whether a shutdown is in flight. */
  protected get isShuttingDown(): boolean {
    return (this.#state & shuttingDown) !== 0;
  }

  /** Whether the stream was closed, by `close` or `reset`. */
  protected get isClosed(): boolean {
    return (this.#state & closed) !== 0;
  }

  /**
   * Find out whether the end that was reported was one, or the transport has failed; report by {@link readEnded} or
   * {@link failed}.
   */
  protected checkEnd(): void {
    this.readEnded();
  }

  /** Called when an operation or watch has been admitted, before anything is done for it. */
  protected starting?(): void;

  /** Let bytes arrive: they are wanted now. May be called while they already arrive. */
  protected abstract pull(): void;

  /** Let no bytes arrive: none are wanted for now. */
  protected abstract idle(): void;

  /** Start writing `length` bytes, at least one; report by {@link wrote} how many were taken. */
  protected abstract push(buffers: Uint8Array | readonly Uint8Array[], length: number): void;

  /** End the write side; report by {@link writeEnded} when that is done. Runs at most once. */
  protected abstract finish(): void;

  /**
   * Release everything, at once; with `reset`, so that the peer sees a failure, if the transport can show one. Runs at
   * most once; later reports are ignored.
   */
  protected abstract destroy(reset: boolean): void;

  /** Bytes have arrived. They are borrowed here too, and are not used after the return. */
  protected deliver(bytes: Uint8Array): void {
    if ((this.#state & closed) !== 0) return;
    const reader = this.#reader;
    if (reader !== undefined && (this.#state & (watching | inCall)) === 0 && this.#held === undefined) {
      this.#reader = undefined;
      if (typeof reader === "function") reader(undefined, bytes);
      else reader.onRead(undefined, bytes);
      // The handler may have started another read, or closed.
      if (!this.wanting && (this.#state & closed) === 0) this.idle();
    } else {
      (this.#held ??= new FlatBuffer()).append(bytes);
      if ((this.#state & watching) !== 0 && this.wanting) this.pull();
      else this.idle();
      if (reader !== undefined) this.#settleSoon();
    }
  }

  /** The write in flight has taken `count` bytes, at least one. */
  protected wrote(count: number): void {
    const writer = this.#writer;
    if (writer === undefined || (this.#state & shuttingDown) !== 0) return;
    if ((this.#state & inCall) !== 0) {
      this.#taken = count;
      this.#settleSoon();
      return;
    }
    this.#writer = undefined;
    if (typeof writer === "function") writer(undefined, count);
    else writer.onWritten(undefined, count);
  }

  /** The write side has ended, as {@link finish} asked. */
  protected writeEnded(): void {
    this.#state |= finished;
    this.#settleSoon();
  }

  /** The peer has ended: no more bytes will arrive. */
  protected readEnded(): void {
    if ((this.#state & ended) !== 0 || this.#dead) return;
    this.#state |= ended;
    this.#settleSoon();
  }

  /**
   * The transport has failed for good: operations in flight and later ones fail with this error. The first error
   * counts.
   */
  protected failed(error: ServalError): void {
    if (this.#dead) return;
    this.#failure = error;
    this.#state |= broken;
    this.#settleSoon();
  }

  /** The error of an operation that must wait for the write or shutdown in flight. */
  #pending(wanted: "write" | "shutdown"): ServalError {
    return operationPending((this.#state & shuttingDown) === 0 ? "write" : "shutdown", wanted);
  }

  get #dead(): boolean {
    return (this.#state & (closed | broken)) !== 0;
  }

  #end(reset: boolean): void {
    if ((this.#state & closed) !== 0) return;
    this.#state |= closed;
    this.#held = undefined;
    this.destroy(reset);
    if (this.#reader !== undefined || this.#writer !== undefined) this.#settleSoon();
  }

  /** Runs a verb in the user's call, `finish` or `pull`; its reports meanwhile are handled later. */
  #call(finish: boolean): void {
    const outer = this.#state & inCall;
    this.#state |= inCall;
    try {
      if (finish) this.finish();
      else this.pull();
    } catch (cause) {
      this.failed(transportError(cause));
    }
    if (outer === 0) this.#state &= ~inCall;
  }

  #settleSoon(): void {
    if ((this.#state & settling) !== 0) return;
    this.#state |= settling;
    queueMicrotask(() => this.#settle());
  }

  /**
   * Completes operations that need not wait any longer, one at a time, so that a handler that throws does not stop the
   * others.
   */
  #settle(): void {
    this.#state &= ~settling;
    if (this.#canSettleRead) this.#settleRead();
    else if (this.#canSettleWrite) this.#settleWrite();
  }

  get #canSettleRead(): boolean {
    if (this.#reader === undefined) return false;
    if ((this.#state & (closed | broken | ended)) !== 0) return true;
    return this.#held !== undefined && (this.#state & watching) === 0;
  }

  get #canSettleWrite(): boolean {
    if (this.#writer === undefined) return false;
    return this.#taken > 0 || (this.#state & (closed | broken | finished)) !== 0;
  }

  #settleRead(): void {
    const reader = this.#reader!;
    const held = (this.#state & watching) === 0 ? this.#held : undefined;
    this.#reader = undefined;
    this.#state &= ~watching;
    if (this.#canSettleWrite) this.#settleSoon();
    if (held !== undefined) {
      this.#held = undefined;
      tellReader(reader, undefined, held.data());
    } else if ((this.#state & (ended | closed)) === ended) {
      tellReader(reader, undefined, undefined);
    } else {
      tellReader(reader, this.#error(), undefined);
    }
  }

  #settleWrite(): void {
    const writer = this.#writer!;
    const taken = this.#taken;
    const isShutdown = (this.#state & shuttingDown) !== 0;
    this.#writer = undefined;
    this.#taken = 0;
    this.#state &= ~shuttingDown;
    if (this.#canSettleRead) this.#settleSoon();
    let error: ServalError | undefined;
    if (taken === 0 && !(isShutdown && (this.#state & (finished | closed)) === finished)) {
      error = this.#dead ? this.#error() : coreError("core.write_ended");
    }
    if (typeof writer === "function") writer(error, taken);
    else writer.onWritten(error, taken);
  }

  #error(): ServalError {
    return (this.#state & closed) !== 0 ? coreError("core.aborted") : this.#failure!;
  }
}

/**
 * The handlers that tell a receiver of its reads and writes on `stream`. None if that is a {@link TransportStream}, which
 * takes the receiver for each of them, unless a subclass wraps handlers.
 */
export function handlersFor(
  stream: ByteStream,
  receiver: Receiver,
): { readonly onRead: ReadHandler; readonly onWritten: WriteHandler } | undefined {
  const { readSome, writeSome } = TransportStream.prototype;
  if (stream instanceof TransportStream && stream.readSome === readSome && stream.writeSome === writeSome)
    return undefined;
  // Bound, which takes half of a closure's memory.
  return { onRead: receiver.onRead.bind(receiver), onWritten: receiver.onWritten.bind(receiver) };
}

function tellReader(
  reader: ReadHandler | Receiver,
  error: ServalError | undefined,
  bytes: Uint8Array | undefined,
): void {
  if (typeof reader === "function") reader(error, bytes);
  else reader.onRead(error, bytes);
}
