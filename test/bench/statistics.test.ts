import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { confidence, figure, median, percentiles, quantile, range } from "../../bench/statistics.ts";

describe("quantile", () => {
  it("is a value, or lies between two", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(quantile([10, 20, 30, 40, 50], 0.25), 20);
    assert.equal(quantile([10, 20], 0.25), 12.5);
    assert.equal(quantile([7], 0.99), 7);
  });

  it("is not a number without values", () => assert.ok(Number.isNaN(median([]))));
});

describe("range", () => {
  it("has the lowest and the highest", () => assert.deepEqual(range([5, 1, 9]), { median: 5, low: 1, high: 9 }));
});

describe("confidence", () => {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => count - i);

  it("has the bounds that tables of order statistics give for 99 %", () => {
    const bounds = (count: number): number[] => [confidence(upTo(count)).low, confidence(upTo(count)).high];
    assert.deepEqual(bounds(9), [1, 9]);
    assert.deepEqual(bounds(11), [1, 11]);
    assert.deepEqual(bounds(12), [2, 11]);
    assert.deepEqual(bounds(15), [3, 13]);
    assert.deepEqual(bounds(21), [5, 17]);
  });

  it("has all values between its bounds if they are few", () => {
    assert.deepEqual(confidence([2, 4, 3]), { median: 3, low: 2, high: 4 });
    assert.deepEqual(confidence([2]), { median: 2, low: 2, high: 2 });
  });
});

describe("percentiles", () => {
  it("are the values at their ranks, among the counted ones", () => {
    const values = Float64Array.from({ length: 2000 }, (_, i) => (i < 1000 ? 1000 - i : 5000));
    assert.deepEqual(percentiles(values, 1000), { p50: 500, p99: 990, p999: 999, max: 1000 });
    assert.deepEqual(percentiles(values, 1), { p50: 1000, p99: 1000, p999: 1000, max: 1000 });
  });
});

describe("figure", () => {
  it("has three digits", () => {
    const figures = [0, 0.012345, 1.2345, 12.345, 99.94, 99.96, 123.4, 1234567, NaN].map(figure);
    assert.deepEqual(figures, ["0", "0.0123", "1.23", "12.3", "99.9", "100", "123", "1,234,567", "–"]);
  });
});
