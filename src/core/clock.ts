import { show } from "./check-options.ts";
import { invalidArgument } from "./errors.ts";

/** A running timer. */
export interface Timer {
  /** Stops the timer; does nothing if it has fired or was stopped. */
  cancel(): void;
  /** Lets the process end while the timer runs, for timers that would keep it alive. */
  unref?(): void;
}

/** The source of time. Everything that waits has an option `clock`; tests pass a virtual one. */
export interface Clock {
  /** Milliseconds since a fixed moment; never goes back. */
  now(): number;
  /**
   * Runs `expired` once, after `ms` milliseconds; never inside this call, and in the async context of it, as `setTimeout`
   * does. `ms` is finite.
   */
  setTimer(ms: number, expired: () => void): Timer;
}

/** The longest delay of setTimeout in milliseconds; with more, it fires at once. */
const longest = 2 ** 31 - 1;

class SystemTimer implements Timer {
  readonly #timeout: ReturnType<typeof setTimeout>;

  constructor(ms: number, expired: () => void) {
    this.#timeout = setTimeout(expired, Math.min(ms, longest));
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  unref(): void {
    this.#timeout.unref();
  }
}

/** The platform's time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (ms, expired) => new SystemTimer(ms, expired),
};

/** The value of an option `clock`. Default: the platform's time. */
export function checkClock(clock: Clock = systemClock): Clock {
  if (typeof clock?.setTimer === "function" && typeof clock.now === "function") return clock;
  throw invalidArgument(`clock must be a core.Clock, not ${show(clock)}`);
}
