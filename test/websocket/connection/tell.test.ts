import assert from "node:assert/strict";
import { test } from "node:test";
import { tell, tellAll } from "../../../src/websocket/connection/tell.ts";
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

test("all of several handlers are told, in order, also after one that throws", async (t) => {
  const uncaught = uncaughtIn(t);
  const mine = new Error("mine");
  const seen: number[] = [];
  const handlers = [1, 2, 3].map((number) => (): void => {
    seen.push(number);
    if (number === 2) throw mine;
  });
  tellAll(handlers.map((handler) => ({ handler })));
  assert.deepEqual(seen, [1, 2, 3]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(uncaught, [mine]);
});
