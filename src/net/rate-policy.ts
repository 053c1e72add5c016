import { checkNumber, checkOptions, optionSet, refilled } from "../core/internal.ts";

/**
 * How many bytes may pass in one direction. Implementations need no timer and no clock of their own: the caller says
 * what time it is, in milliseconds that never go back. One limit may serve any number of streams, and both directions:
 * it then holds for all of them together.
 *
 * Beast's RatePolicy counts the bytes of the current second, and is told when a second is over by each stream's timer;
 * so a policy shared by several streams would be told several times, and all traffic comes in bursts of a second's.
 */
export interface RateLimit {
  /** How many bytes may pass now; 0 or less if none. */
  available(now: number): number;
  /**
   * Takes note of bytes that pass. They may be more than were available, as nobody knows before a read how much it
   * brings: such a debt has to delay what follows. Less than 0 gives back what was taken and did not pass after all.
   */
  take(bytes: number, now: number): void;
  /** In how many milliseconds to ask again, at least 1, where nothing is available; `bytes` would be of use. */
  delay(bytes: number, now: number): number;
}

/** What a `RateLimitStream` may read and write. {@link RateLimit} says why it has this shape. */
export interface RatePolicy {
  /** What may be read. Default all that comes. */
  readonly read?: RateLimit | undefined;
  /** What may be written. Default all. */
  readonly write?: RateLimit | undefined;
}

/** Options of {@link simpleRatePolicy}. */
export interface SimpleRatePolicyOptions {
  /** How many bytes a second may be read, more than 0. Default Infinity: no limit. */
  read?: number | undefined;
  /** How many bytes a second may be written, more than 0. Default Infinity: no limit. */
  write?: number | undefined;
  /** What was left unused of how many milliseconds may pass later, all at once; more than 0. Default 1000, as in Beast. */
  burst?: number | undefined;
}

/** How many milliseconds' worth of bytes is enough to go on with: fewer would make many small writes. */
const worthwhileMs = 50;

/** Sums of fractions are a little off. */
const tolerance = 1e-6;

/** A bucket of tokens, one a byte, that fills at a fixed rate. It can be in debt. */
class TokenBucket implements RateLimit {
  /** Bytes a millisecond. */
  readonly #rate: number;
  readonly #capacity: number;
  readonly #worthwhile: number;
  #tokens: number;
  #filledAt = -Infinity;

  constructor(bytesPerSecond: number, burst: number) {
    this.#rate = bytesPerSecond / 1000;
    this.#capacity = Math.max(1, this.#rate * burst);
    this.#worthwhile = Math.max(1, Math.min(this.#capacity, this.#rate * worthwhileMs));
    this.#tokens = this.#capacity;
  }

  available(now: number): number {
    this.#fill(now);
    return Math.floor(this.#tokens + tolerance);
  }

  take(bytes: number, now: number): void {
    this.#fill(now);
    this.#tokens = Math.min(this.#capacity, this.#tokens - bytes);
  }

  delay(bytes: number, now: number): number {
    this.#fill(now);
    const missing = Math.min(bytes, this.#worthwhile) - this.#tokens;
    return Math.max(1, Math.ceil(missing / this.#rate - tolerance));
  }

  #fill(now: number): void {
    if (now <= this.#filledAt) return;
    // It begins full, so how long the first time is does not matter.
    this.#tokens = refilled(this.#tokens, this.#capacity, this.#rate, now - this.#filledAt);
    this.#filledAt = now;
  }
}

/**
 * A policy of so many bytes a second in each direction. Give it to one `RateLimitStream`, or to several that are to
 * share the limit.
 *
 * Throws `core.invalid_argument` for what is no number above 0, and for an option that there is not.
 */
export function simpleRatePolicy(options: SimpleRatePolicyOptions): RatePolicy {
  checkOptions(policyOptions, options);
  const read = checkNumber("read", options.read, Infinity, { above: 0 });
  const write = checkNumber("write", options.write, Infinity, { above: 0 });
  const burst = checkNumber("burst", options.burst, 1000, { above: 0 });
  return { read: bucket(read, burst), write: bucket(write, burst) };
}

const policyOptions = optionSet("simpleRatePolicy", ["read", "write", "burst"], "{ read: 100_000, write: 100_000 }");

function bucket(bytesPerSecond: number, burst: number): RateLimit | undefined {
  return bytesPerSecond === Infinity ? undefined : new TokenBucket(bytesPerSecond, burst);
}
