import type { Clock, Timer } from "../../core/index.ts";

/** Waits for silence. While something that has come is being dealt with, there is none. */
export class Quiet {
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #isBusy = false;
  #ms = 0;
  #resolve: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something has come. */
  busy(): void {
    this.#isBusy = true;
    this.#timer?.cancel();
  }

  /** It has been dealt with. */
  idle(): void {
    this.#isBusy = false;
    this.#arm();
  }

  /** Fulfils after so many milliseconds of silence. The call before, if it still waits, never does. */
  lasting(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#ms = ms;
      this.#resolve = resolve;
      this.#arm();
    });
  }

  /** Waits no longer. */
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
