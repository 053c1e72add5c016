import {
  coreError,
  type ServalError,
  type ByteStream,
  type CloseInfo,
  type Handler,
  type ReadHandler,
  type Role,
  type Timer,
} from "../core/index.ts";
import { Application, type ApplicationOwner } from "./application.ts";
import { closeCode, closeCodeOf } from "./close-code.ts";
import { websocketError } from "./errors.ts";
import type { opcode } from "./frame.ts";
import type { Message } from "./handlers.ts";
import { event } from "./incoming.ts";
import type { ControlKind, Settings } from "./options.ts";
import { copiedUpTo } from "./outgoing.ts";
import { Protocol } from "./protocol.ts";
import { tell } from "./tell.ts";
import { Writer, type WriterOwner } from "./writer.ts";

/** The opcode of a message. */
export type DataOpcode = typeof opcode.text | typeof opcode.binary;

const controlKinds: Readonly<Record<number, ControlKind>> = {
  [event.ping]: "ping",
  [event.pong]: "pong",
  [event.close]: "close",
};

/**
 * An open connection, from the handshake to the end of the transport: the shell around {@link Protocol}. It moves in
 * turns: take events from what was received while someone wants them, write what that made, read on.
 */
export class Session<Ws> implements WriterOwner, ApplicationOwner {
  readonly protocol: Protocol;
  /** How it ended, once the transport is closed. */
  ended: CloseInfo | undefined;

  readonly #application: Application<Ws>;
  readonly #next: ByteStream;
  readonly #role: Role;
  readonly #settings: Settings<Ws>;
  readonly #writer: Writer;
  readonly #onEnded: (info: CloseInfo) => void;

  /** The `read` that waits for a message. */
  #reader: Handler<Message> | undefined;
  #reading = false;
  #turning = false;
  /** A turn is coming anyway; the first with `start`, so that none overtakes it. */
  #scheduled = true;
  #toldFull = false;
  /** Nothing is taken from the peer any more; what is queued is written, then the transport is torn down. */
  #finishing = false;
  #tearingDown = false;
  #timer: Timer | undefined;
  /** What ended the connection, for whoever reads afterwards. */
  #failure: ServalError | undefined;

  constructor(ws: Ws, next: ByteStream, role: Role, settings: Settings<Ws>, onEnded: (info: CloseInfo) => void) {
    this.#application = new Application(ws, settings.options, this);
    this.#next = next;
    this.#role = role;
    this.#settings = settings;
    this.#onEnded = onEnded;
    this.protocol = new Protocol({
      role,
      maxMessageSize: settings.maxMessageSize,
      text: settings.text,
      highWaterMark: settings.highWaterMark,
    });
    this.#writer = new Writer(next, this.protocol.outgoing, this);
  }

  /** Begins, with the bytes received behind the handshake. Messages come after the handshake's completion, never with it. */
  start(rest: Uint8Array): void {
    if (this.ended !== undefined) return;
    this.protocol.incoming.receive(rest);
    queueMicrotask(() => {
      if (this.ended === undefined) this.#application.open();
      this.#turn();
    });
  }

