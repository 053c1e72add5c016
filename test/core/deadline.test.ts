import assert from "node:assert/strict";
import { it } from "node:test";
import { attentive } from "../../src/core/attentive-clock.ts";
import type { Clock } from "../../src/core/clock.ts";
import { Deadline } from "../../src/core/deadline.ts";
import { VirtualClock } from "../../src/testing/index.ts";

/** A deadline, when it came, and how many timers were set for it. */
function start(): {
  clock: VirtualClock;
  deadline: Deadline;
  expired: number[];
  timers: () => number;
  unrefs: () => number;
} {
  const clock = new VirtualClock();
  const expired: number[] = [];
  let timers = 0;
  let unrefs = 0;
  const counting: Clock = {
    now: () => clock.now(),
    setTimer(ms, run) {
      timers++;
      const timer = clock.setTimer(ms, run);
      return { cancel: () => timer.cancel(), unref: () => void unrefs++ };
    },
  };
  const deadline = new Deadline(attentive(counting), () => expired.push(clock.now()));
  return { clock, deadline, expired, timers: () => timers, unrefs: () => unrefs };
}

it("comes once, at its time", async () => {
  const { clock, deadline, expired, timers, unrefs } = start();
  assert.equal(clock.pending, 0);
  deadline.set(10);
  await clock.advance(9);
  assert.deepEqual(expired, []);
  await clock.advance(1);
  assert.deepEqual(expired, [10]);
  await clock.advance(1000);
  assert.deepEqual([expired, clock.pending], [[10], 0]);
  // It keeps no process.
  assert.equal(unrefs(), timers());
});

it("is moved back without a timer for each move", async () => {
  const { clock, deadline, expired, timers } = start();
  for (let i = 0; i < 100; i++) {
    deadline.set(10);
    await clock.advance(1);
  }
  assert.deepEqual(expired, []);
  assert.ok(timers() < 20, `${timers()}`);
  await clock.advance(100);
  assert.deepEqual([expired, clock.pending], [[109], 0]);
});

it("is moved forward, and does not come at its old time too", async () => {
  const { clock, deadline, expired } = start();
  deadline.set(100);
  await clock.advance(1);
  deadline.set(10);
  assert.equal(clock.pending, 1);
  await clock.advance(1000);
  assert.deepEqual([expired, clock.pending], [[11], 0]);
});

it("does not come once it is cleared, in either way, and can be set again", async () => {
  for (const clear of [(deadline: Deadline) => deadline.clear(), (deadline: Deadline) => deadline.set(Infinity)]) {
    const { clock, deadline, expired } = start();
    clear(deadline);
    deadline.set(10);
    clear(deadline);
    await clock.advance(5);
    deadline.set(50);
    await clock.advance(49);
    assert.deepEqual(expired, []);
    await clock.advance(1);
    assert.deepEqual([expired, clock.pending], [[55], 0]);
    deadline.set(10);
    clear(deadline);
    await clock.advance(1000);
    assert.deepEqual([expired, clock.pending], [[55], 0]);
    // The timer has come for nothing meanwhile.
    deadline.set(10);
    await clock.advance(10);
    assert.deepEqual(expired, [55, 1065]);
  }
});

it("stops its timer when it is cancelled, and can be set again", async () => {
  const { clock, deadline, expired } = start();
  deadline.cancel();
  deadline.set(10);
  deadline.cancel();
  deadline.cancel();
  assert.equal(clock.pending, 0);
  await clock.advance(100);
  deadline.set(20);
  await clock.advance(100);
  assert.deepEqual([expired, clock.pending], [[120], 0]);
});

it("comes after a poll, in which it can be moved or cleared", async () => {
  for (const [change, comes] of [
    [(deadline: Deadline) => deadline.clear(), []],
    [(deadline: Deadline) => deadline.cancel(), []],
    [(deadline: Deadline) => deadline.set(50), [60]],
    [() => {}, [10]],
  ] as const) {
    const { clock, deadline, expired } = start();
    deadline.set(10);
    const passed = clock.jump(10);
    queueMicrotask(() => change(deadline));
    await passed;
    await clock.advance(100);
    assert.deepEqual([expired, clock.pending], [comes, 0]);
  }
});

it("that was on time is not granted again because the poll after it took long", async () => {
  const { clock, deadline, expired } = start();
  deadline.set(10_000);
  const passed = clock.jump(10_150);
  void clock.jump(100);
  await passed;
  assert.deepEqual([expired, clock.pending], [[10_250], 0]);
});

it("is found late: little of the block counts, and it comes once its time has passed", async () => {
  const { clock, deadline, expired } = start();
  deadline.set(1000);
  await clock.jump(5000);
  assert.deepEqual([expired, clock.pending], [[], 1]);
  await clock.advance(799);
  assert.deepEqual(expired, []);
  await clock.advance(1);
  assert.deepEqual([expired, clock.pending], [[5800], 0]);
});

it("can be set inside its own callback, and to now", async () => {
  const clock = new VirtualClock();
  const times: number[] = [];
  const deadline: Deadline = new Deadline(attentive(clock), () => {
    times.push(clock.now());
    if (times.length < 3) deadline.set(7);
  });
  deadline.set(0);
  assert.deepEqual(times, []);
  await clock.advance(100);
  assert.deepEqual([times, clock.pending], [[0, 7, 14], 0]);
});
