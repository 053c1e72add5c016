import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { systemClock } from "../../src/core/index.ts";

describe("systemClock", () => {
  it("never goes back", () => {
    let last = systemClock.now();
    for (let count = 0; count < 1000; count++) {
      const now = systemClock.now();
      assert.ok(now >= last);
      last = now;
    }
  });

  it("runs a timer once, not inside the call", async () => {
    let inside = true;
    await new Promise<void>((resolve) => {
      systemClock.setTimer(0, () => {
        assert.equal(inside, false);
        resolve();
      });
      inside = false;
    });
  });

  it("does not run a cancelled timer, and allows a second cancel", async () => {
    const timer = systemClock.setTimer(0, () => assert.fail("ran"));
    timer.cancel();
    timer.cancel();
    await new Promise<void>((resolve) => void systemClock.setTimer(5, resolve));
  });

  it("does not let a long timer fire at once", () => {
    const setTimeout = mock.method(globalThis, "setTimeout");
    try {
      systemClock.setTimer(2 ** 40, () => {}).cancel();
      assert.equal(setTimeout.mock.calls[0]!.arguments[1], 2 ** 31 - 1);
    } finally {
      setTimeout.mock.restore();
    }
  });
});
