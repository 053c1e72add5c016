import assert from "node:assert/strict";
import { test } from "node:test";
import { testingError } from "../../src/testing/errors.ts";
import { testingErrors } from "../../src/testing/index.ts";

test("a failure at the test's command is one of the transport, a scenario that fails, or tests nothing, is the program's", () => {
  assert.deepEqual(
    Object.entries(testingErrors).map(([code, [condition]]) => [code, condition]),
    [
      ["testing.failure", "transport"],
      ["testing.no_operations", "misuse"],
      ["testing.run_failed", "misuse"],
      ["testing.too_many_runs", "misuse"],
    ],
  );
  const error = testingError("testing.failure");
  assert.deepEqual([error.code, error.condition], ["testing.failure", "transport"]);
});
