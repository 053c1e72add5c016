import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { checkHandler } from "../../src/core/completion.ts";
import { complete, coreError, promised, type Handler } from "../../src/core/index.ts";
import { handled } from "../../src/core/internal.ts";
import { turns } from "./support/stream-operations.ts";

const failure = coreError("core.timeout");
const succeed = (handler: Handler<number>): void => queueMicrotask(() => handler(undefined, 7));
const fail = (handler: Handler<number>): void => queueMicrotask(() => handler(failure, 0));

describe("promised", () => {
  it("has the outcome of an operation that completes inside the call, and needs no handler for a failure there", async () => {
    assert.equal(await promised<number>((handler) => handler(undefined, 7)), 7);
    const failed = promised<number>((handler) => handler(failure, undefined as never));
    await turns();
    await assert.rejects(failed, failure);
  });

  it("fulfils with the result and rejects with the error", async () => {
    assert.equal(await promised(succeed), 7);
    await assert.rejects(promised(fail), failure);
  });

  it("rejects with misuse that the start throws", async () => {
    const misuse = coreError("core.operation_pending");
    const start = (): void => {
      throw misuse;
    };
    await assert.rejects(promised(start), misuse);
  });
});

describe("handled", () => {
  it("returns the promise itself, and marks its rejection as handled", async () => {
    const promise = Promise.reject(failure);
    assert.equal(handled(promise), promise);
    // The test runner fails a test with an unhandled rejection; it shows after the microtasks.
    void promised(fail);
    await turns(2);
    await assert.rejects(promise, failure);
  });
});

describe("complete", () => {
  it("passes a handler on and returns nothing", async () => {
    const outcome = await new Promise((resolve) => {
      assert.equal(
        complete((error, result) => resolve([error, result]), succeed),
        undefined,
      );
    });
    assert.deepEqual(outcome, [undefined, 7]);
  });

  it("runs a handler in the async context of the call", async () => {
    const storage = new AsyncLocalStorage<string>();
    let complete7!: Handler<number>;
    const seen: unknown[] = [];
    const handler: Handler<number> = (error, result) => seen.push(error, result, storage.getStore());
    storage.run("caller", () => complete(handler, (done) => (complete7 = done)));
    storage.run("foreign", () => complete7(undefined, 7));
    assert.deepEqual(seen, [undefined, 7, "caller"]);
  });

  it("throws misuse when there is a handler", () => {
    const misuse = coreError("core.operation_pending");
    const start = (): void => {
      throw misuse;
    };
    assert.throws(() => complete(() => assert.fail("called"), start), misuse);
  });

  it("returns a promise without one", async () => {
    assert.equal(await complete(undefined, succeed), 7);
    await assert.rejects(complete(undefined, fail)!, failure);
  });
});

describe("checkHandler", () => {
  it("accepts only functions, and complete checks that", () => {
    assert.doesNotThrow(() => checkHandler(() => undefined));
    for (const wrong of ["bye", 1000, {}, null]) {
      assert.throws(() => checkHandler(wrong), { code: "core.invalid_argument", message: /must be a function/ });
      assert.throws(() => complete(wrong as never, () => assert.fail("started")), { code: "core.invalid_argument" });
    }
  });
});
