import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Limiter } from "../../src/ws/limiter.ts";

describe("Limiter", () => {
  it("runs no more than so many jobs at once, the others in their order", () => {
    const limiter = new Limiter(2);
    const started: number[] = [];
    const done: (() => void)[] = [];
    for (const job of [0, 1, 2, 3]) {
      limiter.add((end) => {
        started.push(job);
        done[job] = end;
      });
    }
    assert.deepEqual(started, [0, 1]);
    done[1]!();
    assert.deepEqual(started, [0, 1, 2]);
    done[0]!();
    assert.deepEqual(started, [0, 1, 2, 3]);
    limiter.add(() => started.push(4));
    assert.deepEqual(started, [0, 1, 2, 3]);
    done[3]!();
    assert.deepEqual(started, [0, 1, 2, 3, 4]);
  });

  it("has no limit with 0", () => {
    const limiter = new Limiter(0);
    let started = 0;
    for (let job = 0; job < 100; job++) limiter.add(() => started++);
    assert.equal(started, 100);
  });
});
