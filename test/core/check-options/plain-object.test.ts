import assert from "node:assert/strict";
import { test } from "node:test";
import { isPlainObject } from "../../../src/core/check-options.ts";

test("accepts object literals and nothing else", () => {
  for (const plain of [{}, { a: 1 }, Object.create(null)]) assert.equal(isPlainObject(plain), true);
  for (const other of [undefined, null, 1, "x", [], new Map(), () => undefined, new Error("x")]) {
    assert.equal(isPlainObject(other), false);
  }
});
