import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { afterPoll, attentive, type AttentiveClock } from "../../src/core/attentive-clock.ts";
import { systemClock, type Clock, type Timer } from "../../src/core/clock.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { quiet } from "../support/quiet.ts";

/** What counts of a time in which the loop was blocked. */
const counted = 200;

function start(): { clock: VirtualClock; time: AttentiveClock; came: number[]; set: (ms: number) => Timer } {
  const clock = new VirtualClock();
  const time = attentive(clock);
  const came: number[] = [];
  return { clock, time, came, set: (ms) => time.setTimer(ms, () => came.push(clock.now())) };
}

describe("an attentive clock", () => {
  it("is one for each clock", () => {
    const clock = new VirtualClock();
    assert.equal(attentive(clock), attentive(clock));
    assert.notEqual(attentive(clock), attentive(new VirtualClock()));
    assert.equal(attentive(systemClock), attentive(systemClock));
  });

  it("goes as its clock does while no timer is late, however rarely it is read", async () => {
    const { clock, time, came, set } = start();
    set(10_000);
    await clock.advance(9999);
    assert.deepEqual([time.now(), came], [9999, []]);
    await clock.advance(1);
    assert.deepEqual([time.now(), time.lost, came], [10_000, 0, [10_000]]);
  });

  it("has a timer come after what is ready, and after a poll of the event loop", async () => {
    const { clock, set, came } = start();
    const log: string[] = [];
    set(10);
    clock.setTimer(10, () => {
      queueMicrotask(() => log.push(`microtask ${came.length}`));
      setImmediate(() => log.push(`poll ${came.length}`));
    });
    await clock.jump(10);
    assert.deepEqual(log, ["microtask 0", "poll 1"]);
  });

  it("has no timer come that is cancelled before, also while it waits for the poll", async () => {
    const { clock, set, came } = start();
    set(10).cancel();
    const timer = set(20);
    clock.setTimer(20, () => timer.cancel());
    await clock.jump(50);
    await quiet(3);
    assert.deepEqual([came, clock.pending], [[], 0]);
  });

  it("counts little of a block, from when it was last read", async () => {
    const { clock, time, came, set } = start();
    set(1000);
    await clock.advance(300);
    assert.equal(time.now(), 300);
    await clock.jump(5000);
    assert.deepEqual([time.now(), came], [300 + counted, []]);
    await clock.advance(499);
    assert.deepEqual(came, []);
    await clock.advance(1);
    assert.deepEqual([came, time.now(), clock.pending], [[5800], 1000, 0]);
  });

  it("finds a block that ended with a reading, and does not take a long silence before it for one", async () => {
    const { clock, time, came, set } = start();
    set(1000);
    await clock.advance(500);
    time.now();
    await clock.advance(400);
    time.now();
    // Blocked from 900 on; it is read at the end, before the timers run.
    clock.setTimer(1, () => time.now());
    await clock.jump(5000);
    assert.equal(time.now(), 900 + counted);
    assert.deepEqual(came, [5900]);
  });

  it("counts a block once, whatever timers it made late", async () => {
    const { clock, time, came, set } = start();
    for (const ms of [100, 500, 900, 3000]) set(ms);
    await clock.jump(1000);
    assert.deepEqual([time.now(), came.length], [counted, 1]);
    await clock.advance(700);
    assert.deepEqual([time.now(), came.length], [900, 3]);
    await clock.advance(2100);
    assert.deepEqual([time.now(), came.length], [3000, 4]);
  });

  it("takes no loss from a timer that is hardly late", async () => {
    const { clock, time, came, set } = start();
    set(1000);
    await clock.jump(1000 + counted);
    assert.deepEqual([time.lost, came], [0, [1200]]);
  });

  it("grants a time again once: a timer late again has only its lateness excused", async () => {
    const { clock, time, came, set } = start();
    set(1000);
    await clock.jump(5000);
    assert.deepEqual([time.now(), came], [counted, []]);
    await clock.jump(5000);
    assert.deepEqual(came, [10_000]);
    set(1000);
    await clock.jump(5000);
    assert.deepEqual(came, [10_000]);
    await clock.jump(5000);
    assert.deepEqual(came, [10_000, 20_000]);
  });

  it("passes its deadlines in a loop that is always late, after so many polls", async () => {
    for (const others of [0, 1, 50]) {
      const { clock, came, set } = start();
      const more = (): void => void attentive(clock).setTimer(30, more);
      for (let i = 0; i < others; i++) more();
      set(10_000);
      let polls = 0;
      for (; came.length === 0; polls++) {
        assert.ok(polls <= 10_000 / counted + 1, `${polls} with ${others} other timers`);
        await clock.jump(1000);
      }
      assert.ok(polls >= 9);
    }
  });

  it("waits on with a clock whose timers come early, as the platform's do after 24 days", async () => {
    const clock = new VirtualClock();
    const longest = 1000;
    const short: Clock = {
      now: () => clock.now(),
      setTimer: (ms, expired) => clock.setTimer(Math.min(ms, longest), expired),
    };
    const came: number[] = [];
    attentive(short).setTimer(3500, () => came.push(clock.now()));
    await clock.advance(3499);
    assert.deepEqual(came, []);
    await clock.advance(1);
    assert.deepEqual(came, [3500]);
  });

  it("keeps the process by its timers, unless they are unref'd, also when they go on", async () => {
    const clock = new VirtualClock();
    let unrefs = 0;
    const counting: Clock = {
      now: () => clock.now(),
      setTimer(ms, expired) {
        const timer = clock.setTimer(ms, expired);
        return { cancel: () => timer.cancel(), unref: () => void unrefs++ };
      },
    };
    attentive(counting).setTimer(1000, () => {});
    assert.equal(unrefs, 0);
    attentive(counting).setTimer(1000, () => {}).unref!();
    assert.equal(unrefs, 1);
    await clock.jump(5000);
    assert.equal(unrefs, 2);
  });

  it("calls back in the async context in which a timer was set, also after a block", async () => {
    const { clock, time } = start();
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    for (const name of ["first", "second"]) {
      storage.run(name, () => time.setTimer(100, () => seen.push(storage.getStore())));
    }
    await clock.jump(1000);
    await clock.advance(1000);
    assert.deepEqual(seen, ["first", "second"]);
  });
});

it("afterPoll calls back once the loop has polled, unless it is cancelled", async () => {
  let calls = 0;
  afterPoll(() => calls++);
  afterPoll(() => calls++).cancel();
  await Promise.resolve();
  assert.equal(calls, 0);
  await quiet(2);
  assert.equal(calls, 1);
});
