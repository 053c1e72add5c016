import assert from "node:assert/strict";
import { it } from "node:test";
import { inTurns } from "../../../src/websocket/deflate/turns.ts";
import { uncaughtIn } from "../support/kit.ts";

it("jobs take turns, one each turn of the event loop, the first outside of the call", async () => {
  const seen: string[] = [];
  let turn = 0;
  const count = (): void => {
    turn++;
    if (seen.length < 6) setImmediate(count);
  };
  await new Promise<void>((resolve) => {
    const job = (name: string, steps: number): void => {
      let step = 0;
      inTurns(() => {
        seen.push(`${name}${++step} ${turn}`);
        if (seen.length === 6) resolve();
        return step === steps;
      });
    };
    setImmediate(count);
    job("a", 3);
    job("b", 1);
    job("c", 2);
    assert.deepEqual(seen, []);
  });
  assert.deepEqual(seen, ["a1 1", "b1 2", "c1 3", "a2 4", "c2 5", "a3 6"]);
});

it("a job that throws takes no other job's turn", async (context) => {
  const uncaught = uncaughtIn(context);
  await new Promise<void>((resolve) => {
    inTurns(() => {
      throw new Error("mine");
    });
    inTurns(() => {
      resolve();
      return true;
    });
  });
  assert.deepEqual(
    uncaught.map((error) => (error as Error).message),
    ["mine"],
  );
  // And the last one's own failure does not stop what comes later.
  inTurns(() => {
    throw new Error("again");
  });
  await new Promise(setImmediate);
  await new Promise<void>((resolve) =>
    inTurns(() => {
      resolve();
      return true;
    }),
  );
  assert.equal(uncaught.length, 2);
});
