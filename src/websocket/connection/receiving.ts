import type { Handler, ServalError } from "../../core/index.ts";
import { soon, turnBudget } from "../../core/internal.ts";
import type { MessageData } from "../options/handlers.ts";
import { event, found, take, type Take } from "../protocol/event.ts";
import type { ReceivedPart } from "./delivery.ts";
import type { Inflation } from "./inflation.ts";
import { Sending } from "./sending.ts";
import { phase, spentAtOnce, type terminated } from "./turns.ts";

/** The reads of a {@link Connection}. */
export abstract class Receiving<Ws> extends Sending<Ws> {
  /** Whether a read of the transport is in flight. */
  isReading = false;
  /** The message being inflated in more than one step; later input waits for it. */
  protected inflation: Inflation | undefined;
  /** Why the connection ended, for later operations. */
  protected failure: ServalError | typeof terminated | undefined;

  /** Completes the pending read with the error of the end. */
  protected abstract endReading(): void;

  /** Waits for the next message. One read at a time. */
  read(reader: Handler<MessageData>): void {
    this.#wait(take.message, reader as Handler<unknown>);
  }

  /** Waits for the next part of a message. */
  readSome(reader: Handler<ReceivedPart>): void {
    this.#wait(take.part, reader as Handler<unknown>);
  }

  #wait(taking: Take, reader: Handler<unknown>): void {
    const { delivery } = this;
    const { incoming } = this.protocol;
    delivery.read(taking, incoming.isInParts, reader);
    if (this.phase >= phase.finishing) queueMicrotask(() => this.endReading());
    // Mostly bytes are awaited already, and a turn would find nothing to do.
    const isEmpty = incoming.isEmpty && this.inflation === undefined && delivery.held === undefined;
    if (!isEmpty || !this.isReading) this.wake();
  }

  /**
   * The next message, if it has arrived and another follows, which stops reading until it is taken too. The last one comes
   * in a turn, which writes all answers together and reads on. So does all that calls a handler.
   */
  readAtOnce(): MessageData | undefined {
    const { delivery, protocol, settings } = this;
    const { incoming, outgoing } = protocol;
    if (this.phase !== phase.open || this.isTurning || this.isWaiting || turnBudget.isSpent) return undefined;
    // The first message comes after the handler `open`.
    if (!delivery.isAsked || incoming.messages === 0 || !incoming.isFollowed) return undefined;
    if (this.inflation !== undefined || incoming.cost + outgoing.cost > spentAtOnce) return undefined;
    if (protocol.next(take.message) === event.failed) {
      this.failure = protocol.failure!;
      soon(this.context, this.violated, this);
      return undefined;
    }
    incoming.retain();
    const { message } = found;
    if (settings.observer !== undefined) {
      this.context.runInAsyncScope(settings.observer.message, settings.observer, this.ws, message);
    }
    return message;
  }

  /** Aborts a read; its data stays for the next one. False if it has completed. */
  cancelRead(reader: unknown): boolean {
    return this.delivery.cancel(reader);
  }

  /** Whether a reader, which has got a message, need not be awaited: it was the last one, and no output waits for the answer. */
  protected handedOver(): boolean {
    const { incoming, outgoing } = this.protocol;
    const isLast = incoming.isEmpty && outgoing.queued === outgoing.written && incoming.cost <= spentAtOnce;
    if (isLast) this.delivery.caughtUp();
    else this.turnSoon();
    return isLast;
  }

  /** The peer violated the protocol or a limit. */
  protected violated(): void {
    this.failure = this.protocol.failure!;
    this.delivery.error(this.failure);
  }

  /** Runs another turn after the current call. */
  protected turnSoon(): void {
    if (this.isScheduled) return;
    this.isScheduled = true;
    soon(this.context, this.turn, this);
  }

  protected override wake(): void {
    if (!this.isTurning) this.turnSoon();
  }

  /** Charges the work done since the last call. Returns whether the share of this turn is used up. */
  protected isOverdrawn(): boolean {
    const { incoming, outgoing } = this.protocol;
    const cost = incoming.cost + outgoing.cost;
    const { copying } = incoming;
    incoming.cost = incoming.copying = outgoing.cost = 0;
    return turnBudget.spend(this, cost, copying);
  }
}
