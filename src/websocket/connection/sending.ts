import { ServalError, type ByteStream, type Handler, type WriteHandler } from "../../core/index.ts";
import { handlersFor, type AsyncContext, type Flushing } from "../../core/internal.ts";
import { ThreadedDeflater } from "../deflate/deflate-later.ts";
import { closeCode } from "../frames/close-code.ts";
import { websocketError } from "../frames/errors.ts";
import type { opcode } from "../frames/frame.ts";
import type { MessageData } from "../options/handlers.ts";
import type { Settings } from "../options/settings.ts";
import { compressionOf } from "../protocol/compression.ts";
import type { DataOpcode } from "../protocol/outgoing.ts";
import type { WholeData } from "../protocol/prepared.ts";
import { ProtocolCore } from "../protocol/protocol-core.ts";
import { deflatePrepared } from "./deflate-prepared.ts";
import { Delivery, type Resumable } from "./delivery.ts";
import { flushes, flushing, lateFlushes } from "./flushes.ts";
import { joined, PartedMessage, type Item, type Queued, type WholeMessage } from "./item.ts";
import type { Opened } from "./opened.ts";
import { SendQueue } from "./send-queue.ts";
import { tell, tellAll } from "./tell.ts";
import { phase, Turns } from "./turns.ts";

/**
 * The sending half of a {@link Connection}: messages are framed at once or wait in the {@link SendQueue}; everything
 * framed since the last write leaves in one.
 */
export abstract class Sending<Ws> extends Turns implements Resumable<Ws>, Flushing {
  readonly protocol: ProtocolCore;
  /** Handlers are called and the transport is asked in this async context: each call from outside enters it. */
  readonly context: AsyncContext;
  /** Whether a write is in flight. */
  isWriting = false;
  readonly ws: Ws;
  readonly settings: Settings<Ws>;

  protected readonly next: ByteStream;
  /** For its reads and writes, unless the stream takes the connection itself. */
  protected readonly handlers: ReturnType<typeof handlersFor>;
  protected readonly delivery: Delivery<Ws>;
  protected phase: (typeof phase)[keyof typeof phase] = phase.open;
  /** Whether a turn runs; whether one is scheduled, the first by `start`, so that none overtakes it. Both flush. */
  protected isTurning = false;
  protected isScheduled = true;
  protected dropped = 0;

  #queue: SendQueue | undefined;
  /** The message that `writeSome` sends; "dropped" if its first part was refused. */
  #parts: PartedMessage | "dropped" | undefined;
  /** Which flush is scheduled. */
  #flushing: (typeof flushing)[keyof typeof flushing] = flushing.none;
  /** `bufferedAmount` has reached `highWaterMark`; `toldFull`: `send` returned false, so `drain` is owed. */
  #isFull = false;
  #toldFull = false;

  constructor(ws: Ws, next: ByteStream, { role, deflate, context }: Opened, settings: Settings<Ws>) {
    super();
    this.context = context;
    this.ws = ws;
    this.next = next;
    this.handlers = handlersFor(next, this);
    this.settings = settings;
    this.delivery = new Delivery(this);
    const { inflater, deflater } = compressionOf(role, deflate, settings.deflate, ThreadedDeflater);
    this.protocol = new ProtocolCore(role, settings, inflater, deflater);
  }

  /** A handler is done; it threw or rejected with `thrown`, if that is given. */
  abstract resumed(thrown?: ServalError): void;
  /** Ends at once: the next layer failed or, without an error, the connection was terminated. */
  abstract lost(error?: ServalError): void;
  /** The error of an operation after the end, or close to it. */
  abstract closedError(): ServalError;
  /** Runs a turn soon, outside of the current call. */
  protected abstract wake(): void;
  protected abstract startClosing(): void;
  protected abstract finish(): void;

  /** Whether messages can be sent and received. */
  get isOpen(): boolean {
    return this.phase === phase.open && this.protocol.canSend;
  }

