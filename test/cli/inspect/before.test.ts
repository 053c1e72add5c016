import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { before } from "../../../src/cli/inspect/before.ts";
import { VirtualClock } from "../../../src/testing/index.ts";

describe("before", () => {
  it("returns the operation's result, and leaves no timer", async () => {
    const clock = new VirtualClock();
    assert.equal(await before(100, clock, async () => 1), 1);
    const failing = before(100, clock, () => Promise.reject(new Error("no")));
    await assert.rejects(failing, /^Error: no$/);
    assert.equal(clock.pending, 0);
  });

  it("aborts an operation that is late", async () => {
    const clock = new VirtualClock();
    await clock.advance(10);
    let signal!: AbortSignal;
    const late = before(
      15,
      clock,
      (given) => {
        signal = given;
        return new Promise((_, reject) => given.addEventListener("abort", () => reject(new Error("given up"))));
      },
      "too late",
    );
    const failure = assert.rejects(late, { code: "core.timeout", message: "too late" });
    await clock.advance(4);
    assert.equal(signal.aborted, false);
    await clock.advance(1);
    await failure;
    assert.equal(signal.aborted, true);
  });

  it("sets no timer if there is no limit", async () => {
    const clock = new VirtualClock();
    let done!: () => void;
    const waiting = before(Infinity, clock, () => new Promise<void>((resolve) => (done = resolve)));
    assert.equal(clock.pending, 0);
    done();
    await waiting;
  });
});
