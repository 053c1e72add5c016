import type { Clock, Timer } from "../../core/index.ts";

/** Waits for silence: a time without messages and without one being processed. */
export class Quiet {
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isBusy = false;
  #ms = 0;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A message has arrived and is being processed. */
  busy(): void {
    this.#isBusy = true;
    this.#timer?.cancel();
  }

  /** The message has been processed. */
  idle(): void {
    this.#isBusy = false;
    this.#arm();
  }

  /** Fulfils after this many milliseconds of silence. An earlier call that still waits never fulfils. */
  lasting(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ms = ms;
      this.#resolve = resolve;
      this.#arm();
    });
  }

  /** Stops waiting. */
  stop(): void {
    this.#timer?.cancel();
    this.#resolve = undefined;
  }

  #arm(): void {
    this.#timer?.cancel();
    const resolve = this.#resolve;
    if (resolve === undefined || this.#isBusy || this.#ms === Infinity) return;
    this.#timer = this.#clock.setTimer(this.#ms, () => {
      this.#resolve = undefined;
      resolve();
    });
  }
}
