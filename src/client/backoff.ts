import { invalidArgument, isPlainObject } from "../core/internal.ts";

/** How long to wait between attempts; times in milliseconds. */
export interface BackoffOptions {
  /** The wait behind the first failure. Default 500. */
  initial?: number | undefined;
  /** What each further failure in a row multiplies it by, at least 1. Default 2. */
  factor?: number | undefined;
  /** The longest wait. A connection that lived as long ends the row of failures. Default 30,000. */
  max?: number | undefined;
  /**
   * "full" waits for a random part of that, so that the clients of a server that failed do not all come back at once;
   * "none" for all of it. Default "full".
   */
  jitter?: "full" | "none" | undefined;
}

/** The waits between attempts: exponential, with a ceiling. Pure. */
export class Backoff {
  readonly max: number;
  readonly #initial: number;
  readonly #factor: number;
  readonly #isRandom: boolean;

  /** Throws `core.invalid_argument`, naming the option, for what can't be meant. */
  constructor(options: BackoffOptions = {}) {
    if (!isPlainObject(options)) throw invalidArgument("The option backoff must be an object, such as { max: 5000 }");
    const { initial = 500, factor = 2, max = 30_000, jitter = "full", ...others } = options;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) throw invalidArgument(`There is no option "backoff.${unknown}"`);
    this.max = atLeast("max", max, 0);
    this.#initial = atLeast("initial", initial, 0);
    this.#factor = atLeast("factor", factor, 1);
    if (jitter !== "full" && jitter !== "none") throw invalidArgument('backoff.jitter must be "full" or "none"');
    this.#isRandom = jitter === "full";
  }

  /** The wait behind so many failures in a row, at least one. `random` gives numbers from 0 up to 1. */
  delay(failures: number, random: () => number = Math.random): number {
    // No infinity, which times nothing would be no number.
    const growth = Math.min(this.#factor ** (failures - 1), Number.MAX_VALUE);
    const longest = Math.min(this.max, this.#initial * growth);
    return this.#isRandom ? random() * longest : longest;
  }
}

function atLeast(name: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value;
  throw invalidArgument(`backoff.${name} must be a number of at least ${least}, not ${String(value)}`);
}
