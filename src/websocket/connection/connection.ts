import {
  coreError,
  type ByteStream,
  type CloseInfo,
  type ReadHandler,
  type Role,
  type ServalError,
} from "../../core/index.ts";
import { reportError, soon, teardownIn, turnBudget } from "../../core/internal.ts";
import { closeCode, howClosed } from "../frames/close-code.ts";
import { websocketError } from "../frames/errors.ts";
import { opcode } from "../frames/frame.ts";
import type { Settings } from "../options/settings.ts";
import type { Statistics } from "../options/statistics.ts";
import { controlKinds, event, found } from "../protocol/event.ts";
import { isServalError, mostControls } from "./delivery.ts";
import { Inflation } from "./inflation.ts";
import { Liveness, type Living } from "./liveness.ts";
import type { Opened } from "./opened.ts";
import { Receiving } from "./receiving.ts";
import { Throttle } from "./throttle.ts";
import { phase, spentAtOnce, terminated, terminatedError } from "./turns.ts";

/**
 * An open WebSocket, from the handshake to the end of the transport. It moves bytes between the stream below and the
 * protocol, and messages between the protocol and the application, whose side is the {@link Delivery}. Calls go down,
 * and return their results. Five methods are called later: `onRead`, `onWritten`, `resumed`, `takeTurn` and `expired`.
 *
 * It moves in turns: takes events while the application wants them, writes the output, starts the next read.
 */
export class Connection<Ws> extends Receiving<Ws> implements Living {
  /** How it ended, once the transport is closed. */
  ended: CloseInfo | undefined;

  readonly #role: Role;
  readonly #onEnded: (ws: Ws, info: CloseInfo) => void;
  /** Made for a deadline, or for a ping whose answer is timed. */
  #liveness: Liveness | undefined;
  #throttle: Throttle | undefined;

  constructor(
    ws: Ws,
    next: ByteStream,
    opened: Opened,
    settings: Settings<Ws>,
    onEnded: (ws: Ws, info: CloseInfo) => void,
  ) {
    super(ws, next, opened, settings);
    this.#role = opened.role;
    this.#onEnded = onEnded;
  }

