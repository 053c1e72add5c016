import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bar, digits, duration, whole } from "../../../src/cli/shared/format.ts";

describe("figures", () => {
  it("have thousands separators", () => {
    assert.deepEqual([0, 999, 1000, 1_234_567].map(whole), ["0", "999", "1,000", "1,234,567"]);
  });

  it("have three digits, or all of a whole number", () => {
    assert.deepEqual([0, 0.05, 1.2345, 9.999, 12.345, 99.96, 123.45, 12_345.6].map(digits), [
      "0",
      "0.05",
      "1.23",
      "10",
      "12.3",
      "100",
      "123",
      "12,346",
    ]);
  });

  it("have the unit that fits", () => {
    assert.deepEqual([0.0123, 0.5, 1, 12.345, 999, 1500, 61_000].map(duration), [
      "12.3 µs",
      "500 µs",
      "1 ms",
      "12.3 ms",
      "999 ms",
      "1.5 s",
      "61 s",
    ]);
  });
});

describe("bar", () => {
  it("is as long as its share, in eighths", () => {
    assert.deepEqual(
      [bar(0, 4), bar(1, 4), bar(0.5, 4), bar(1 / 32, 4), bar(7 / 32, 4), bar(9 / 32, 4)],
      ["", "████", "██", "▏", "▉", "█▏"],
    );
  });

  it("shows anything above zero", () => assert.equal(bar(1e-9, 40), "▏"));
});
