import assert from "node:assert/strict";
import { test } from "node:test";
import { reportError } from "../../src/core/report.ts";

test("what nobody took goes to the console, whole", (t) => {
  const written = t.mock.method(console, "error", () => {});
  const error = new Error("mine");
  reportError(error);
  assert.deepEqual(
    written.mock.calls.map((call) => call.arguments),
    [[error]],
  );
});
