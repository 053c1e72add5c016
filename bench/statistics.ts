/** The value below which the share `part` of the values lies, between two of them by interpolation. NaN without values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * part;
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted.length === 0 ? NaN : sorted[below]! + (sorted[above]! - sorted[below]!) * (at - below);
}

/** The middle of the values. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** A median, and what is known of where it lies. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** The median with the lowest and the highest value. */
export function range(values: readonly number[]): Spread {
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

/**
 * The median with the bounds between which the median of the whole population lies in 99 of 100 cases: order
 * statistics, whose ranks the binomial distribution gives, so that no shape of the distribution is assumed. Fewer than 8
 * values can't tell as much: their bounds are the lowest and the highest.
 */
export function confidence(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const skipped = Math.max(0, ranksBelow(sorted.length, 0.005) - 1);
  return { median: median(values), low: sorted.at(skipped) ?? NaN, high: sorted.at(-1 - skipped) ?? NaN };
}

/** The largest `k` for which fewer than `k` of `count` coins show heads with at most the given probability. */
function ranksBelow(count: number, probability: number): number {
  let term = 0.5 ** count;
  let sum = 0;
  let k = 0;
  while (k < count && sum + term <= probability) {
    sum += term;
    term = (term * (count - k)) / (k + 1);
    k++;
  }
  return k;
}

/** Latencies of a run, in microseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The percentiles of the first `count` values: those at a rank, none between two. */
export function percentiles(values: Float64Array, count: number): Percentiles {
  const sorted = values.subarray(0, count).toSorted();
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(count * part) - 1)] ?? NaN;
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) };
}

/** A number for people: three digits, and none that mean nothing. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  if (Math.abs(value) >= 99.95) return Math.round(value).toLocaleString("en-US");
  return value.toPrecision(3);
}
