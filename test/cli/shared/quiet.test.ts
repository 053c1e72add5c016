import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Quiet } from "../../../src/cli/shared/quiet.ts";
import { VirtualClock } from "../../../src/testing/index.ts";

describe("Quiet", () => {
  const start = (ms: number) => {
    const clock = new VirtualClock();
    const quiet = new Quiet(clock);
    const state = { isOver: false };
    void quiet.lasting(ms).then(() => (state.isOver = true));
    return { clock, quiet, state };
  };

  it("fulfils when nothing has arrived for the time", async () => {
    const { clock, quiet, state } = start(100);
    await clock.advance(99);
    quiet.busy();
    quiet.idle();
    await clock.advance(99);
    assert.equal(state.isOver, false);
    await clock.advance(1);
    assert.equal(state.isOver, true);
    assert.equal(clock.pending, 0);
  });

  it("does not count time while a message is processed", async () => {
    const { clock, quiet, state } = start(100);
    quiet.busy();
    await clock.advance(1000);
    assert.equal(state.isOver, false);
    quiet.idle();
    await clock.advance(100);
    assert.equal(state.isOver, true);
  });

  it("sets no timer for Infinity, nor after stop", async () => {
    assert.equal(start(Infinity).clock.pending, 0);
    const { clock, quiet, state } = start(100);
    quiet.stop();
    quiet.idle();
    await clock.advance(1000);
    assert.deepEqual([state.isOver, clock.pending], [false, 0]);
  });

  it("waits for the latest call only", async () => {
    const { clock, quiet, state } = start(100);
    let second = false;
    void quiet.lasting(50).then(() => (second = true));
    await clock.advance(200);
    assert.deepEqual([state.isOver, second], [false, true]);
  });
});
