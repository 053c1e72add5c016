import assert from "node:assert/strict";
import { test } from "node:test";
import { refilled } from "../../src/core/token-bucket.ts";

test("a bucket fills with time, up to its capacity, from a debt too", () => {
  assert.equal(refilled(0, 10, 2, 3), 6);
  assert.equal(refilled(-8, 10, 2, 3), -2);
  assert.equal(refilled(9, 10, 2, 3), 10);
  assert.equal(refilled(4, 10, 2, 0), 4);
  assert.equal(refilled(-1e9, 10, 2, Infinity), 10);
  assert.equal(refilled(5, Infinity, 1, 5), 10);
});
