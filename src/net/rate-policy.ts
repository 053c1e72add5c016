import { checkNumber, checkOptions, optionSet, refilled } from "../core/internal.ts";

/**
 * A limit on the bytes that pass in one direction. An implementation needs neither timer nor clock: the caller passes
 * the time, in milliseconds that never go back. Several streams, and both directions, may share a limit; it then bounds
 * their sum.
 */
export interface RateLimit {
  /** How many bytes may pass now; 0 or less if none may. */
  available(now: number): number;
  /**
   * Charges bytes that pass. They may be more than were available, since a read's size is not known before; such a debt
   * must delay later bytes. A negative number gives back bytes that were charged but did not pass.
   */
  take(bytes: number, now: number): void;
  /** In how many milliseconds to ask again, at least 1, when nothing is available; `bytes` are wanted. */
  delay(bytes: number, now: number): number;
}

/** The limits of a `RateLimitStream`. */
export interface RatePolicy {
  /** The limit for reads. Default: none. */
  readonly read?: RateLimit | undefined;
  /** The limit for writes. Default: none. */
  readonly write?: RateLimit | undefined;
}

/** Options of {@link simpleRatePolicy}. */
export interface SimpleRatePolicyOptions {
  /** How many bytes a second may be read, more than 0. Default Infinity: no limit. */
  read?: number | undefined;
  /** How many bytes a second may be written, more than 0. Default Infinity: no limit. */
  write?: number | undefined;
  /** Unused bytes of this many milliseconds may pass later, all at once. More than 0. Default 1000. */
  burst?: number | undefined;
}

/** The delay is long enough to gather this many milliseconds' worth of bytes, to avoid many small writes. */
const worthwhileMs = 50;

/** Allows for rounding errors of summed fractions. */
const tolerance = 1e-6;

/** A token bucket, one token a byte, that fills at a fixed rate. It can be in debt. */
class TokenBucket implements RateLimit {
  /** Bytes per millisecond. */
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
    // The bucket begins full, so the length of the first interval does not matter.
    this.#tokens = refilled(this.#tokens, this.#capacity, this.#rate, now - this.#filledAt);
    this.#filledAt = now;
  }
}

/**
 * A policy of a fixed number of bytes a second in each direction. Pass it to one `RateLimitStream`, or to several that
 * share the limit.
 *
 * Throws `core.invalid_argument` for a value that is not a number above 0, and for an unknown option.
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