  /** How many bytes wait to be sent. */
  get bufferedAmount(): number {
    const { queued, written } = this.protocol.outgoing;
    return queued - written + (this.#queue?.size ?? 0);
  }

  /** How many bytes the transport has taken. */
  get written(): number {
    return this.protocol.outgoing.written;
  }

  /** Queues a message; false if there is no room for more, or the connection is ending. */
  send(code: DataOpcode, data: WholeData, compress: boolean): boolean {
    return this.hasRoomAfter(this.write(code, data, compress, false));
  }

  /** Queues a message. With `isPatient` it is not framed before it can leave, so that it can be withdrawn. */
  write(code: DataOpcode, data: WholeData, compress: boolean, isPatient: boolean): Queued {
    const mustWait = isPatient && this.protocol.outgoing.bufferedAmount > 0;
    const framed = mustWait ? undefined : this.frame(code, data, compress);
    if (framed !== undefined) return framed;
    const refusal = this.refusal("message");
    if (refusal !== undefined) return refusal;
    const message = this.queue.add(code, data, compress, isPatient);
    this.#pump();
    return this.#added(this.queue.awaited(message));
  }

  /** Frames a message at once, if nothing forbids it; returns how far writing must come. Undefined if nothing was done. */
  frame(code: DataOpcode, data: WholeData, compress: boolean): number | undefined {
    const { outgoing, state } = this.protocol;
    const { highWaterMark, maxBufferedAmount, overflow } = this.settings;
    const isPlain =
      this.phase === phase.open &&
      state === "open" &&
      (this.#queue === undefined || this.#queue.isEmpty) &&
      (outgoing.queued - outgoing.written <= maxBufferedAmount || overflow === "wait");
    const framed = isPlain ? outgoing.send(code, data, compress) : undefined;
    if (framed === undefined) return undefined;
    // As `flushSoon` does, written out.
    if (!this.isTurning && !this.isScheduled && this.#flushing === flushing.none) {
      this.#flushing = flushing.soon;
      flushes.soon(this);
    }
    if (outgoing.queued - outgoing.written >= highWaterMark) this.#isFilled();
    return framed;
  }

  /** Begins a message in parts, which takes its place in the queue now; `size` bytes of it are to come, if known. */
  begin(code: DataOpcode | undefined, compress: boolean, size = 0): PartedMessage | ServalError {
    const refusal = this.refusal("message");
    if (refusal !== undefined) return refusal;
    const message = this.queue.begin(code, compress, size);
    this.#pump();
    this.#isFilled();
    return message;
  }

  /** Queues a part of the message that is being sent in parts, the first one or another. */
  writeSome(code: DataOpcode, data: MessageData, isLast: boolean, compress: boolean): Queued {
    const refusal =
      this.#parts === "dropped"
        ? websocketError("websocket.queue_overflow")
        : this.refusal(this.#parts === undefined ? "message" : "part");
    if (refusal !== undefined) {
      // Without its first part there is no message: later parts are dropped too.
      this.#parts = isLast ? undefined : "dropped";
      return refusal;
    }
    const message = (this.#parts as PartedMessage | undefined) ?? this.queue.begin(code, compress);
    this.#parts = isLast ? undefined : message;
    return this.part(message, message.encode(data, isLast), isLast);
  }

  /** Queues a part of a message. */
  part(message: PartedMessage, bytes: Uint8Array, isLast: boolean): number | Item {
    const part = this.queue.part(message, bytes, isLast);
    this.#pump();
    return this.#added(this.queue.awaited(part));
  }

  /** Queues a ping or pong. */
  control(code: typeof opcode.ping | typeof opcode.pong, payload: Uint8Array): number | ServalError {
    const refusal = this.refusal("control");
    if (refusal !== undefined) return refusal;
    this.protocol.control(code, payload);
    this.flushSoon();
    return this.protocol.outgoing.position(false);
  }

  /** The result of `send` for something queued or refused: false means that `drain` will be called, if it is open. */
  hasRoomAfter(queued: Queued): boolean {
    if (!(queued instanceof ServalError) && !this.#isFilled()) return true;
    this.#toldFull = this.isOpen;
    return false;
  }

  /** Whether more waits to be sent than `maxBufferedAmount`, with the objects that it takes. */
  get isOverfull(): boolean {
    const { queued, written } = this.protocol.outgoing;
    return queued - written + (this.#queue?.sizeInMemory ?? 0) > this.settings.maxBufferedAmount;
  }

  /** Why something can't be queued now. */
  refusal(what: "message" | "part" | "control"): ServalError | undefined {
    if (!this.isOpen) return this.closedError();
    const { overflow } = this.settings;
    // A message that has begun must not get a hole.
    if (!this.isOverfull || overflow === "wait" || (overflow === "drop" && what === "part")) return undefined;
    const error = websocketError("websocket.queue_overflow");
    if (overflow === "close") this.lost(error);
    else if (what === "message") this.dropped++;
    return error;
  }

  /** Messages that wait to be framed. */
  get queue(): SendQueue {
    return (this.#queue ??= new SendQueue(this.protocol.outgoing));
  }

  /** Queues our close frame, after the messages that wait. */
  protected sendClose(code: number, reason: string): void {
    if (this.#queue === undefined || this.#queue.isEmpty) this.protocol.close(code, reason);
    else {
      this.#queue.close(code, reason);
      this.#pump();
    }
  }

  /** Withdraws an item; false if it has begun to be sent. */
  withdraw(item: Item): boolean {
    if (this.#queue?.withdraw(item) !== true) return false;
    if (item instanceof PartedMessage) item.cancel?.();
    // Nothing follows a close frame, not even instead of a withdrawn message.
    if (this.protocol.canSend) this.#pump();
    this.wake();
    return true;
  }

  /**
   * Ends a message whose source failed. If it has begun, only the close can still be sent. The same if no writer waits
   * for it (`isUntold`), since the application believes that the message was sent.
   */
  abandon(message: PartedMessage, error: ServalError, isUntold: boolean): void {
    if (this.withdraw(message) && !isUntold) return;
    this.context.runInAsyncScope(this.delivery.error, this.delivery, error);
    this.#cutShort(message, closeCode.internalError);
  }

  /** Gives an item up: withdraws it, or if it has begun and its source is still being read, closes with `code`. */
  giveUp(item: Item, code: number): void {
    if (this.withdraw(item) || !(item instanceof PartedMessage) || !item.isBeingRead) return;
    this.#cutShort(item, code);
  }

  /** Half a message was sent, so only a close frame can follow: the one that waits, or one with this code. */
  #cutShort(message: PartedMessage, code: number): void {
    message.cancel?.();
    message.isFinite = false;
    if (this.isOpen) {
      this.startClosing();
      this.cutAll();
      this.protocol.close(code, "");
    } else if (this.protocol.canSend) this.#pump();
    this.wake();
  }

  /** Whether writing has reached `position`. */
  hasWritten(position: number): boolean {
    return position <= this.protocol.outgoing.written;
  }

  /** Waits until writing has reached `position`. */
  waitWritten(position: number, handler: Handler): void {
    this.queue.wait(position, handler);
  }

  /** Called after queueing; returns what its writer waits for. */
  #added<Waiting>(waiting: Waiting): Waiting {
    this.flushSoon();
    this.#isFilled();
    return waiting;
  }

  /** Whether there is no room for more. */
  #isFilled(): boolean {
    if (this.bufferedAmount < this.settings.highWaterMark) return false;
    if (!this.#isFull) {
      this.#isFull = true;
      this.settings.observer?.backpressure(this.ws);
    }
    return true;
  }

  /** Frames as much as there is room for; `besides` of the waiting bytes do not count. */
  #pump(besides = 0): void {
    const queue = this.#queue;
    if (queue === undefined) return;
    try {
      for (let step = queue.next(besides); step !== undefined; step = queue.next(besides)) {
        if (step.do === "deflate") this.#deflate(queue, step.message);
        else if (step.do === "cut") this.#cut(step.items);
        else if (this.protocol.canSend) this.protocol.close(step.closing.code, step.closing.reason);
      }
    } catch (misuse) {
      this.lost(misuse as ServalError);
    }
    const due = queue.written();
    if (due.length > 0) queueMicrotask(() => tellAll(due));
  }

  /** Compresses a long message on another thread; nothing overtakes it but control frames. */
  #deflate(queue: SendQueue, message: WholeMessage): void {
    const { prepared } = message;
    const deflater = this.protocol.outgoing.deflater as ThreadedDeflater; // by the constructor
    const done = (payload: Uint8Array): void => {
      if (!queue.isFirst(message)) return;
      try {
        queue.deflated(message, payload);
      } catch (misuse) {
        return this.lost(misuse as ServalError);
      }
      this.#pump();
      this.wake();
    };
    if (prepared === undefined || deflater.takeover) deflater.deflateLater(joined(message), done);
    else {
      const known = deflatePrepared(prepared, deflater, done);
      if (known !== undefined) queue.deflated(message, known);
    }
  }

  /** Fails items that will not be sent, `later` or now. */
  #cut(items: readonly Item[], later = true): void {
    for (const item of items) {
      if (item instanceof PartedMessage) item.cancel?.();
      const { handler } = item;
      if (handler === undefined) continue;
      if (later) queueMicrotask(() => tell(handler, this.closedError(), undefined));
      else tell(handler, this.closedError(), undefined);
    }
  }

  /** Nothing is framed any more. */
  protected cutAll(): void {
    if (this.#queue !== undefined) this.#cut(this.#queue.cutAll(), false);
    this.protocol.outgoing.deflater?.close();
  }

  // ---- writing ----

  /** Writes queued output soon, together with everything queued until then, here and on other connections. */
  protected flushSoon(): void {
    if (this.isTurning || this.isScheduled || this.#flushing !== flushing.none) return;
    this.#flushing = flushing.soon;
    flushes.soon(this);
  }

  /**
   * Writes everything framed, unless a write is in flight; then more collects for the next. While the application is busy
   * with messages of which more have arrived, what it sends leaves when the loop turns: all answers in one write.
   */
  flush(): void {
    const scheduled = this.#flushing;
    this.#flushing = flushing.none;
    const { outgoing } = this.protocol;
    if (this.isWriting || outgoing.queued === outgoing.written || this.phase === phase.ended) return;
    if (this.delivery.isPaused && !this.#isFull && this.isOpen && !lateFlushes.isFlushing) {
      this.#flushing = flushing.late;
      if (scheduled !== flushing.late) lateFlushes.soon(this);
      return;
    }
    this.isWriting = true;
    try {
      this.next.writeSome(outgoing.take()!, this.handlers?.onWritten ?? (this as unknown as WriteHandler));
    } catch (misuse) {
      // The program writes on the next layer itself, or has detached a buffer.
      this.lost(misuse as ServalError);
    }
  }

  /** The write has completed. */
  override onWritten(error: ServalError | undefined, count: number): void {
    // A stream that completes a write twice must not free what the next is about to send.
    if (!this.isWriting) return;
    this.isWriting = false;
    if (error !== undefined || this.phase === phase.ended) this.protocol.outgoing.release();
    if (error !== undefined) this.lost(error);
    if (error !== undefined || this.phase === phase.ended) return;
    const { outgoing, owesPong } = this.protocol;
    outgoing.wrote(count);
    // Mostly nothing follows; then no context need be entered.
    const isIdle = outgoing.queued === outgoing.written && this.#queue === undefined && !this.#isFull && !owesPong;
    if (!isIdle || this.phase >= phase.finishing) this.context.runInAsyncScope(this.#written, this);
  }

  #written(): void {
    if (this.#queue !== undefined) tellAll(this.#queue.written());
    if (this.phase === phase.ended) return;
    const before = this.protocol.outgoing.queued;
    this.protocol.sendWithheldPong();
    // Repeated pongs must not keep the next message from its turn.
    this.#pump(this.protocol.outgoing.queued - before);
    if (this.#isFull && this.bufferedAmount < this.settings.highWaterMark) {
      const isOwed = this.#toldFull;
      this.#isFull = this.#toldFull = false;
      if (isOwed) this.delivery.drain();
    }
    this.flush();
    if (this.phase >= phase.finishing) this.finish();
  }

  /** After the end: drops everything that waits, and completes the writers. */
  protected endSending(): void {
    this.protocol.outgoing.clear(this.isWriting);
    for (const { handler } of this.#queue?.takeWaiters() ?? []) tell(handler, this.closedError(), undefined);
    this.cutAll();
  }
}
