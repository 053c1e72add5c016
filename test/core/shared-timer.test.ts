import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { attentive } from "../../src/core/attentive-clock.ts";
import { currentContext, type AsyncContext } from "../../src/core/async-context.ts";
import { SharedTimer, type Expiring } from "../../src/core/shared-timer.ts";
import { VirtualClock } from "../../src/testing/index.ts";

/** Who notes when it was told. */
class Member implements Expiring {
  readonly context: AsyncContext = currentContext();
  readonly #clock: VirtualClock;
  readonly told: number[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  expired(): void {
    this.told.push(this.#clock.now());
  }
}

describe("SharedTimer", () => {
  it("a single member is called exactly on time", async () => {
    const clock = new VirtualClock();
    const member = new Member(clock);
    const start = clock.now();
    SharedTimer.set(attentive(clock), 1000, member, false);
    await clock.advance(999);
    assert.deepEqual(member.told, []);
    await clock.advance(1);
    assert.deepEqual(member.told, [start + 1000]);
    assert.equal(clock.pending, 0);
  });

  it("many members share few timers, and are called never early and hardly late", async () => {
    const clock = new VirtualClock();
    const members: { member: Member; due: number }[] = [];
    let most = 0;
    for (let i = 0; i < 5000; i++) {
      const member = new Member(clock);
      members.push({ member, due: clock.now() + 2000 });
      SharedTimer.set(attentive(clock), 2000, member, false);
      if (i % 5 === 0) await clock.advance(1);
      most = Math.max(most, clock.pending);
    }
    await clock.advance(3000);
    for (const { member, due } of members) {
      assert.equal(member.told.length, 1);
      const late = member.told[0]! - due;
      assert.ok(late >= 0 && late <= 2000 / 256, `${late} ms late`);
    }
    assert.ok(most <= 300, `${most} timers`);
    assert.equal(clock.pending, 0);
  });

  it("a member that has left is not called; with the last one the timer stops", async () => {
    const clock = new VirtualClock();
    const [stays, leaves] = [new Member(clock), new Member(clock)];
    const timer = SharedTimer.set(attentive(clock), 1000, stays, false);
    assert.equal(SharedTimer.set(attentive(clock), 1000, leaves, false), timer);
    timer.leave(leaves);
    assert.equal(clock.pending, 1);
    await clock.advance(1000);
    assert.deepEqual([stays.told.length, leaves.told.length], [1, 0]);
    const alone = SharedTimer.set(attentive(clock), 1000, leaves, false);
    alone.leave(leaves);
    alone.leave(leaves);
    assert.equal(clock.pending, 0);
  });

  it("a member that keeps the process alive shares no timer with those that don't; a shorter time gets its own", () => {
    const clock = new VirtualClock();
    const member = new Member(clock);
    const timer = SharedTimer.set(attentive(clock), 1000, member, false);
    assert.notEqual(SharedTimer.set(attentive(clock), 1000, new Member(clock), true), timer);
    assert.notEqual(SharedTimer.set(attentive(clock), 900, new Member(clock), false), timer);
    assert.equal(clock.pending, 3);
  });

  it("a member that leaves while another is called is not called", async () => {
    const clock = new VirtualClock();
    const second = new Member(clock);
    const first: Expiring = { context: currentContext(), expired: () => timer.leave(second) };
    const timer = SharedTimer.set(attentive(clock), 10, first, false);
    SharedTimer.set(attentive(clock), 10, second, false);
    await clock.advance(10);
    assert.deepEqual(second.told, []);
  });

  it("tells each in its own async context", async () => {
    const clock = new VirtualClock();
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    for (const name of ["first", "second"]) {
      storage.run(name, () => {
        const member: Expiring = { context: currentContext(), expired: () => seen.push(storage.getStore()) };
        SharedTimer.set(attentive(clock), 10, member, false);
      });
    }
    assert.equal(clock.pending, 1);
    await clock.advance(10);
    assert.deepEqual(seen, ["first", "second"]);
  });
});
