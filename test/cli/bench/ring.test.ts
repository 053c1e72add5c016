import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Ring } from "../../../src/cli/bench/ring.ts";

describe("Ring", () => {
  it("returns its items in the order they were added, around its end too", () => {
    const ring = new Ring<number>(3);
    assert.equal(ring.shift(), undefined);
    const given: (number | undefined)[] = [];
    for (let i = 0; i < 10; i += 2) {
      ring.push(i);
      ring.push(i + 1);
      given.push(ring.shift(), ring.shift());
    }
    assert.deepEqual(given, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const item of [1, 2, 3]) ring.push(item);
    assert.equal(ring.size, 3);
    assert.deepEqual([ring.shift(), ring.shift(), ring.shift(), ring.shift(), ring.size], [1, 2, 3, undefined, 0]);
  });
});
