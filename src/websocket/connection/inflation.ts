import { cost, costOf } from "../../core/internal.ts";
import { inflateLater } from "../deflate/inflate-later.ts";
import type { WebsocketCode } from "../frames/errors.ts";
import { long, type Incoming } from "../protocol/incoming.ts";

/**
 * A long message being inflated: by another thread or, if it may refer to earlier ones, in steps on this one. Later
 * input waits for it.
 */
export class Inflation {
  /** The message, or its error; undefined until it is done. */
  result: Uint8Array | WebsocketCode | undefined;
  /** Whether another thread inflates it, and calls back. */
  readonly isElsewhere: boolean;
  readonly #incoming: Incoming;
  readonly #payload: Uint8Array;

  /** Begins with the content of `event.deflated`. `done` is called if another thread has finished it. */
  constructor(incoming: Incoming, payload: Uint8Array, done: () => void) {
    const inflater = incoming.inflater!;
    this.#incoming = incoming;
    this.#payload = payload;
    this.isElsewhere = inflater.isAlone;
    if (!this.isElsewhere) return;
    inflater.giveUp();
    inflateLater(payload, incoming.inflatedLimit, (result) => {
      this.result = result;
      // Its parts were joined on this thread.
      incoming.cost += costOf(result.length, 2 * cost.copied);
      done();
    });
  }

  /** Whether delivering it takes more than a turn's work. */
  get isLong(): boolean {
    return this.result !== undefined && this.result.length > long;
  }

  /** Does one step, if needed; returns whether it is done. */
  advance(): boolean {
    const { inflater, inflatedLimit } = this.#incoming;
    if (!this.isElsewhere && this.result === undefined) {
      this.result = inflater!.inflateOn(this.#payload, inflatedLimit);
      this.#incoming.cost += inflater!.takeCost();
    }
    return this.result !== undefined;
  }
}
