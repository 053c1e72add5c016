import assert from "node:assert/strict";
import { test } from "node:test";
import { coreError } from "../../../src/core/index.ts";
import { passedDeadline, timeoutError } from "../../../src/http/server/passed-deadline.ts";

test("a deadline that has passed is named in the message, and known of the error", () => {
  for (const name of ["header", "body", "write"] as const) {
    const error = timeoutError(name);
    assert.deepEqual([error.code, error.condition, passedDeadline(error)], ["core.timeout", "timeout", name]);
    assert.match(error.message, new RegExp(`timeouts\\.${name}$`));
  }
});

test("other errors belong to none, even with the same code", () => {
  assert.equal(passedDeadline(coreError("core.timeout")), undefined);
  assert.equal(passedDeadline(coreError("core.aborted")), undefined);
});
