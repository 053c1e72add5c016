import assert from "node:assert/strict";
import { test } from "node:test";
import { reportError, runReported } from "../../src/core/report.ts";

test("an unhandled failure goes to the console, whole", (t) => {
  const written = t.mock.method(console, "error", () => {});
  const error = new Error("mine");
  reportError(error);
  assert.deepEqual(
    written.mock.calls.map((call) => call.arguments),
    [[error]],
  );
});

test("a handler that nothing waits for is run, and its failure is reported", async (t) => {
  const written = t.mock.method(console, "error", () => {});
  const [thrown, rejected] = [new Error("thrown"), new Error("rejected")];
  let ran = 0;
  runReported(() => ran++);
  runReported(() => {
    throw thrown;
  });
  runReported(() => Promise.reject(rejected));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(ran, 1);
  assert.deepEqual(
    written.mock.calls.map((call) => call.arguments),
    [[thrown], [rejected]],
  );
});
