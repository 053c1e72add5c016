/** Bits of the bucket within an octave: the buckets of an octave are a power of two, so these are bits of a double. */
const bucketBits = 7;
/** The octaves from 2^-20 ms, about a nanosecond, to 2^23 ms, more than two hours. */
const lowest = -20;
const highest = 23;

/** A double, viewed as two 32-bit halves. */
const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
/** Index of the upper half: sign, exponent and the highest bits of the fraction. */
const upper = new Uint8Array(Float64Array.of(1).buffer)[7] === 0 ? 0 : 1;
/** Bits of the upper half below those of the bucket. */
const shift = 20 - bucketBits;
const base = bucketOf(2 ** lowest);
const bucketCount = (highest - lowest) << bucketBits;

/**
 * A histogram in memory of fixed size. As in an HDR histogram, each power of two is divided into 128 equal buckets, so
 * a value is known to half a percent. Exponent and seven bits of the fraction, as a double has them, are the index of
 * the bucket. Values are milliseconds, from a nanosecond to two hours. Values outside count as the nearest inside;
 * `min` and `max` stay exact. Pure.
 */
export class Histogram {
  /** How many values were recorded. */
  count = 0;
  /** The smallest and the largest value; 0 without values. */
  min = 0;
  max = 0;
  #sum = 0;
  readonly #counts = new Float64Array(bucketCount);

  record(value: number): void {
    if (this.count === 0) this.min = this.max = value;
    else if (value < this.min) this.min = value;
    else if (value > this.max) this.max = value;
    this.count++;
    this.#sum += value;
    const index = bucketOf(value) - base;
    this.#counts[value <= 0 || index < 0 ? 0 : Math.min(index, bucketCount - 1)]!++;
  }

  /** The mean; 0 without values. */
  get mean(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }

  /**
   * A percentile by nearest rank: the least value that so many percent of all values do not exceed. Three decimals of
   * `percent` count. 0 without values.
   */
  percentile(percent: number): number {
    const rank = Math.max(1, Math.ceil((this.count * Math.round(percent * 1000)) / 100_000));
    if (rank >= this.count) return this.max;
    let seen = 0;
    for (const [value, count] of this) {
      seen += count;
      if (seen >= rank) return value;
    }
    return this.max;
  }

  /** The values in ascending order, each with its count. A bucket's values are reported as its middle. */
  *[Symbol.iterator](): Generator<[value: number, count: number], void, void> {
    for (let index = 0; index < bucketCount; index++) {
      const count = this.#counts[index]!;
      if (count > 0) yield [Math.min(this.max, Math.max(this.min, middleOf(index))), count];
    }
  }

  /** Forgets all values. */
  clear(): void {
    this.count = this.min = this.max = this.#sum = 0;
    this.#counts.fill(0);
  }
}

function bucketOf(value: number): number {
  double[0] = value;
  return halves[upper]! >>> shift;
}

function middleOf(index: number): number {
  const octave = 2 ** (lowest + (index >> bucketBits));
  return octave * (1 + ((index & ((1 << bucketBits) - 1)) + 0.5) / (1 << bucketBits));
}
