import {
  coreError,
  type ByteStream,
  type CloseInfo,
  type Handler,
  type ReadHandler,
  type Role,
  type ServalError,
  type Timer,
  teardown,
} from "../../core/index.ts";
import { Batch } from "../../core/internal.ts";
import { Application, type ApplicationOwner } from "./application.ts";
import { closeCode, closeCodeOf, howClosed } from "../frames/close-code.ts";
import { Deflater, Inflater } from "../deflate/deflate.ts";
import { websocketError } from "../frames/errors.ts";
import { finalBit, opcode } from "../frames/frame.ts";
import type { MessageData } from "../options/handlers.ts";
import { take } from "../protocol/event.ts";
import type { DataOpcode, Item, PartedMessage } from "./item.ts";
import { Liveness, type LivenessOwner } from "./liveness.ts";
import type { DeflateParameters } from "../handshake/permessage-deflate.ts";
import type { WholeData } from "../protocol/prepared.ts";
import { Protocol } from "../protocol/protocol.ts";
import { RateMeter } from "../options/rate.ts";
import { Receiver, type ReceivedPart, type ReceiverOwner } from "./receiver.ts";
import { Sender, type SenderOwner } from "./sender.ts";
import type { Settings } from "../options/settings.ts";
import { ratio, type Statistics } from "../options/statistics.ts";
import { tell } from "./tell.ts";
import { Writer, type WriterOwner } from "./writer.ts";

/** Sessions with unflushed output; all flush in one microtask after the current call. */
const flushes = new Batch<Session<unknown>>((session) => session.flush());

/** What the opening handshake left. */
export interface Opened {
  readonly role: Role;
  readonly deflate: DeflateParameters | undefined;
}

/**
 * An open connection, from the handshake to the end of the transport: the shell around {@link Protocol}. It moves in
 * turns: take events from what was received while someone wants them, write what that made, read on.
 */
export class Session<Ws> implements WriterOwner, ApplicationOwner, SenderOwner, ReceiverOwner, LivenessOwner {
  readonly protocol: Protocol;
  /** How it ended, once the transport is closed. */
  ended: CloseInfo | undefined;
  /** A read is in flight. */
  isReading = false;
  /** Our side has been asked to close; what was queued before goes first. */
  isClosing = false;

  readonly #ws: Ws;
  readonly #application: Application<Ws>;
  readonly #next: ByteStream;
  readonly #role: Role;
  readonly #settings: Settings<Ws>;
  readonly #writer: Writer;
  readonly #sender: Sender;
  readonly #receiver: Receiver<Ws>;
  readonly #liveness: Liveness;
  readonly #inflater: Inflater | undefined;
  readonly #onEnded: (ws: Ws, info: CloseInfo) => void;

  /** The message that is sent by `writeSome`. */
  #writing: PartedMessage | undefined;
  /** The first part of that was dropped. */
  #isSkipping = false;
  /** How fast the peer sends, and when it has to wait, the timer for that. */
  #rate: RateMeter | undefined;
  #throttle: Timer | undefined;
  #throttles = 0;
  #turning = false;
  /** A turn is coming anyway; the first with `start`, so that none overtakes it. */
  #scheduled = true;
  /** What is queued is about to be written. */
  #flushing = false;
  /** `bufferedAmount` has reached `highWaterMark`; `toldFull`: `send` returned false, so `drain` is owed. */
  #isFull = false;
  #toldFull = false;
  /** Nothing is taken from the peer any more; what is queued is written, then the transport is torn down. */
  #finishing = false;
  #tearingDown = false;
  /** What ended the connection, for reads that come later. */
  #failure: ServalError | undefined;
  #dropped = 0;

