import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Histogram } from "../../../src/cli/bench/histogram.ts";
import { fc } from "../../support/property.ts";

/** Values of all magnitudes that are measured: each as likely as the others. */
const values = fc.array(
  fc.double({ min: -19.9, max: 22.9, noNaN: true }).map((exponent) => 2 ** exponent),
  { minLength: 1, maxLength: 300 },
);

/** Per mille, as percentiles are spoken of: 50, 99, 99.9. */
const perMille = fc.integer({ min: 0, max: 1000 });

function filled(all: Iterable<number>): Histogram {
  const histogram = new Histogram();
  for (const value of all) histogram.record(value);
  return histogram;
}

describe("Histogram", () => {
  it("has percentiles exact to one percent", () => {
    fc.assert(
      fc.property(values, perMille, (all, p) => {
        const sorted = all.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil((all.length * p) / 1000)) - 1]!;
        const found = filled(all).percentile(p / 10);
        assert.ok(Math.abs(found - exact) <= exact / 100, `${found} for ${exact}`);
      }),
    );
  });

  it("has exact count, least, greatest and mean", () => {
    fc.assert(
      fc.property(values, (all) => {
        const { count, min, max, mean } = filled(all);
        assert.deepEqual([count, min, max], [all.length, Math.min(...all), Math.max(...all)]);
        const exact = all.reduce((sum, value) => sum + value, 0) / all.length;
        assert.ok(Math.abs(mean - exact) <= exact * 1e-9);
      }),
    );
  });

  it("has percentiles that never decrease, between the least and the greatest", () => {
    fc.assert(
      fc.property(values, perMille, perMille, (all, p, q) => {
        const histogram = filled(all);
        const [low, high] = [histogram.percentile(Math.min(p, q) / 10), histogram.percentile(Math.max(p, q) / 10)];
        assert.ok(histogram.min <= low && low <= high && high <= histogram.max);
        assert.equal(histogram.percentile(100), histogram.max);
      }),
    );
  });

  it("lists every value once, in ascending order", () => {
    fc.assert(
      fc.property(values, (all) => {
        const listed = [...filled(all)];
        assert.equal(
          listed.reduce((sum, [, count]) => sum + count, 0),
          all.length,
        );
        assert.deepEqual(
          listed.map(([value]) => value),
          listed.map(([value]) => value).toSorted((a, b) => a - b),
        );
      }),
    );
  });

  it("takes the nearest rank, without a rounding error", () => {
    const histogram = filled(Array.from({ length: 1000 }, (_, i) => i + 1));
    for (const [percent, exact] of [
      [50, 500],
      [99, 990],
      [99.9, 999],
      [100, 1000],
    ] as const) {
      assert.ok(Math.abs(histogram.percentile(percent) - exact) <= exact / 200, `p${percent}`);
    }
    // The 999th of a thousand is not the last.
    assert.ok(filled([...Array<number>(999).fill(1), 1000]).percentile(99.9) < 2);
  });

  it("counts zero, and values below and above its range", () => {
    const histogram = filled([0, 1e-9, -1, 1e12]);
    assert.deepEqual([histogram.count, histogram.min, histogram.max], [4, -1, 1e12]);
    assert.deepEqual(
      [...histogram].map(([, count]) => count),
      [3, 1],
    );
  });

  it("returns 0 without values, and can be cleared", () => {
    const histogram = filled([1, 2, 3]);
    histogram.clear();
    for (const empty of [histogram, new Histogram()]) {
      assert.deepEqual(
        [empty.count, empty.min, empty.max, empty.mean, empty.percentile(50), [...empty]],
        [0, 0, 0, 0, 0, []],
      );
    }
  });
});
