import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { VirtualClock } from "../../src/testing/index.ts";

describe("VirtualClock", () => {
  it("stands still until it is advanced", async () => {
    const clock = new VirtualClock();
    assert.equal(clock.now(), 0);
    await clock.advance(250);
    assert.equal(clock.now(), 250);
    await clock.advance(0);
    assert.equal(clock.now(), 250);
  });

  it("advances by a number of milliseconds alone", async () => {
    const clock = new VirtualClock();
    clock.setTimer(1, () => assert.fail("ran"));
    for (const ms of [undefined, null, "5", NaN, Infinity, -1] as unknown[] as number[]) {
      await assert.rejects(clock.advance(ms), {
        code: "core.invalid_argument",
        message: /^advance takes a finite number of milliseconds, 0 or more, not (undefined|null|"5"|NaN|Infinity|-1)$/,
      });
    }
    assert.deepEqual([clock.now(), clock.pending], [0, 1]);
  });

  it("runs timers in the order of their times, each at its own", async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    const set = (name: string, ms: number): void => void clock.setTimer(ms, () => log.push(`${name} ${clock.now()}`));
    set("late", 30);
    set("early", 10);
    set("early too", 10);
    set("never", 31);
    await clock.advance(30);
    assert.deepEqual(log, ["early 10", "early too 10", "late 30"]);
    assert.equal(clock.pending, 1);
  });

  it("runs a timer no sooner than its time, and once", async () => {
    const clock = new VirtualClock();
    let runs = 0;
    clock.setTimer(10, () => runs++);
    await clock.advance(9);
    assert.equal(runs, 0);
    await clock.advance(1);
    await clock.advance(100);
    assert.equal(runs, 1);
    assert.equal(clock.pending, 0);
  });

  it("jumps: the timers that come due run late, at once, in the order of their times", async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    clock.setTimer(30, () => log.push(`second ${clock.now()}`));
    clock.setTimer(10, () => {
      log.push(`first ${clock.now()}`);
      cancelled.cancel();
      clock.setTimer(0, () => log.push("not in the same turn"));
    });
    const cancelled = clock.setTimer(20, () => assert.fail("ran"));
    clock.setTimer(101, () => assert.fail("ran"));
    queueMicrotask(() => log.push("ready"));
    await clock.jump(100);
    assert.deepEqual([log, clock.now(), clock.pending], [["first 100", "second 100", "ready"], 100, 2]);
    for (const ms of [NaN, Infinity, -1]) {
      await assert.rejects(clock.jump(ms), { code: "core.invalid_argument", message: /^jump takes a finite number/ });
    }
  });

  it("forgets a timer that was cancelled, before or after", async () => {
    const clock = new VirtualClock();
    const cancelled = clock.setTimer(10, () => assert.fail("ran"));
    const fired = clock.setTimer(5, () => cancelled.cancel());
    assert.equal(clock.pending, 2);
    await clock.advance(10);
    assert.equal(clock.pending, 0);
    fired.cancel();
    cancelled.cancel();
  });

  it("runs the timers that timers, and what they resolve, set", async () => {
    const clock = new VirtualClock();
    const times: number[] = [];
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimer(ms, resolve));
    const chain = async (): Promise<void> => {
      for (let count = 0; count < 4; count++) {
        await sleep(10);
        times.push(clock.now());
      }
    };
    const done = chain();
    await clock.advance(35);
    assert.deepEqual(times, [10, 20, 30]);
    assert.equal(clock.now(), 35);
    await clock.advance(5);
    await done;
    assert.equal(times.at(-1), 40);
  });

  it("never runs a timer inside the call that sets it", async () => {
    const clock = new VirtualClock();
    let ran = false;
    clock.setTimer(0, () => {
      ran = true;
    });
    assert.equal(ran, false);
    await clock.advance(0);
    assert.equal(ran, true);
  });

  it("runs a timer in the async context that it was set in, as the platform does", async () => {
    const clock = new VirtualClock();
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    storage.run("own", () => clock.setTimer(10, () => seen.push(storage.getStore())));
    await storage.run("foreign", () => clock.advance(10));
    assert.deepEqual(seen, ["own"]);
  });

  it("moves on to its next timer, while there is one", async () => {
    const clock = new VirtualClock();
    const log: string[] = [];
    for (const ms of [30, 10]) clock.setTimer(ms, () => log.push(`${ms} at ${clock.now()}`));
    assert.equal(await clock.advanceToNext(), true);
    assert.deepEqual([log, clock.now()], [["10 at 10"], 10]);
    assert.equal(await clock.advanceToNext(), true);
    assert.equal(await clock.advanceToNext(), false);
    assert.deepEqual([log, clock.now()], [["10 at 10", "30 at 30"], 30]);
  });
});