  /** Begins, with the bytes received after the handshake. Messages come after the handshake's completion, never with it. */
  start(rest: Uint8Array): void {
    if (this.ended !== undefined) return;
    this.protocol.incoming.receive(rest);
    if (this.settings.timeouts[this.#role].idle !== Infinity) this.#live.start();
    soon(this.context, this.#opened, this);
  }

  #opened(): void {
    if (this.ended === undefined) this.delivery.open();
    this.turn();
  }

  // ---- reading ----

  /** The read has completed. */
  override onRead(error: ServalError | undefined, bytes: Uint8Array | undefined): void {
    this.isReading = false;
    if (this.ended !== undefined) return;
    if (error !== undefined) {
      this.lost(error);
    } else if (bytes === undefined) {
      this.context.runInAsyncScope(this.finish, this);
    } else {
      this.protocol.incoming.receive(bytes);
      this.context.runInAsyncScope(this.turn, this);
    }
  }

  protected override turn(): void {
    this.isScheduled = false;
    if (this.ended !== undefined) return;
    this.isTurning = true;
    const wantsMore = !this.isWaiting && this.#takeEvents();
    this.isTurning = false;
    this.protocol.incoming.retain();
    // A reader that has got a message may answer before the next turn, which writes all answers together.
    if (this.ended !== undefined || this.isScheduled) return;
    this.flush();
    if (!this.protocol.canReceive) this.finish();
    else if (wantsMore && !this.isReading && this.#throttle?.isOn !== true) this.#readOn();
  }

  /** Takes events while the application wants them; returns whether more bytes are needed for the next. */
  #takeEvents(): boolean {
    const { protocol, delivery } = this;
    const { incoming, outgoing } = protocol;
    if (turnBudget.isSpent && (incoming.isHeavy || turnBudget.isGreedy(this))) return this.waitTurn();
    if (delivery.controls >= mostControls && this.phase === phase.open) return false;
    while (this.phase < phase.finishing) {
      if (incoming.cost + outgoing.cost > spentAtOnce && this.isOverdrawn()) return this.waitTurn();
      if (this.inflation !== undefined && !this.#takeInflated(this.inflation)) return false;
      if (delivery.held !== undefined && this.phase === phase.open) {
        if (delivery.takeHeld(incoming.isText)) this.turnSoon();
        return false;
      }
      const next = protocol.next(delivery.wanted);
      switch (next) {
        case undefined:
          delivery.caughtUp();
          return incoming.cost <= spentAtOnce || !this.isOverdrawn() || this.waitTurn();
        case event.message:
          if (delivery.message(found.message, incoming.isText)) break;
          return this.handedOver();
        case event.part:
          delivery.part(found.part, incoming.isText, found.isLast);
          this.turnSoon();
          return false;
        case event.data:
          delivery.paused();
          return false;
        case event.deflated:
          this.inflation = new Inflation(incoming, found.deflated, () => this.wake());
          break;
        case event.failed:
          this.violated();
          break;
        default:
          if (next === event.pong) this.#liveness?.ponged(found.control);
          delivery.control(controlKinds[next], found.control);
          if (delivery.controls >= mostControls && this.phase === phase.open) return false;
      }
    }
    return false;
  }

  /** Continues the message being inflated; returns whether the next event may be taken in this turn. */
  #takeInflated(inflation: Inflation): boolean {
    const { protocol, delivery } = this;
    if (this.phase !== phase.open) {
      this.inflation = undefined;
      return true;
    }
    if (!inflation.advance()) {
      if (inflation.isElsewhere) return false;
      this.isOverdrawn();
      return this.waitTurn();
    }
    if (inflation.isLong && turnBudget.isSpent) return this.waitTurn();
    this.inflation = undefined;
    if (protocol.inflated(inflation.result!) === event.failed) this.violated();
    else if (!delivery.message(found.message, protocol.incoming.isText)) {
      this.turnSoon();
      return false;
    }
    return true;
  }

  /** Reads, unless the peer has exceeded its rate: then later, or never again. */
  #readOn(): void {
    const { rate } = this.settings;
    const wait = rate === undefined ? 0 : this.#exceeded();
    if (wait === 0) {
      this.isReading = true;
      this.#liveness?.reading();
      try {
        this.next.readSome(this.handlers?.onRead ?? (this as unknown as ReadHandler));
      } catch (misuse) {
        // The program reads from the next layer itself.
        this.lost(misuse as ServalError);
      }
    } else if (rate!.exceeded === "wait") {
      this.#throttle!.wait(wait, () => this.turn());
    } else {
      this.protocol.fail("websocket.rate_exceeded");
      this.violated();
      this.flush();
      this.finish();
    }
  }

  /** For how many milliseconds the peer must wait, since it exceeded its rate. */
  #exceeded(): number {
    const { frames, received, inflatedPayload } = this.protocol.incoming;
    // After our close frame, received data is dropped until the peer's close frame.
    if (received === 0 || this.phase !== phase.open) return 0;
    const { rate, clock } = this.settings;
    // A whole number, which V8 keeps without an object of its own.
    const now = Math.round(clock.now());
    return (this.#throttle ??= new Throttle(rate!, clock, now)).take(frames, received + inflatedPayload, now);
  }

  // ---- later events ----

  /** A handler of the application is done, or a job that events waited for. `thrown` is the handler's failure. */
  override resumed(thrown?: ServalError): void {
    if (thrown !== undefined) this.#handlerFailed(thrown);
    this.wake();
  }

  #handlerFailed(error: ServalError): void {
    const { cause } = error;
    // A handler that fails since the connection has ended has not failed itself.
    if (!this.isOpen && isServalError(cause)) return;
    if (this.ended !== undefined) {
      // `close` was the last handler to run.
      reportError(cause);
      return;
    }
    this.delivery.error(error);
    this.close(closeCode.internalError, "");
  }

