import assert from "node:assert/strict";
import { test } from "node:test";
import { tell } from "../../../src/websocket/connection/tell.ts";
import { coreError } from "../../../src/core/index.ts";
import { uncaughtIn } from "../support/kit.ts";

test("the handler gets the outcome, at once", () => {
  const seen: unknown[] = [];
  const error = coreError("core.aborted");
  tell((...outcome) => seen.push(outcome), undefined, 7);
  tell((...outcome) => seen.push(outcome), error, 0);
  assert.deepEqual(seen, [
    [undefined, 7],
    [error, 0],
  ]);
});

test("its exception is thrown outside of the call", async (t) => {
  const uncaught = uncaughtIn(t);
  const mine = new Error("mine");
  tell(
    () => {
      throw mine;
    },
    undefined,
    undefined,
  );
  assert.deepEqual(uncaught, []);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(uncaught, [mine]);
});
