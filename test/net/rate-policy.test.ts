import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import { simpleRatePolicy, type RateLimit, type SimpleRatePolicyOptions } from "../../src/net/index.ts";
import { fc } from "../support/property.ts";

const limit = (write: number, burst?: number): RateLimit => simpleRatePolicy({ write, burst }).write!;

describe("simpleRatePolicy", () => {
  it("has no limit for a direction without a rate", () => {
    assert.deepEqual(simpleRatePolicy({}), { read: undefined, write: undefined });
    const { read, write } = simpleRatePolicy({ read: 10, write: Infinity });
    assert.equal(read?.available(0), 10);
    assert.equal(write, undefined);
  });

  it("begins with a second's bytes, and fills at its rate up to those", () => {
    const bucket = limit(1000);
    assert.equal(bucket.available(5000), 1000);
    bucket.take(1000, 5000);
    assert.equal(bucket.available(5000), 0);
    assert.equal(bucket.available(5001), 1);
    assert.equal(bucket.available(5500.5), 500);
    assert.equal(bucket.available(6000), 1000);
    assert.equal(bucket.available(9999), 1000);
  });

  it("has a burst of any size, but at least a byte", () => {
    assert.equal(limit(1000, 100).available(0), 100);
    assert.equal(limit(1000, 5000).available(0), 5000);
    assert.equal(limit(1000, Infinity).available(0), Infinity);
    const slow = limit(0.5);
    assert.equal(slow.available(0), 1);
    slow.take(1, 0);
    assert.equal(slow.available(1999), 0);
    assert.equal(slow.available(2000), 1);
    assert.equal(slow.available(60_000), 1);
  });

  it("carries a debt", () => {
    const bucket = limit(1000);
    bucket.take(4000, 0);
    assert.equal(bucket.available(0), -3000);
    assert.equal(bucket.available(2999), -1);
    assert.equal(bucket.available(3001), 1);
  });

  it("takes back bytes that did not pass, but never exceeds its capacity", () => {
    const bucket = limit(1000);
    bucket.take(600, 0);
    bucket.take(-200, 0);
    assert.equal(bucket.available(0), 600);
    bucket.take(-5000, 0);
    assert.equal(bucket.available(0), 1000);
  });

  it("says when it is worth asking again", () => {
    const bucket = limit(1000);
    bucket.take(1000, 0);
    assert.equal(bucket.delay(1, 0), 1);
    assert.equal(bucket.delay(10, 0), 10);
    assert.equal(bucket.delay(Infinity, 0), 50);
    assert.equal(bucket.delay(Infinity, 20), 30);
    assert.equal(bucket.delay(Infinity, 49.5), 1);
    bucket.take(500, 50);
    assert.equal(bucket.delay(1, 50), 451);
    assert.equal(limit(1e9).delay(1, 0), 1);
    const slow = limit(0.5);
    slow.take(1, 0);
    assert.equal(slow.delay(Infinity, 0), 2000);
  });

  it("ignores a time that goes back", () => {
    const bucket = limit(1000);
    bucket.take(1000, 100);
    assert.equal(bucket.available(50), 0);
    assert.equal(bucket.available(200), 100);
  });

  it("never lets more pass than its rate and burst, and has something after the delay it returns", () => {
    const steps = fc.array(
      fc.tuple(fc.double({ min: 0, max: 500, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000 }),
        fc.integer({ min: 1, max: 3000 }),
        steps,
        (rate, burst, all) => {
          const bucket = limit(rate, burst);
          let now = 0;
          let passed = 0;
          for (const [pause, share] of all) {
            now += pause;
            const available = bucket.available(now);
            if (available > 0) {
              const bytes = Math.ceil(available * share);
              bucket.take(bytes, now);
              passed += bytes;
            } else {
              now += bucket.delay(Infinity, now);
              assert.ok(bucket.available(now) > 0);
            }
            assert.ok(passed <= Math.max(1, (rate * burst) / 1000) + (rate * now) / 1000 + 0.01);
          }
        },
      ),
    );
  });

  it("refuses a rate that is not a number above 0", () => {
    for (const options of [{ read: 0 }, { write: -1 }, { read: NaN }, { burst: 0 }, { write: "1" as never }]) {
      assert.throws(
        () => simpleRatePolicy(options as SimpleRatePolicyOptions),
        (error) => error instanceof ServalError && error.code === "core.invalid_argument",
      );
    }
  });

  it("refuses unknown options", () => {
    const call = simpleRatePolicy as (options?: unknown) => unknown;
    const refused = (message: RegExp): object => ({ code: "core.invalid_argument", message });
    assert.throws(() => call({ download: 1000 }), refused(/"download": there are read, write, burst/));
    assert.throws(() => call({ reads: 1000 }), refused(/did you mean read\?/));
    for (const none of [undefined, 1000]) assert.throws(() => call(none), refused(/^simpleRatePolicy takes a plain/));
  });
});
