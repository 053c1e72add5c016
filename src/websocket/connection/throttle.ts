import type { Clock, Timer } from "../../core/index.ts";
import { RateMeter, type RateSettings } from "../options/rate.ts";

/** Slows down a peer that exceeds its rate: nothing is read for a while. */
export class Throttle extends RateMeter {
  /** How often the peer had to wait. */
  count = 0;
  readonly #clock: Clock;
  #timer: Timer | undefined;

  constructor(rate: RateSettings, clock: Clock, now: number) {
    super(rate, now);
    this.#clock = clock;
  }

  /** Whether the peer waits. */
  get isOn(): boolean {
    return this.#timer !== undefined;
  }

  /** Makes the peer wait for this many milliseconds, then calls back. */
  wait(ms: number, then: () => void): void {
    this.count++;
    this.#timer = this.#clock.setTimer(ms, () => {
      this.#timer = undefined;
      then();
    });
  }

  /** Calls back no more. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
