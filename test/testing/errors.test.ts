import assert from "node:assert/strict";
import { test } from "node:test";
import { testingError } from "../../src/testing/errors.ts";
import { testingErrors } from "../../src/testing/index.ts";

test("a failure at the test's command is one of the transport", () => {
  assert.deepEqual(Object.keys(testingErrors), ["testing.failure"]);
  const error = testingError("testing.failure");
  assert.deepEqual([error.code, error.condition], ["testing.failure", "transport"]);
});
