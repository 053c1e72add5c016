import { currentContext, type AsyncContext } from "./async-context.ts";
import type { AttentiveClock } from "./attentive-clock.ts";
import { SharedTimer, type Expiring } from "./shared-timer.ts";

/**
 * A deadline that is moved often and rarely reached. Its timer is not set again for each move; when it fires, it looks
 * whether the deadline has come. Its times are those of an {@link AttentiveClock}, and it comes after a poll, as that one's
 * timers do; among many deadlines a little later, since they share their timers.
 */
export class Deadline implements Expiring {
  readonly context: AsyncContext;
  readonly #time: AttentiveClock;
  readonly #expired: () => void;
  #at = Infinity;
  #timer: SharedTimer | undefined;
  #timerAt = Infinity;

  /** Calls `expired` in `context`. */
  constructor(time: AttentiveClock, expired: () => void, context: AsyncContext = currentContext()) {
    this.context = context;
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
    if (this.#timer !== undefined && this.#timerAt <= this.#at) return;
    this.#timer?.leave(this);
    this.#arm(ms);
  }

  /** Removes the deadline; the timer may stay. */
  clear(): void {
    this.#at = Infinity;
  }

  /** Removes the deadline for good, and stops the timer. */
  cancel(): void {
    this.#at = this.#timerAt = Infinity;
    this.#timer?.leave(this);
    this.#timer = undefined;
  }

  #arm(ms: number): void {
    this.#timerAt = this.#at;
    // The awaited thing keeps the process alive, if anything does.
    this.#timer = SharedTimer.set(this.#time, ms, this, false);
  }

  /** Called by the timer. */
  expired(): void {
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
