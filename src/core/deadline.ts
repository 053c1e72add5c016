import type { Clock, Timer } from "./clock.ts";

/**
 * A deadline that is moved often and rarely reached. Its timer is not set again for each move; when it fires, it looks
 * whether the deadline has come.
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

  /** Removes the deadline; the timer may stay. */
  clear(): void {
    this.#at = Infinity;
  }

  /** Removes the deadline for good, and stops the timer. */
  cancel(): void {
    this.#at = this.#timerAt = Infinity;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timerAt = this.#at;
    this.#timer = this.#clock.setTimer(ms, this.#fired);
    // The awaited thing keeps the process alive, if anything does.
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
