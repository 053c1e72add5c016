import { cost, costOf } from "../../core/internal.ts";
import { inflateLater } from "../deflate/inflate-later.ts";
import type { WebsocketCode } from "../frames/errors.ts";
import { long, type Incoming } from "../protocol/incoming.ts";

/**
 * A long message that is being inflated: by another thread or, if it may refer to those before it, in steps of this one.
 * What follows it waits.
 */
export class Inflation {
  /** What it has come to, or what is wrong with it; undefined before. */
  result: Uint8Array | WebsocketCode | undefined;
  /** Whether another thread does it, which calls back. */
  readonly isElsewhere: boolean;
  readonly #incoming: Incoming;
  readonly #payload: Uint8Array;

  /** Begins with what came with `event.deflated`. `done` is called if another thread has done it. */
  constructor(incoming: Incoming, payload: Uint8Array, done: () => void) {
    const inflater = incoming.inflater!;
    this.#incoming = incoming;
    this.#payload = payload;
    this.isElsewhere = inflater.isAlone;
    if (!this.isElsewhere) return;
    inflater.giveUp();
    inflateLater(payload, incoming.inflatedLimit, (result) => {
      this.result = result;
      // Its parts were put together here.
      incoming.cost += costOf(result.length, 2 * cost.copied);
      done();
    });
  }

  /** Whether to hand over what it has come to is the work of more than a turn. */
  get isLong(): boolean {
    return this.result !== undefined && this.result.length > long;
  }

  /** Takes a step, if that is needed; returns whether it is done. */
  advance(): boolean {
    const { inflater, inflatedLimit } = this.#incoming;
    if (!this.isElsewhere && this.result === undefined) {
      this.result = inflater!.inflateOn(this.#payload, inflatedLimit);
      this.#incoming.cost += inflater!.cost;
      inflater!.cost = 0;
    }
    return this.result !== undefined;
  }
}
