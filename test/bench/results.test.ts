import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  compare,
  isLimitedByLoad,
  ratios,
  replaced,
  slowerThan,
  summary,
  type Entry,
  type WorkloadResult,
} from "../../bench/results.ts";

const entry = (name: string, cpu: readonly number[]): Entry => ({
  name,
  version: "1",
  samples: cpu.map((value) => ({ cpu: value })),
});

const result = (ours: readonly number[], theirs: readonly number[], key = "echo"): WorkloadResult => ({
  key,
  title: key,
  unit: "message",
  metric: "cpu",
  entries: [entry("serval", ours), entry("before", theirs)],
});

describe("ratios", () => {
  it("are taken pair by pair", () => {
    const one = result([2, 9, 3], [1, 3, 6]);
    assert.deepEqual(ratios(one, one.entries[1]!), [2, 3, 0.5]);
  });

  it("leave out pairs in which one side has no value", () => {
    const one = result([2, 9], [1]);
    assert.deepEqual(ratios(one, one.entries[1]!), [2]);
    const memory: WorkloadResult = { ...one, metric: "memory" };
    assert.deepEqual(ratios(memory, one.entries[1]!), []);
  });
});

describe("compare", () => {
  const judgement = (ours: readonly number[], theirs: readonly number[]): string => {
    const one = result(ours, theirs);
    return compare(one, one.entries[1]!).judgement;
  };

  it("says slower or faster only if the spread excludes 1", () => {
    assert.equal(judgement([11, 12, 13], [10, 10, 10]), "slower");
    assert.equal(judgement([9, 8, 7], [10, 10, 10]), "faster");
    assert.equal(judgement([11, 12, 10], [10, 10, 10]), "no difference");
    assert.equal(judgement([11, 12, 9], [10, 10, 10]), "no difference");
  });

  it("is not changed by a single outlier", () => {
    const ours = Array.from({ length: 15 }, (_, i) => (i === 0 ? 5 : 12));
    const theirs = ours.map(() => 10);
    assert.equal(judgement(ours, theirs), "slower");
  });

  it("has no verdict without values", () => assert.equal(judgement([], []), "no difference"));
});

describe("slowerThan", () => {
  it("returns the workloads that became slower; a second run replaces the first", () => {
    const first = [result([2, 2, 2], [1, 1, 1], "a"), result([1, 1, 1], [1, 1, 1], "b")];
    assert.deepEqual(
      slowerThan(first, "before").map(({ key }) => key),
      ["a"],
    );
    assert.deepEqual(slowerThan(replaced(first, [result([1, 1, 1], [1, 1, 1], "a")]), "before"), []);
    assert.deepEqual(slowerThan(first, "ws"), []);
  });
});

describe("summary", () => {
  it("is of the runs that have the metric", () => {
    const some: Entry = { name: "ws", version: "8", samples: [{ cpu: 3 }, {}, { cpu: 1 }] };
    assert.deepEqual(summary(some, "cpu"), { median: 2, low: 1, high: 3 });
    assert.equal(summary(some, "memory"), undefined);
  });
});

describe("isLimitedByLoad", () => {
  it("holds if the generator was busy all the time in most runs", () => {
    const busy = (loads: readonly number[]): boolean =>
      isLimitedByLoad({ name: "bun", version: "1", samples: loads.map((load) => ({ load })) });
    assert.ok(busy([0.99, 0.97, 0.5]));
    assert.ok(!busy([0.99, 0.5, 0.5]));
    assert.ok(!busy([]));
  });
});
