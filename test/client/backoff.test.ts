import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Backoff, type BackoffOptions } from "../../src/client/backoff.ts";
import { fc } from "../support/property.ts";

function delays(options: BackoffOptions, count: number, random?: () => number): number[] {
  const backoff = new Backoff(options);
  return Array.from({ length: count }, (_, index) => backoff.delay(index + 1, random));
}

describe("Backoff", () => {
  it("grows by its factor up to its ceiling", () => {
    assert.deepEqual(delays({ jitter: "none" }, 8), [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    assert.deepEqual(delays({ jitter: "none", initial: 10, factor: 3, max: 100 }, 4), [10, 30, 90, 100]);
    assert.deepEqual(delays({ jitter: "none", factor: 1 }, 3), [500, 500, 500]);
    assert.deepEqual(delays({ jitter: "none", max: 1 }, 3), [1, 1, 1]);
    assert.equal(new Backoff({ jitter: "none" }).delay(5000), 30_000);
  });

  it("refuses waits of 0, with which a client would try without a pause", () => {
    for (const name of ["initial", "max"]) {
      const message = new RegExp(`^backoff\\.${name} must be a number of milliseconds, 1 or more, not 0$`);
      assert.throws(() => new Backoff({ [name]: 0 }), { code: "core.invalid_argument", message });
    }
  });

  it("waits for a random part of the delay", () => {
    assert.deepEqual(
      delays({}, 8, () => 0.5),
      [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000],
    );
    assert.deepEqual(
      delays({}, 2, () => 0),
      [0, 0],
    );
    assert.ok(new Set(delays({}, 100)).size > 90);
  });

  it("is never negative, nor longer than its ceiling", () => {
    const numbers = {
      initial: fc.integer({ min: 1, max: 1e6 }),
      factor: fc.double({ min: 1, max: 1e3, noNaN: true }),
      max: fc.integer({ min: 1, max: 1e6 }),
    };
    fc.assert(
      fc.property(fc.record(numbers), fc.integer({ min: 1, max: 10_000 }), (options, failures) => {
        const backoff = new Backoff(options);
        const delay = backoff.delay(failures);
        assert.ok(delay >= 0 && delay <= options.max, String(delay));
        assert.ok(new Backoff({ ...options, jitter: "none" }).delay(failures) >= delay);
      }),
    );
  });

  it("refuses an invalid option by name", () => {
    const bad: readonly [options: unknown, message: RegExp][] = [
      [5000, /backoff takes a plain object/],
      [{ initial: -1 }, /backoff\.initial .* 1 or more, not -1/],
      [{ initial: "1s" }, /backoff\.initial/],
      [{ factor: 0.5 }, /backoff\.factor .* 1 or more/],
      [{ max: Infinity }, /backoff\.max .* not Infinity/],
      [{ max: NaN }, /backoff\.max/],
      [{ jitter: true }, /backoff\.jitter must be "full" or "none"/],
      [{ maximum: 1 }, /backoff has no option "maximum": did you mean max\?/],
    ];
    for (const [options, message] of bad) {
      assert.throws(() => new Backoff(options as BackoffOptions), { code: "core.invalid_argument", message });
    }
  });
});