  /** Waits for the next message. One at a time. */
  read(handler: Handler<Message>): void {
    if (this.#application.isPushed) throw websocketError("websocket.pushed");
    if (this.#reader !== undefined) {
      throw coreError("core.operation_pending", { message: "A read is in progress: await it before the next" });
    }
    this.#reader = handler;
    if (this.#finishing || this.ended !== undefined) queueMicrotask(() => this.#rejectReader());
    else this.#wake();
  }

  /** Gives up a `read`; what it waited for stays for the next one. False if it has completed. */
  cancelRead(handler: Handler<Message>): boolean {
    if (this.#reader !== handler) return false;
    this.#reader = undefined;
    return true;
  }

  /** Whether messages can be sent and received. */
  get isOpen(): boolean {
    return this.protocol.canSend && !this.#finishing && this.ended === undefined;
  }

  /** Queues a message; false if there is no room, or the connection is ending. */
  send(code: DataOpcode, data: Message): boolean {
    if (!this.#mayQueue()) return false;
    const { outgoing } = this.protocol;
    if (typeof data === "string") outgoing.text(code, true, data);
    else outgoing.bytes(code, true, data);
    this.#wake();
    if (outgoing.bufferedAmount < this.#settings.highWaterMark) return true;
    this.#toldFull = true;
    return false;
  }

  /** Queues a message; returns how far writing must come before the write has settled, or why it can't be queued. */
  write(code: DataOpcode, data: Message): number | ServalError {
    const toldFull = this.#toldFull;
    this.send(code, data);
    if (!this.isOpen) return this.closedError();
    // Whoever waits for the write is told by it, not by `drain`.
    this.#toldFull = toldFull;
    const { queued } = this.protocol.outgoing;
    // A referenced payload is the caller's again once the write has settled, so it must have left.
    if (typeof data !== "string" && data.length > copiedUpTo) return queued;
    return queued - this.#settings.highWaterMark + 1;
  }

  /** Queues a ping or pong; returns what {@link write} does. */
  control(code: typeof opcode.ping | typeof opcode.pong, payload: Uint8Array): number | ServalError {
    if (!this.#mayQueue()) return this.closedError();
    this.protocol.outgoing.bytes(code, true, payload);
    this.#wake();
    return this.protocol.outgoing.queued - this.#settings.highWaterMark + 1;
  }

  /** Whether writing has come as far as `position`. */
  hasWritten(position: number): boolean {
    return position <= this.protocol.outgoing.written;
  }

  /** Waits until writing has come as far as `position`. */
  waitWritten(position: number, handler: Handler): void {
    this.#writer.wait(position, handler);
  }

  #mayQueue(): boolean {
    if (!this.isOpen) return false;
    if (this.protocol.outgoing.bufferedAmount <= this.#settings.maxBufferedAmount) return true;
    this.lost(websocketError("websocket.queue_overflow"));
    return false;
  }

  /** Begins the closing handshake, if nothing has yet. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.protocol.close(code, reason);
    this.#startDeadline();
    this.#wake();
  }

  /** The next layer failed, or is given up: ends at once. Also called by the writer. */
  lost(error: ServalError): void {
    if (this.ended !== undefined) return;
    this.#failure ??= error;
    const tell = !this.#finishing && error.condition !== "aborted";
    this.#next.close();
    this.#settle(false, tell ? error : undefined);
  }

  /** A handler is done that messages waited for. Called by the application's side. */
  resume(): void {
    this.#wake();
  }

  /** A handler threw or rejected. Called by the application's side. */
  handlerFailed(): void {
    this.close(closeCode.internalError, "");
  }

  /** Bytes were written. Called by the writer. */
  wrote(): void {
    if (this.ended !== undefined) return;
    this.protocol.sendWithheldPong();
    if (this.#toldFull && this.protocol.outgoing.bufferedAmount < this.#settings.highWaterMark) {
      this.#toldFull = false;
      this.#application.drain();
    }
    this.#writer.flush();
    if (this.#finishing) this.#finish();
  }

  /** What a user of a connection that has ended, or is ending, is told. */
  closedError(): ServalError {
    if (this.#failure !== undefined) return this.#failure;
    if (!this.#finishing && this.ended === undefined) return websocketError("websocket.closed");
    return (this.#failure = websocketError("websocket.closed", { close: this.ended ?? this.#closeInfo(true) }));
  }

  // ---- turns ----

  /** Takes a turn soon, outside of whatever runs now. */
  #wake(): void {
    if (this.#turning || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#turn);
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    this.#reading = false;
    if (this.ended !== undefined) return;
    if (error !== undefined) {
      this.lost(error);
    } else if (bytes === undefined) {
      this.#finish();
    } else {
      this.protocol.incoming.receive(bytes);
      this.#turn();
    }
  };

  readonly #turn = (): void => {
    this.#scheduled = false;
    if (this.ended !== undefined) return;
    this.#turning = true;
    const wantsMore = !this.#finishing && this.#takeEvents();
    this.#turning = false;
    this.protocol.incoming.retain();
    if (this.ended !== undefined) return;
    this.#writer.flush();
    if (!this.protocol.canReceive) {
      this.#finish();
    } else if (wantsMore && !this.#reading) {
      this.#reading = true;
      try {
        this.#next.readSome(this.#onRead);
      } catch (misuse) {
        // Someone else reads from the next layer.
        this.lost(misuse as ServalError);
      }
    }
  };

  /** Takes events while someone wants them; returns whether more bytes are needed for the next. */
  #takeEvents(): boolean {
    const protocol = this.protocol;
    const application = this.#application;
    const { isPushed } = application;
    for (;;) {
      const next = protocol.next(isPushed ? !application.isBusy : this.#reader !== undefined);
      switch (next) {
        case undefined:
          return true;
        case event.data:
          return false;
        case event.message:
          if (isPushed) application.message(protocol.incoming.message);
          else {
            this.#deliver(protocol.incoming.message);
            // Whoever reads may answer before what comes behind it is looked at, which may be the peer's close.
            this.#scheduled = true;
            queueMicrotask(this.#turn);
            return false;
          }
          break;
        case event.failed:
          this.#failure = protocol.failure;
          application.error(protocol.failure!);
          break;
        default:
          application.control(controlKinds[next]!, protocol.incoming.control);
      }
      if (this.ended !== undefined) return false;
    }
  }

  #deliver(message: Message): void {
    const reader = this.#reader!;
    this.#reader = undefined;
    tell(reader, undefined, message);
  }

  // ---- the end ----

  #startDeadline(): void {
    const ms = this.#settings.timeouts.handshake;
    if (this.#timer !== undefined || ms === Infinity) return;
    this.#timer = this.#settings.clock.setTimer(ms, () => {
      this.#next.close();
      this.#settle(false);
    });
  }

  /** Nothing more comes from the peer: what is queued is written, then the transport is torn down. */
  #finish(): void {
    if (!this.#finishing) {
      this.#finishing = true;
      this.#startDeadline();
      this.#rejectReader();
    }
    if (!this.#writer.isIdle || this.#tearingDown) return;
    this.#tearingDown = true;
    try {
      this.#next.teardown(this.#role, (error) => {
        if (error !== undefined) this.#next.close();
        this.#settle(true);
      });
    } catch (misuse) {
      this.lost(misuse as ServalError);
    }
  }

  #closeInfo(finished: boolean): CloseInfo {
    const { state, failure } = this.protocol;
    if (state === "failed") return { code: closeCodeOf(failure!), reason: failure!.message, clean: false };
    const { closeCode: code, closeReason: reason } = this.protocol;
    return { code, reason, clean: finished && (state === "closedByPeer" || state === "closedByBoth") };
  }

  #rejectReader(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) tell(reader, this.closedError(), "");
  }

  /** It is over; `told` goes to the application's `error`, before its `close`. */
  #settle(finished: boolean, told?: ServalError): void {
    if (this.ended !== undefined) return;
    const info = this.#closeInfo(finished || this.#tearingDown);
    this.ended = info;
    this.#timer?.cancel();
    this.protocol.incoming.clear();
    // Nobody's handler runs inside their call of `terminate` or `send`.
    queueMicrotask(() => {
      this.#writer.end(() => this.closedError());
      this.#rejectReader();
      if (told !== undefined) this.#application.error(told);
      this.#onEnded(info);
      this.#application.close(info);
    });
  }
}
