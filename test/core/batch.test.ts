import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { describe, it } from "node:test";
import { Batch } from "../../src/core/batch.ts";

describe("Batch", () => {
  it("runs for each item, in order, from one microtask", async () => {
    const seen: number[] = [];
    const batch = new Batch<number>((item) => seen.push(item));
    batch.soon(1);
    batch.soon(2);
    assert.deepEqual(seen, []);
    await undefined;
    assert.deepEqual(seen, [1, 2]);
  });

  it("items added meanwhile have their turn in a later one", async () => {
    const seen: number[] = [];
    const batch = new Batch<number>((item) => {
      seen.push(item);
      if (item === 1) batch.soon(3);
    });
    batch.soon(1);
    batch.soon(2);
    await undefined;
    assert.deepEqual(seen, [1, 2]);
    await undefined;
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it("an item that throws does not stop the others", async (test) => {
    const seen: number[] = [];
    const batch = new Batch<number>((item) => {
      seen.push(item);
      if (item === 1) throw new Error("of the first");
    });
    // The test runner's own listeners would take it for the test's failure.
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    test.after(() => {
      for (const listener of listeners) process.on("uncaughtException", listener);
    });
    const thrown = once(process, "uncaughtException");
    batch.soon(1);
    batch.soon(2);
    batch.soon(3);
    const [error] = (await thrown) as [Error];
    assert.equal(error.message, "of the first");
    await undefined;
    assert.deepEqual(seen, [1, 2, 3]);
  });
});