  constructor(
    ws: Ws,
    next: ByteStream,
    { role, deflate }: Opened,
    settings: Settings<Ws>,
    onEnded: (ws: Ws, info: CloseInfo) => void,
  ) {
    this.#ws = ws;
    this.#application = new Application(ws, settings, this);
    this.#next = next;
    this.#role = role;
    this.#settings = settings;
    this.#onEnded = onEnded;
    const ofServer = deflate && { windowBits: deflate.serverMaxWindowBits, takeover: !deflate.serverNoContextTakeover };
    const ofClient = deflate && { windowBits: deflate.clientMaxWindowBits, takeover: !deflate.clientNoContextTakeover };
    const [ours, theirs] = role === "server" ? [ofServer, ofClient] : [ofClient, ofServer];
    this.#inflater = theirs && new Inflater(theirs);
    this.protocol = new Protocol(role, settings, this.#inflater);
    this.#receiver = new Receiver(this.protocol, this.#application, this.#inflater, this);
    const { level = 0, memLevel = 0 } = settings.deflate ?? {};
    const deflater = ours && new Deflater({ ...ours, level, memLevel });
    this.#sender = new Sender(this.protocol.outgoing, deflater, settings, this);
    this.#writer = new Writer(next, this.protocol.outgoing, this);
    this.#liveness = new Liveness(settings.timeouts[role], settings.clock, this);
  }

  /** Begins, with the bytes received after the handshake. Messages come after the handshake's completion, never with it. */
  start(rest: Uint8Array): void {
    if (this.ended !== undefined) return;
    this.protocol.incoming.receive(rest);
    this.#liveness.start();
    queueMicrotask(() => {
      if (this.ended === undefined) this.#application.open();
      this.#turn();
    });
  }

  // ---- reading ----

  /** Waits for the next message. One at a time. */
  read(handler: Handler<MessageData>): void {
    this.#receiver.read(take.message, handler as Handler<unknown>);
    this.#wake();
  }

  /** Waits for the next part of a message. */
  readSome(handler: Handler<ReceivedPart>): void {
    this.#receiver.read(take.part, handler as Handler<unknown>);
    this.#wake();
  }

  /** Gives up a read; what it waited for stays for the next one. False if it has completed. */
  cancelRead(handler: unknown): boolean {
    return this.#receiver.cancel(handler);
  }

  // ---- writing ----

  /** Whether messages can be sent and received. */
  get isOpen(): boolean {
    return this.protocol.canSend && !this.isClosing && !this.#finishing && this.ended === undefined;
  }

  /** How many bytes wait to be sent. */
  get bufferedAmount(): number {
    return this.protocol.outgoing.bufferedAmount + this.#sender.waiting + this.#sender.announced;
  }

  /** Queues a message; false if there is no room, or the connection is ending. */
  send(code: DataOpcode, data: WholeData, compress: boolean): boolean {
    if (this.#refusal("message") === undefined) {
      this.#sender.send(code, data, compress);
      this.#flushSoon();
      if (!this.#hasFilled()) return true;
    }
    // In one that is closing there will be none.
    this.#toldFull = this.isOpen;
    return false;
  }

  /** What `send` returns for a message in parts, which was queued or not. */
  sentParts(isQueued: boolean): boolean {
    if (isQueued && !this.#hasFilled()) return true;
    this.#toldFull = this.isOpen;
    return false;
  }

  /**
   * Queues a message. Returns how far writing must come before the write has settled, an item that will know, or why it
   * can't be queued.
   */
  write(code: DataOpcode, data: WholeData, compress: boolean, isPatient: boolean): number | Item | ServalError {
    const refusal = this.#refusal("message");
    if (refusal !== undefined) return refusal;
    const queued = this.#sender.send(code, data, compress, isPatient);
    this.#flushSoon();
    this.#hasFilled();
    return queued;
  }

  /** Queues a part of the message that is being sent in parts, the first one or another; returns what {@link write} does. */
  writeSome(code: DataOpcode, data: MessageData, isLast: boolean, compress: boolean): number | Item | ServalError {
    const refusal = this.#isSkipping
      ? websocketError("websocket.queue_overflow")
      : this.#refusal(this.#writing === undefined ? "message" : "part");
    if (refusal !== undefined) {
      // Without its first part a message is none: the others go the same way.
      this.#isSkipping = !isLast;
      return refusal;
    }
    const message = (this.#writing ??= this.#sender.begin(code, compress));
    if (isLast) this.#writing = undefined;
    return this.part(message, message.encode(data, isLast), isLast);
  }

  /** Begins a message in parts, which takes its place among the others now, with its size if known; or says why it can't. */
  begin(compress: boolean, isPatient: boolean, size = 0): PartedMessage | ServalError {
    const refusal = this.#refusal("message");
    if (refusal !== undefined) return refusal;
    const message = this.#sender.begin(undefined, compress, size);
    message.isPatient = isPatient;
    this.#hasFilled();
    return message;
  }

  /** Queues a part of a message; returns what {@link write} does. */
  part(message: PartedMessage, bytes: Uint8Array, isLast: boolean): number | Item {
    const queued = this.#sender.part(message, bytes, isLast);
    this.#flushSoon();
    this.#hasFilled();
    return queued;
  }

  /** Takes back what has not begun to be sent; false if it has. */
  withdraw(item: Item): boolean {
    if (!this.#sender.withdraw(item)) return false;
    // Not after a close frame that answers the peer's: its handlers may be running now.
    if (this.protocol.canSend) this.#sender.pump();
    this.#wake();
    return true;
  }

  /**
   * A message in parts will not be finished. If it has begun, nothing can be sent any more but the close; nor if nobody
   * else is told (`isUntold`), since the application takes the message for sent.
   */
  abandon(message: PartedMessage, error: ServalError, isUntold: boolean): void {
    if (this.withdraw(message) && !isUntold) return;
    this.#application.error(error);
    if (!this.isOpen) return;
    // First: the handler that is told of it may want to send.
    this.#startClosing();
    this.#sender.end(() => this.closedError());
    this.protocol.close(closeCode.internalError, "");
    this.#wake();
  }

  /** Queues a ping or pong; returns what {@link write} does. */
  control(code: typeof opcode.ping | typeof opcode.pong, payload: Uint8Array): number | ServalError {
    const refusal = this.#refusal("control");
    if (refusal !== undefined) return refusal;
    if (code === opcode.ping) this.#liveness.pinged(payload);
    this.protocol.outgoing.bytes(finalBit | code, payload);
    this.#flushSoon();
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

  /** Whether there is no room for more. */
  #hasFilled(): boolean {
    if (this.bufferedAmount < this.#settings.highWaterMark) return false;
    if (!this.#isFull) {
      this.#isFull = true;
      this.#settings.observer?.backpressure(this.#ws);
    }
    return true;
  }

  /** Why something can't be queued now. */
  #refusal(what: "message" | "part" | "control"): ServalError | undefined {
    if (!this.isOpen) return this.closedError();
    const { overflow, maxBufferedAmount } = this.#settings;
    if (this.bufferedAmount <= maxBufferedAmount || overflow === "wait") return undefined;
    // A message that has begun is not one with a hole in it.
    if (overflow === "drop" && what === "part") return undefined;
    const error = websocketError("websocket.queue_overflow");
    if (overflow === "close") this.lost(error);
    else if (what === "message") this.#dropped++;
    return error;
  }

  // ---- what others tell ----

  /** Begins the closing handshake, if nothing has yet, after the queued messages. */
  close(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.#startClosing();
    this.#sender.close(() => {
      if (this.protocol.canSend) this.protocol.close(code, reason);
    });
    this.#wake();
  }

  #startClosing(): void {
    this.isClosing = true;
    this.protocol.incoming.dropData();
    this.#throttle?.cancel();
    this.#throttle = undefined;
    this.#liveness.startDeadline(this.#settings.timeouts[this.#role].handshake);
  }

  /** The next layer failed, or is given up: ends at once. Also called by the writer. */
  lost(error: ServalError): void {
    if (this.ended !== undefined) return;
    this.#failure ??= error;
    const told = !this.#finishing && error.condition !== "aborted" ? error : undefined;
    this.#next.close();
    this.#settle(false, told);
  }

  /** The peer went wrong. Called by the receiver. */
  violated(error: ServalError): void {
    this.#failure = error;
    this.#application.error(error);
  }

  /** A whole message goes to the application. Called by the receiver. */
  received(message: MessageData): void {
    this.#settings.observer?.message(this.#ws, message);
  }

  /** A pong has come. Called by the receiver. */
  ponged(payload: Uint8Array): void {
    this.#liveness.ponged(payload);
  }

  /** Nothing is taken from the peer any more. */
  get isOver(): boolean {
    return this.#finishing || this.ended !== undefined;
  }

  /** Takes another turn after the current call. Called by the receiver. */
  turnSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => this.#turn());
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
    const { outgoing } = this.protocol;
    const before = outgoing.bufferedAmount;
    this.protocol.sendWithheldPong();
    // A pong in the place of the next message, again and again, must not keep that from its turn.
    this.#sender.pump(outgoing.bufferedAmount - before);
    if (this.#isFull && this.bufferedAmount < this.#settings.highWaterMark) {
      this.#isFull = false;
      if (this.#toldFull) {
        this.#toldFull = false;
        this.#application.drain();
      }
    }
    this.#writer.flush();
    if (this.#finishing) this.#finish();
  }

  /** What waited to be framed has been. Called by the sender. */
  framed(): void {
    this.#wake();
  }

  /** It will not be sent. Called by the sender. */
  cut({ handler }: Item): void {
    if (handler !== undefined) queueMicrotask(() => tell(handler, this.closedError(), undefined));
  }

  /** Whether a write is in flight. */
  get isWriting(): boolean {
    return this.#writer.isWriting;
  }

  /** How many bytes the next layer has taken. */
  get written(): number {
    return this.protocol.outgoing.written;
  }

  /** Asks the peer for a sign of life. Called by the connection's clock. */
  sendPing(payload: Uint8Array): void {
    if (!this.isOpen) return;
    this.protocol.outgoing.bytes(finalBit | opcode.ping, payload);
    this.#flushSoon();
  }

  /** The peer was silent for too long, or did not close in time. Called by the connection's clock. */
  timedOut(): void {
    if (this.isClosing || this.#finishing) {
      this.#next.close();
      this.#settle(false);
    } else {
      this.lost(coreError("core.timeout", { message: "The peer was silent for longer than timeouts.idle" }));
    }
  }

  /** What a user of a connection that has ended, or is ending, is told. */
  closedError(): ServalError {
    if (this.#failure !== undefined) return this.#failure;
    if (!this.#finishing && this.ended === undefined) {
      return websocketError("websocket.closed", { message: "The WebSocket connection is closing" });
    }
    const close = this.ended ?? this.#closeInfo(true);
    return (this.#failure = websocketError("websocket.closed", { close, message: howClosed(close) }));
  }

  /** How it goes. */
  get statistics(): Statistics {
    const { incoming, outgoing } = this.protocol;
    const sender = this.#sender;
    return {
      messagesReceived: incoming.messages,
      messagesSent: sender.messages,
      messagesDropped: this.#dropped,
      bytesReceived: incoming.received,
      bytesSent: outgoing.written,
      payloadReceived: incoming.payload,
      payloadSent: sender.payload,
      compressionReceived: ratio(incoming.deflatedPayload, incoming.inflatedPayload),
      compressionSent: ratio(sender.deflatedPayload, sender.inflatedPayload),
      bufferedAmount: this.bufferedAmount,
      roundTripTime: this.#liveness.roundTripTime,
      pauses: this.#receiver.pauses,
      throttles: this.#throttles,
    };
  }

  // ---- turns ----

  /** Writes what is queued soon, together with all that is queued until then, here and on other connections. */
  #flushSoon(): void {
    if (this.#turning || this.#scheduled || this.#flushing) return;
    this.#flushing = true;
    flushes.soon(this as Session<unknown>);
  }

  flush(): void {
    this.#flushing = false;
    if (this.ended === undefined) this.#writer.flush();
  }

  /** Takes a turn soon, outside of whatever runs now. */
  #wake(): void {
    if (!this.#turning) this.turnSoon();
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    this.isReading = false;
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

  #turn(): void {
    this.#scheduled = false;
    if (this.ended !== undefined) return;
    this.#turning = true;
    const wantsMore = !this.#finishing && this.#receiver.take();
    this.#turning = false;
    this.protocol.incoming.retain();
    if (this.ended !== undefined) return;
    this.#writer.flush();
    if (!this.protocol.canReceive) {
      this.#finish();
    } else if (wantsMore && !this.isReading && this.#throttle === undefined) {
      const wait = this.#wait();
      if (wait === 0) this.#read();
      else if (this.#settings.rate!.exceeded === "wait") {
        this.#throttles++;
        this.#throttle = this.#settings.clock.setTimer(wait, () => this.#readOn());
      } else {
        this.protocol.fail("websocket.rate_exceeded");
        this.violated(this.protocol.failure!);
        this.#writer.flush();
        this.#finish();
      }
    }
  }

  /** For how many milliseconds the peer has to wait: it has sent more than it may. */
  #wait(): number {
    const { rate, clock } = this.#settings;
    const { frames, received } = this.protocol.incoming;
    // Once we have closed, what comes is dropped, and the peer's close follows it.
    if (rate === undefined || received === 0 || this.isClosing) return 0;
    const now = clock.now();
    return (this.#rate ??= new RateMeter(rate, now)).take(frames, received, now);
  }

  #read(): void {
    this.isReading = true;
    this.#liveness.reading();
    try {
      this.#next.readSome(this.#onRead);
    } catch (misuse) {
      // Someone else reads from the next layer.
      this.lost(misuse as ServalError);
    }
  }

  #readOn(): void {
    this.#throttle = undefined;
    this.#turn();
  }

  // ---- the end ----

  /** Nothing more comes from the peer: what is queued is written, then the transport is torn down. */
  #finish(): void {
    if (!this.#finishing) {
      this.#finishing = true;
      this.#liveness.startDeadline(this.#settings.timeouts[this.#role].handshake);
      this.#throttle?.cancel();
      this.protocol.incoming.clear();
      this.#sender.end(() => this.closedError());
      this.#inflater?.close();
      this.#receiver.end();
    }
    if (!this.#writer.isIdle || this.#tearingDown) return;
    this.#tearingDown = true;
    try {
      teardown(this.#next, this.#role, (error) => {
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

  /** It is over; `told` goes to the application's `error`, before its `close`. */
  #settle(finished: boolean, told?: ServalError): void {
    if (this.ended !== undefined) return;
    const info = this.#closeInfo(finished || this.#tearingDown);
    this.ended = info;
    this.#liveness.stop();
    this.#throttle?.cancel();
    this.protocol.incoming.clear();
    this.#inflater?.close();
    // No handler runs inside the application's call of `terminate` or `send`.
    queueMicrotask(() => {
      this.#writer.end(() => this.closedError());
      this.#sender.end(() => this.closedError());
      this.#receiver.end();
      if (told !== undefined) this.#application.error(told);
      // A drain waits for the last handler too.
      const { observer } = this.#settings;
      observer?.working(1);
      this.#onEnded(this.#ws, info);
      this.#application.close(info);
      observer?.working(-1);
    });
  }
}
