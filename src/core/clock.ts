import { show } from "./check-options.ts";
import { invalidArgument } from "./errors.ts";

/** A running timer. */
export interface Timer {
  /** Stops the timer; does nothing if it has fired or was stopped before. */
  cancel(): void;
  /** Lets the process end although the timer runs, where it would keep it. */
  unref?(): void;
}

/** Where time comes from. Everything that waits takes one as its option `clock`; tests pass the test kit's. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes back. */
  now(): number;
  /**
   * Runs `expired` once, after `ms` milliseconds; never inside this call, and in the async context of it, as `setTimeout`
   * does. `ms` is finite.
   */
  setTimer(ms: number, expired: () => void): Timer;
}

/** setTimeout takes at most this many milliseconds; more fires at once. */
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

/** An option `clock`, if it is one. By default the platform's time. */
export function checkClock(clock: Clock = systemClock): Clock {
  if (typeof clock?.setTimer === "function" && typeof clock.now === "function") return clock;
  throw invalidArgument(`clock must be a core.Clock, not ${show(clock)}`);
}
