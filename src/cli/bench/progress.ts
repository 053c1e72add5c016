import type { Clock, Timer } from "../../core/index.ts";
import { duration, whole } from "../shared/format.ts";
import type { Output } from "../shared/output.ts";
import { total, type Tally } from "./tally.ts";

/** How often the line is rewritten, in milliseconds. */
const interval = 500;

/** Return to the beginning of the line, and erase it. */
const clear = "\r\x1b[K";

/** A progress line on the terminal that `err` writes to. Without a terminal it does nothing. */
export class Progress {
  readonly #tally: Tally;
  readonly #output: Output;
  readonly #clock: Clock;
  #timer: Timer | undefined;
  #received = 0;
  #at: number;

  constructor(tally: Tally, output: Output, clock: Clock) {
    this.#tally = tally;
    this.#output = output;
    this.#clock = clock;
    this.#at = clock.now();
    if (output.columns !== undefined) this.#write(0);
  }

  /** Erases the line. */
  end(): void {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    this.#output.err(clear);
  }

  #write(perSecond: number): void {
    const line = lineOf(this.#tally, perSecond);
    // A line that wraps would not be erased as a whole.
    this.#output.err(`${clear}${line.slice(0, Math.max(0, (this.#output.columns ?? 80) - 1))}`);
    this.#timer = this.#clock.setTimer(interval, () => {
      const { sent, received } = this.#tally;
      const now = this.#clock.now();
      const count = Math.max(received, sent);
      this.#write(((count - this.#received) * 1000) / (now - this.#at));
      this.#received = count;
      this.#at = now;
    });
  }
}

function lineOf(tally: Tally, perSecond: number): string {
  const { open, latency, failures, errors, wrong, lost } = tally;
  const parts = [`${whole(open)} open`, `${whole(perSecond)} messages/s`];
  if (latency.count > 0) {
    parts.push(`p50 ${duration(latency.percentile(50))}`, `p99 ${duration(latency.percentile(99))}`);
  }
  parts.push(`${whole(total(failures) + total(errors) + wrong + lost)} errors`);
  return parts.join("  ");
}