  /** The peer must be asked for a sign of life, with this payload; or without one, its time is up. */
  expired(ping?: Uint8Array): void {
    if (ping !== undefined) {
      if (!this.isOpen) return;
      this.protocol.control(opcode.ping, ping);
      this.flushSoon();
    } else if (this.phase === phase.open) {
      this.lost(coreError("core.timeout", { message: "The peer was silent for longer than timeouts.idle" }));
    } else {
      this.next.close();
      this.#settle(false);
    }
  }

  get #live(): Liveness {
    return (this.#liveness ??= new Liveness(this.settings.timeouts[this.#role], this));
  }

  /** Queues a ping, and times its answer. */
  ping(payload: Uint8Array): number | ServalError {
    const queued = this.control(opcode.ping, payload);
    if (typeof queued === "number") this.#live.pinged(payload);
    return queued;
  }

  // ---- the end ----

  /** Begins the closing handshake, unless one has begun, after the queued messages. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.startClosing();
    this.sendClose(code, reason);
    this.wake();
  }

  protected override startClosing(): void {
    this.phase = phase.closing;
    this.protocol.incoming.dropData();
    this.#startDeadline();
  }

  /** From now on the deadline is that of the end. */
  #startDeadline(): void {
    this.#throttle?.cancel();
    this.#live.startDeadline(this.settings.timeouts[this.#role].handshake);
  }

  override lost(error?: ServalError): void {
    if (this.ended !== undefined) return;
    this.failure ??= error ?? terminated;
    const told = this.phase < phase.finishing && error?.condition !== "aborted" ? error : undefined;
    this.context.runInAsyncScope(this.next.close, this.next);
    this.#settle(false, told);
  }

  /** Nothing more comes from the peer: writes queued output, then tears the transport down. */
  protected override finish(): void {
    if (this.phase < phase.finishing) {
      this.phase = phase.finishing;
      this.#startDeadline();
      this.protocol.incoming.close();
      this.cutAll();
      this.endReading();
    }
    const { queued, written } = this.protocol.outgoing;
    if (this.phase !== phase.finishing || this.isWriting || queued !== written) return;
    this.phase = phase.tearingDown;
    try {
      teardownIn(this.context, this.next, this.#role, (error) => {
        if (error !== undefined) this.next.close();
        this.#settle(true);
      });
    } catch (misuse) {
      this.lost(misuse as ServalError);
    }
  }

  protected override endReading(): void {
    this.delivery.end(() => this.closedError());
  }

  override closedError(): ServalError {
    if (this.failure === terminated) this.failure = terminatedError();
    if (this.failure !== undefined) return this.failure;
    if (this.phase < phase.finishing) {
      return websocketError("websocket.closed", { message: "The WebSocket connection is closing" });
    }
    const close = this.ended ?? this.protocol.closeInfo(true);
    return (this.failure = websocketError("websocket.closed", { close, message: howClosed(close) }));
  }

  /** The transport is closed. `told` goes to the application's `error` handler, before its `close`. */
  #settle(isFinished: boolean, told?: ServalError): void {
    if (this.ended !== undefined) return;
    const info = this.protocol.closeInfo(isFinished || this.phase === phase.tearingDown);
    this.ended = info;
    this.phase = phase.ended;
    this.#liveness?.stop();
    this.#throttle?.cancel();
    this.protocol.incoming.close();
    // No handler runs inside the application's call of `terminate` or `send`.
    soon(this.context, this.#tellEnd, this, info, told);
  }

  #tellEnd(info: CloseInfo, told: ServalError | undefined): void {
    this.endSending();
    this.endReading();
    if (told !== undefined) this.delivery.error(told);
    // A drain of the server waits for the last handler too.
    this.settings.observer?.working(1);
    this.#onEnded(this.ws, info);
    this.delivery.close(info);
    this.settings.observer?.working(-1);
  }

  /** The connection's counts. */
  get statistics(): Statistics {
    return this.protocol.statistics({
      messagesDropped: this.dropped,
      bufferedAmount: this.bufferedAmount,
      roundTripTime: this.#liveness?.roundTripTime,
      pauses: this.delivery.pauses,
      throttles: this.#throttle?.count ?? 0,
      turnsWaited: this.turnsWaited,
    });
  }
}
