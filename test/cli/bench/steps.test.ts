import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Histogram } from "../../../src/cli/bench/histogram.ts";
import { stepsOf } from "../../../src/cli/bench/steps.ts";
import { fc } from "../../support/property.ts";

function steps(...values: number[]): object[] {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return stepsOf(histogram);
}

describe("stepsOf", () => {
  it("has steps of 1, 2 and 5, without gaps", () => {
    assert.deepEqual(steps(0.03, 0.3, 0.04, 0.15), [
      { from: 0.02, to: 0.05, count: 2 },
      { from: 0.05, to: 0.1, count: 0 },
      { from: 0.1, to: 0.2, count: 1 },
      { from: 0.2, to: 0.5, count: 1 },
    ]);
    assert.deepEqual(steps(7), [{ from: 5, to: 10, count: 1 }]);
    assert.deepEqual(steps(), []);
  });

  it("counts each value once, within its step, to the histogram's accuracy", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1e-5, max: 1e6, noNaN: true }), { minLength: 1 }), (values) => {
        const histogram = new Histogram();
        for (const value of values) histogram.record(value);
        const all = stepsOf(histogram);
        assert.equal(
          all.reduce((sum, { count }) => sum + count, 0),
          values.length,
        );
        for (const [i, { to }] of all.entries()) if (i > 0) assert.equal(all[i]!.from, all[i - 1]!.to, String(to));
        assert.ok(all[0]!.from <= histogram.min * 1.01 && histogram.max <= all.at(-1)!.to * 1.01);
      }),
    );
  });
});
