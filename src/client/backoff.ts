import { checkChoice, checkNumber, checkOptions, type NumberRule, optionSet } from "../core/internal.ts";

/** How long to wait between attempts; times in milliseconds. */
export interface BackoffOptions {
  /** The wait after the first failure, at least 1. Default 500. */
  initial?: number | undefined;
  /** The factor for each further failure in a row, at least 1. Default 2. */
  factor?: number | undefined;
  /** The longest wait, at least 1. A connection that lived at least this long ends the row of failures. Default 30,000. */
  max?: number | undefined;
  /**
   * "full" waits for a random part of the delay, so that the clients of a failed server do not all come back at once;
   * "none" waits for all of it. Default "full".
   */
  jitter?: "full" | "none" | undefined;
}

const backoffOptions = optionSet("backoff", ["initial", "factor", "max", "jitter"], "{ max: 5000 }");
// With waits of 0, a client of a server that is down would try without a pause.
const wait: NumberRule = { least: 1, isLimit: false, unit: "milliseconds" };

/** The waits between attempts: exponential, with a ceiling. Pure. */
export class Backoff {
  readonly max: number;
  readonly #initial: number;
  readonly #factor: number;
  readonly #isRandom: boolean;

  /** Throws `core.invalid_argument`, naming the option, for an invalid value. */
  constructor(options: BackoffOptions = {}) {
    checkOptions(backoffOptions, options);
    this.max = checkNumber("backoff.max", options.max, 30_000, wait);
    this.#initial = checkNumber("backoff.initial", options.initial, 500, wait);
    this.#factor = checkNumber("backoff.factor", options.factor, 2, { least: 1, isLimit: false });
    this.#isRandom = checkChoice("backoff.jitter", options.jitter, ["full", "none"]) === "full";
  }

  /** The wait after this many failures in a row, at least one. `random` returns numbers from 0 up to 1. */
  delay(failures: number, random: () => number = Math.random): number {
    // Not Infinity, since 0 times Infinity is NaN.
    const growth = Math.min(this.#factor ** (failures - 1), Number.MAX_VALUE);
    const longest = Math.min(this.max, this.#initial * growth);
    return this.#isRandom ? random() * longest : longest;
  }
}
