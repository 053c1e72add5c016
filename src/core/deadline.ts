import { afterPoll, type AttentiveClock } from "./attentive-clock.ts";
import type { Timer } from "./clock.ts";

/**
 * A deadline that is moved often and rarely reached. Its timer is not set again for each move; when it fires, it looks
 * whether the deadline has come. Its times are those of an {@link AttentiveClock}, and it comes after a poll, as that one's
 * timers do.
 */
export class Deadline {
  readonly #time: AttentiveClock;
  readonly #expired: () => void;
  #at = Infinity;
  /** How long before that it was set. */
  #ms = 0;
  /** The timer, or the wait for the poll after it. */
  #timer: Timer | undefined;
  #timerAt = Infinity;

  constructor(time: AttentiveClock, expired: () => void) {
    this.#time = time;
    this.#expired = expired;
  }

  /** Moves the deadline to `ms` milliseconds from now; Infinity for none. */
  set(ms: number): void {
    if (ms === Infinity) {
      this.#at = Infinity;
      return;
    }
    this.#at = this.#time.now() + ms;
    this.#ms = ms;
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
    this.#timer = this.#time.clock.setTimer(ms, this.#fired);
    // The awaited thing keeps the process alive, if anything does.
    this.#timer.unref?.();
  }

  readonly #fired = (): void => {
    this.#timer = undefined;
    if (this.#at === Infinity) return;
    const left = this.#time.left(this.#at, this.#ms);
    if (left > 0) this.#arm(left);
    else this.#timer = afterPoll(() => this.#polled());
  };

  #polled(): void {
    this.#timer = undefined;
    if (this.#at === Infinity) return;
    // It may have been moved meanwhile.
    const left = this.#at - this.#time.now();
    if (left >= 1) {
      this.#arm(left);
      return;
    }
    this.#at = Infinity;
    this.#expired();
  }
}
