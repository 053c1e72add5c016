// Whole sessions: all promises of theirs settle, and nothing of them is left.
import assert from "node:assert/strict";
import { ServalError } from "../../../src/core/index.ts";
import type { VirtualClock } from "../../../src/testing/index.ts";
import { quiet } from "../../support/quiet.ts";
import type { RawPeer } from "../../support/raw-peer.ts";

/** The promises that an application has, most of which nobody awaits. */
export class Tracked {
  /** What those came to that were rejected. */
  readonly errors: ServalError[] = [];
  #pending = 0;

  readonly track = (promise: Promise<unknown>): void => {
    this.#pending++;
    promise.then(
      () => void this.#pending--,
      (error: unknown) => {
        this.#pending--;
        assert.ok(error instanceof ServalError, String(error));
        this.errors.push(error);
      },
    );
  };

  assertSettled(): void {
    assert.equal(this.#pending, 0, "a promise is pending");
  }
}

/** The peer says goodbye, and ends; if the connection does not end with that, its deadline is all that is left. */
export async function leave(
  { peer, clock, isClosed }: { peer: RawPeer; clock: VirtualClock; isClosed: () => boolean },
  bye: Uint8Array,
): Promise<void> {
  void peer.write(bye);
  await quiet();
  peer.stream.end();
  await quiet();
  if (!isClosed()) await clock.advance(30_000);
  await quiet();
}
