import assert from "node:assert/strict";
import { it } from "node:test";
import { VirtualClock } from "../../../src/testing/index.ts";
import { Throttle } from "../../../src/websocket/connection/throttle.ts";
import { rateSettings } from "../../../src/websocket/options/rate.ts";

it("a peer waits as long as it has exceeded its rate, and is counted", async () => {
  const clock = new VirtualClock();
  const throttle = new Throttle(rateSettings({ messages: 10, burst: 1000 })!, clock, 0);
  assert.equal(throttle.take(10, 0, 0), 0);
  const ms = throttle.take(15, 0, 0);
  assert.equal(ms, 500);
  let over = 0;
  throttle.wait(ms, () => over++);
  assert.deepEqual([throttle.isOn, throttle.count], [true, 1]);
  await clock.advance(499);
  assert.equal(over, 0);
  await clock.advance(1);
  assert.deepEqual([over, throttle.isOn], [1, false]);
});

it("a peer that is gone waits for nothing", async () => {
  const clock = new VirtualClock();
  const throttle = new Throttle(rateSettings({ messages: 10 })!, clock, 0);
  throttle.wait(100, () => assert.fail("called after cancel"));
  throttle.cancel();
  throttle.cancel();
  assert.deepEqual([throttle.isOn, clock.pending], [false, 0]);
  await clock.advance(100);
});
