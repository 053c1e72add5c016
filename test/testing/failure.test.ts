import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { everyKind, Plan, type Failure, type Verb } from "../../src/testing/failure.ts";

const started: readonly Verb[] = ["write", "read", "read", "write", "read", "shutdown"];

/** What a plan makes of operations, by their place. */
function failed(plan: Plan): [at: number, failure: Failure][] {
  return started.flatMap((verb, at): [number, Failure][] => {
    const failure = plan.next(verb);
    return failure === undefined ? [] : [[at, failure]];
  });
}

describe("a plan", () => {
  it("applies to the n-th possible operation, and is named by its verb", () => {
    for (const [failure, count, at, name] of [
      ["error", 1, 0, "write 1 error"],
      ["error", 3, 2, "read 2 error"],
      ["stall", 6, 5, "shutdown 1 stall"],
      ["end", 1, 1, "read 1 end"],
      ["end", 3, 4, "read 3 end"],
      ["short", 5, 4, "read 3 short"],
    ] as const) {
      const plan = new Plan(failure, count);
      assert.equal(plan.met, undefined);
      assert.deepEqual(failed(plan), [[at, failure]]);
      assert.equal(plan.met, name);
      // By its name it is the same.
      const again = Plan.parse(name);
      assert.deepEqual([failed(again), again.met], [[[at, failure]], name]);
    }
  });

  it("applies to nothing if there are fewer", () => {
    for (const failure of everyKind) {
      const plan = new Plan(failure, 7);
      assert.deepEqual([failed(plan), plan.met], [[], undefined]);
    }
    assert.deepEqual(failed(new Plan("end", 4)), []);
  });

  it("refuses other names", () => {
    for (const name of [
      "",
      "write",
      "write 0 reset",
      "write 1 crash",
      "write 1 end",
      "connect 1 error",
      "write 1 error ",
    ]) {
      assert.throws(() => Plan.parse(name), { code: "core.invalid_argument", message: /such as "write 3 reset"/ });
    }
  });
});
