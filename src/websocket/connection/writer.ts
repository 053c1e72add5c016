import type { ByteStream, Handler, ServalError } from "../../core/index.ts";
import type { Outgoing } from "../protocol/outgoing.ts";
import { tell } from "./tell.ts";

/** What a writer tells its session. */
export interface WriterOwner {
  /** Bytes were written; more room, or nothing left. */
  wrote(): void;
  /** The next layer failed. */
  lost(error: ServalError): void;
}

/** A handler that waits until `position` bytes of all that were ever queued have been written. */
interface Waiter {
  readonly position: number;
  readonly handler: Handler;
}

/**
 * Moves what is queued to the next layer: one write for all of it, and while that is in flight the next one gathers.
 */
export class Writer {
  readonly #next: ByteStream;
  readonly #outgoing: Outgoing;
  readonly #owner: WriterOwner;
  /** Whether a write is in flight. */
  isWriting = false;
  #ended = false;
  #waiters: Waiter[] | undefined;
  /** The first of them that still waits. */
  #first = 0;

  constructor(next: ByteStream, outgoing: Outgoing, owner: WriterOwner) {
    this.#next = next;
    this.#outgoing = outgoing;
    this.#owner = owner;
  }

  /** Whether everything queued has been written. */
  get isIdle(): boolean {
    return !this.isWriting && this.#outgoing.bufferedAmount === 0;
  }

  /** Starts writing what is queued, unless a write is in flight. */
  flush(): void {
    if (this.isWriting || this.#outgoing.bufferedAmount === 0) return;
    this.isWriting = true;
    try {
      this.#next.writeSome(this.#outgoing.take()!, (error, written) => this.#onWritten(error, written));
    } catch (misuse) {
      // Someone else writes on the next layer.
      this.#owner.lost(misuse as ServalError);
    }
  }

  /** Calls the handler once `position` bytes of all that were ever queued have been written; not inside this call. */
  wait(position: number, handler: Handler): void {
    (this.#waiters ??= []).push({ position, handler });
  }

  /** Nothing is written any more: all waiters get the error. */
  end(error: () => ServalError): void {
    const waiters = this.#waiters?.slice(this.#first);
    this.#waiters = undefined;
    this.#ended = true;
    // Of a write that is in flight the buffers stay in use.
    this.#outgoing.clear();
    for (const waiter of waiters ?? []) tell(waiter.handler, error(), undefined);
  }

  #onWritten(error: ServalError | undefined, written: number): void {
    // A stream that completes a write twice must not free what the next one is about to send.
    if (!this.isWriting) return;
    this.isWriting = false;
    if (this.#ended) return;
    if (error !== undefined) {
      this.#owner.lost(error);
      return;
    }
    this.#outgoing.wrote(written);
    if (this.#waiters !== undefined) this.#settle();
    this.#owner.wrote();
  }

  /** In order: a later waiter never overtakes an earlier one. */
  #settle(): void {
    const waiters = this.#waiters!;
    const first = this.#first;
    let next = first;
    while (next < waiters.length && waiters[next]!.position <= this.#outgoing.written) next++;
    if (next === first) return;
    const done = waiters.slice(first, next);
    this.#first = next;
    // Not at every step: of many waiters, each short write may free but one.
    if (next === waiters.length) this.#waiters = undefined;
    else if (next * 2 > waiters.length) this.#waiters = waiters.slice(next);
    if (this.#waiters !== waiters) this.#first = 0;
    for (const { handler } of done) tell(handler, undefined, undefined);
  }
}
