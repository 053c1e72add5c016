import type { Clock, Timer } from "./clock.ts";

/**
 * A moment at which something has to be over, that is moved often and rarely comes: one timer, which is not set anew for
 * each move, but looks when it fires whether the moment has come.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #expired: () => void;
  #at = Infinity;
  #timer: Timer | undefined;
  #timerAt = Infinity;

  constructor(clock: Clock, expired: () => void) {
    this.#clock = clock;
    this.#expired = expired;
  }

  /** Moves the deadline to `ms` milliseconds from now; Infinity for none. */
  set(ms: number): void {
    if (ms === Infinity) {
      this.#at = Infinity;
      return;
    }
    this.#at = this.#clock.now() + ms;
    if (this.#timer !== undefined && this.#timerAt <= this.#at) return;
    this.#timer?.cancel();
    this.#arm(ms);
  }

  /** There is no deadline for now. */
  clear(): void {
    this.#at = Infinity;
  }

  /** There will be none any more: lets go of the timer. */
  cancel(): void {
    this.#at = this.#timerAt = Infinity;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timerAt = this.#at;
    this.#timer = this.#clock.setTimer(ms, this.#fired);
    // What is waited for keeps the process, if anything does.
    this.#timer.unref?.();
  }

  readonly #fired = (): void => {
    this.#timer = undefined;
    if (this.#at === Infinity) return;
    const left = this.#at - this.#clock.now();
    if (left > 0) {
      this.#arm(left);
      return;
    }
    this.#at = Infinity;
    this.#expired();
  };
}
