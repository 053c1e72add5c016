import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import process from "node:process";
import { describe, it } from "node:test";
import { currentContext, type AsyncContext } from "../../src/core/async-context.ts";
import { Batch, soon } from "../../src/core/batch.ts";
import { quiet } from "../support/quiet.ts";

/** One that does something of its own. */
class Item {
  readonly context: AsyncContext = currentContext();
  readonly flush: () => void;

  constructor(flush: () => void) {
    this.flush = flush;
  }
}

/** Items with numbers, which note them and then do something. */
function numbered(seen: number[], act: (number: number) => void = () => {}): (number: number) => Item {
  return (number) =>
    new Item(() => {
      seen.push(number);
      act(number);
    });
}

describe("Batch", () => {
  it("has each flush, in order, from one microtask", async () => {
    const seen: number[] = [];
    const batch = new Batch();
    const item = numbered(seen);
    batch.soon(item(1));
    batch.soon(item(2));
    assert.deepEqual(seen, []);
    await undefined;
    assert.deepEqual(seen, [1, 2]);
  });

  it("items added meanwhile have their turn in a later one", async () => {
    const seen: number[] = [];
    const batch = new Batch();
    const item = numbered(seen, (number) => {
      if (number === 1) batch.soon(item(3));
    });
    batch.soon(item(1));
    batch.soon(item(2));
    await undefined;
    assert.deepEqual(seen, [1, 2]);
    await undefined;
    assert.deepEqual(seen, [1, 2, 3]);
  });

  it("flushes when its schedule says so, and tells that it does", () => {
    const due: (() => void)[] = [];
    const seen: unknown[] = [];
    const batch = new Batch((callback) => void due.push(callback));
    const item = numbered(seen as number[], () => seen.push(batch.isFlushing));
    batch.soon(item(1));
    batch.soon(item(2));
    assert.equal(due.length, 1);
    assert.equal(batch.isFlushing, false);
    due[0]!();
    assert.deepEqual(seen, [1, true, 2, true]);
    assert.equal(batch.isFlushing, false);
  });

  it("calls each in its own async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const batch = new Batch();
    const items = ["first", "second"].map((name) =>
      storage.run(name, () => new Item(() => seen.push(storage.getStore()))),
    );
    storage.run("foreign", () => items.forEach((item) => batch.soon(item)));
    await undefined;
    assert.deepEqual(seen, ["first", "second"]);
  });

  it("an item that throws does not stop the others", async (test) => {
    const seen: number[] = [];
    const batch = new Batch();
    const item = numbered(seen, (number) => {
      if (number === 1) throw new Error("of the first");
    });
    // The test runner's own listeners would take it for the test's failure.
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    test.after(() => {
      for (const listener of listeners) process.on("uncaughtException", listener);
    });
    const thrown = once(process, "uncaughtException");
    batch.soon(item(1));
    batch.soon(item(2));
    batch.soon(item(3));
    const [error] = (await thrown) as [Error];
    assert.equal(error.message, "of the first");
    await undefined;
    assert.deepEqual(seen, [1, 2, 3]);
  });
});

describe("soon", () => {
  it("calls after the current call, in order, with receiver and arguments", async () => {
    const seen: unknown[] = [];
    const receiver = {
      see(first: number, second: string) {
        seen.push([this === receiver, first, second]);
      },
    };
    const context = currentContext();
    soon(context, receiver.see, receiver, 1, "a");
    soon(context, receiver.see, receiver, 2, "b");
    assert.deepEqual(seen, []);
    await undefined;
    assert.deepEqual(seen, [
      [true, 1, "a"],
      [true, 2, "b"],
    ]);
  });

  it("calls each in its own async context", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const see = (): void => void seen.push(storage.getStore());
    for (const name of ["first", "second"]) storage.run(name, () => soon(currentContext(), see, undefined));
    await quiet();
    assert.deepEqual(seen, ["first", "second"]);
  });

  it("what is asked for meanwhile comes after the others", async () => {
    const seen: string[] = [];
    const see = function (this: string): void {
      seen.push(this.valueOf());
    };
    const context = currentContext();
    const again = (): void => {
      seen.push("first");
      soon(context, see, "third");
    };
    soon(context, again, undefined);
    soon(context, see, "second");
    await quiet();
    assert.deepEqual(seen, ["first", "second", "third"]);
  });

  it("one that throws stops none after it, and is an uncaught exception", async (t) => {
    const seen: string[] = [];
    const thrown: unknown[] = [];
    const listeners = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.on("uncaughtException", (error) => thrown.push(error));
    t.after(() => {
      process.removeAllListeners("uncaughtException");
      for (const listener of listeners) process.on("uncaughtException", listener);
    });
    const error = new Error("no");
    const context = currentContext();
    const fail = (): void => {
      soon(context, () => void seen.push("last"), undefined);
      throw error;
    };
    soon(context, fail, undefined);
    soon(context, () => void seen.push("next"), undefined);
    await quiet();
    assert.deepEqual([thrown, seen], [[error], ["next", "last"]]);
  });
});
