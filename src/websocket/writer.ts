import type { ByteStream, Handler, ServalError, WriteHandler } from "../core/index.ts";
import type { Outgoing } from "./outgoing.ts";
import { tell } from "./tell.ts";

/** What a writer tells its session. */
export interface WriterOwner {
  /** Bytes were written; more room, or nothing left. */
  wrote(): void;
  /** The next layer failed. */
  lost(error: ServalError): void;
}

/** Someone who waits until `position` bytes of all that were ever queued have been written. */
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
  #writing = false;
  #ended = false;
  #waiters: Waiter[] | undefined;

  constructor(next: ByteStream, outgoing: Outgoing, owner: WriterOwner) {
    this.#next = next;
    this.#outgoing = outgoing;
    this.#owner = owner;
  }

  /** Whether everything queued has been written. */
  get isIdle(): boolean {
    return !this.#writing && this.#outgoing.bufferedAmount === 0;
  }

  /** Starts writing what is queued, unless a write is in flight. */
  flush(): void {
    if (this.#writing || this.#outgoing.bufferedAmount === 0) return;
    this.#writing = true;
    try {
      this.#next.writeSome(this.#outgoing.take()!, this.#onWritten);
    } catch (misuse) {
      // Someone else writes on the next layer.
      this.#owner.lost(misuse as ServalError);
    }
  }

  /** Calls the handler once `position` bytes of all that were ever queued have been written; not inside this call. */
  wait(position: number, handler: Handler): void {
    (this.#waiters ??= []).push({ position, handler });
  }

  /** Nothing is written any more: everyone who waits gets the error. */
  end(error: () => ServalError): void {
    const waiters = this.#waiters;
    this.#waiters = undefined;
    this.#ended = true;
    // Of a write that is in flight the buffers stay in use.
    this.#outgoing.clear();
    for (const waiter of waiters ?? []) tell(waiter.handler, error(), undefined);
  }

  readonly #onWritten: WriteHandler = (error, written) => {
    this.#writing = false;
    if (this.#ended) return;
    if (error !== undefined) {
      this.#owner.lost(error);
      return;
    }
    this.#outgoing.wrote(written);
    if (this.#waiters !== undefined) this.#settle();
    this.#owner.wrote();
  };

  /** In order: who came later never overtakes. */
  #settle(): void {
    const waiters = this.#waiters!;
    let done = 0;
    while (done < waiters.length && waiters[done]!.position <= this.#outgoing.written) done++;
    if (done === 0) return;
    this.#waiters = done === waiters.length ? undefined : waiters.slice(done);
    for (let i = 0; i < done; i++) tell(waiters[i]!.handler, undefined, undefined);
  }
}
