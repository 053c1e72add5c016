import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Schedule } from "../../../src/cli/bench/schedule.ts";
import { fc } from "../../support/property.ts";

describe("Schedule", () => {
  it("has a message due at any time in a closed loop, until the end", () => {
    const schedule = new Schedule(undefined, 100, 200);
    assert.equal(schedule.next(100), 100);
    schedule.take();
    assert.equal(schedule.next(199), 199);
    assert.equal(schedule.next(200), Infinity);
    assert.equal(schedule.missed(0, 300), 0);
  });

  it("has messages due at a rate, no matter when they are taken", () => {
    const schedule = new Schedule(100, 1000, 1030);
    const due: number[] = [];
    for (; schedule.next(5000) < Infinity; schedule.take()) due.push(schedule.next(5000));
    assert.deepEqual(due, [1000, 1010, 1020]);
  });

  it("has none due at rate 0", () => {
    const schedule = new Schedule(0, 0, Infinity);
    assert.deepEqual([schedule.next(1000), schedule.missed(0, 1000)], [Infinity, 0]);
  });

  it("counts messages that were due and not taken", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.nat(200),
        fc.nat(200),
        fc.nat(300),
        fc.nat(50),
        (rate, warmup, duration, now, taken) => {
          const end = warmup + duration;
          const [schedule, rest] = [new Schedule(rate, 0, end), new Schedule(rate, 0, end)];
          for (let i = 0; i < taken; i++) for (const each of [schedule, rest]) each.take();
          let missed = 0;
          for (; rest.next(0) < Math.min(now, end); rest.take()) if (rest.next(0) >= warmup) missed++;
          assert.equal(schedule.missed(warmup, now), missed);
        },
      ),
    );
  });
});
