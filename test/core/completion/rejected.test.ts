import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { rejected } from "../../../src/core/completion.ts";
import { turns } from "../support/stream-operations.ts";

describe("rejected", () => {
  const wrong = new Error("wrong");
  const handling: [name: string, handle: (promise: Promise<never>) => unknown][] = [
    ["await", async (promise) => await promise.catch(() => {})],
    ["then with two functions", (promise) => promise.then(undefined, () => {})],
    ["catch", (promise) => promise.catch(() => {})],
    ["finally", (promise) => promise.finally(() => {}).catch(() => {})],
    ["Promise.all", (promise) => Promise.all([promise, undefined]).catch(() => {})],
    ["the result of an async function", (promise) => (async () => promise)().catch(() => {})],
    ["await in a try block", (promise) => assert.rejects(async () => void (await promise), wrong)],
    [
      "await a microtask later",
      (promise) => assert.rejects(async () => (await undefined, void (await promise)), wrong),
    ],
  ];
  for (const [name, handle] of handling) {
    it(`${name}: unheard is not called`, async () => {
      let calls = 0;
      const result = handle(rejected(wrong, () => calls++));
      await turns(3);
      await result;
      assert.equal(calls, 0);
    });
  }

  it("that nothing handles calls unheard once, after the call, in its context, and ends no process", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const promise = storage.run("caller", () => rejected(wrong, () => seen.push(storage.getStore())));
    assert.deepEqual(seen, []);
    await turns(3);
    assert.deepEqual(seen, ["caller"]);
    await assert.rejects(promise, wrong);
  });

  it("is a promise whose descendants are plain ones", async () => {
    const promise = rejected(wrong, () => {});
    assert.ok(promise instanceof Promise);
    assert.equal(promise.catch(() => {}).constructor, Promise);
  });
});
