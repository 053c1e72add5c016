import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { currentContext } from "../../src/core/async-context.ts";

const storage = new AsyncLocalStorage<string>();

/** Something with a method that sees its receiver, its parameters and its context. */
class Receiver {
  readonly name = "receiver";

  look(first: number, second: string): string {
    return `${this.name} ${first} ${second} ${storage.getStore()}`;
  }
}

describe("currentContext", () => {
  it("is entered for a call, with receiver, parameters and result, and left after it", () => {
    const receiver = new Receiver();
    const context = storage.run("own", currentContext);
    storage.run("foreign", () => {
      assert.equal(context.runInAsyncScope(receiver.look, receiver, 1, "two"), "receiver 1 two own");
      assert.equal(storage.getStore(), "foreign");
    });
  });

  it("is left also where the call throws", () => {
    const context = storage.run("own", currentContext);
    const failure = new Error("of the call");
    storage.run("foreign", () => {
      const fail = (): void => {
        throw failure;
      };
      assert.throws(() => context.runInAsyncScope(fail, undefined), failure);
      assert.equal(storage.getStore(), "foreign");
    });
  });

  it("is none where there is none", () => {
    const context = currentContext();
    storage.run("foreign", () =>
      assert.equal(
        context.runInAsyncScope(() => storage.getStore(), undefined),
        undefined,
      ),
    );
  });

  it("is one for all on a platform without async contexts", async (test) => {
    const { getBuiltinModule } = process;
    test.after(() => {
      process.getBuiltinModule = getBuiltinModule;
    });
    (process as { getBuiltinModule?: unknown }).getBuiltinModule = undefined;
    const url = new URL("../../src/core/async-context.js?elsewhere", import.meta.url).href;
    const elsewhere = (await import(url)) as { currentContext: typeof currentContext };
    const receiver = new Receiver();
    const context = elsewhere.currentContext();
    assert.equal(elsewhere.currentContext(), context);
    const seen = storage.run("caller", () => context.runInAsyncScope(receiver.look, receiver, 1, "two"));
    assert.equal(seen, "receiver 1 two caller");
  });
});
