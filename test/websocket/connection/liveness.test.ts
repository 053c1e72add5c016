import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../../../src/core/index.ts";
import { attentive, currentContext, type AsyncContext, type AttentiveClock } from "../../../src/core/internal.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { Liveness, type LivenessOptions, type Living } from "../../../src/websocket/connection/liveness.ts";
import { fc, runs } from "../../support/property.ts";
import { quiet } from "../../support/quiet.ts";

const idle = 1000;

/** A connection as its clock sees it, which the test moves. */
class Owner implements Living {
  readonly context: AsyncContext = currentContext();
  readonly clock: VirtualClock = new VirtualClock();
  readonly liveness: Liveness;
  isReading = true;
  isWriting = false;
  written = 0;
  /** When pings were sent, and when the peer was given up. */
  readonly pings: number[] = [];
  readonly payloads: string[] = [];
  readonly timeouts: number[] = [];

  readonly settings: { readonly time: AttentiveClock };

  constructor({ clock, ...options }: Partial<LivenessOptions & { clock: Clock }> = {}) {
    this.settings = { time: attentive(clock ?? this.clock) };
    this.liveness = new Liveness({ idle, keepAlivePings: false, ...options }, this);
    this.liveness.start();
    this.liveness.reading();
  }

  expired(ping?: Uint8Array): void {
    if (ping !== undefined) {
      this.pings.push(this.clock.now());
      this.payloads.push(Buffer.from(ping).toString("hex"));
    } else {
      this.timeouts.push(this.clock.now());
      this.liveness.stop();
    }
  }

  /** Waits until a time, at which the peer sends something. */
  async hears(time: number): Promise<void> {
    await this.clock.advance(time - this.clock.now());
    this.liveness.reading();
  }

  /** Waits until a time; a timer at most is running on the way. */
  async until(time: number): Promise<void> {
    while (this.clock.now() < time) {
      assert.ok(this.clock.pending <= 1, `${this.clock.pending} timers`);
      await this.clock.advance(Math.min(100, time - this.clock.now()));
    }
  }
}

describe("a silent peer", () => {
  it("is abandoned exactly at idle", async () => {
    const owner = new Owner();
    await owner.until(idle - 1);
    assert.deepEqual([owner.timeouts, owner.clock.pending], [[], 1]);
    await owner.until(idle);
    assert.deepEqual([owner.timeouts, owner.pings, owner.clock.pending], [[idle], [], 0]);
  });

  it("is pinged at half of that, once", async () => {
    const owner = new Owner({ keepAlivePings: true });
    await owner.until(5000);
    assert.deepEqual([owner.pings, owner.timeouts], [[idle / 2], [idle]]);
  });

  it("with Infinity there is no timer, however long", async () => {
    const owner = new Owner({ idle: Infinity, keepAlivePings: true });
    assert.equal(owner.clock.pending, 0);
    await owner.until(10_000);
    assert.deepEqual([owner.pings, owner.timeouts, owner.clock.pending], [[], [], 0]);
  });

  it("of an odd time is pinged once too, and abandoned less than a millisecond before it", async () => {
    for (const odd of [3, 7, 333]) {
      const owner = new Owner({ idle: odd, keepAlivePings: true });
      await owner.until(10 * odd);
      assert.deepEqual([owner.timeouts.map(Math.ceil), owner.pings.length], [[odd], 1]);
    }
  });

  it("is abandoned exactly idle after the last sign of life, and pinged at half of every long silence", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 12 }),
        fc.boolean(),
        async (gaps, pings) => {
          const owner = new Owner({ keepAlivePings: pings });
          const asked: number[] = [];
          let last = 0;
          for (const gap of gaps) {
            // A timer that comes due at the same time as the byte is a matter of taste.
            if (gap === idle / 2) continue;
            if (gap > idle / 2) asked.push(last + idle / 2);
            last += gap;
            await owner.hears(last);
          }
          await owner.until(last + idle);
          assert.deepEqual(owner.timeouts, [last + idle]);
          assert.deepEqual(owner.pings, pings ? [...asked, last + idle / 2] : []);
          assert.equal(owner.clock.pending, 0);
        },
      ),
      { numRuns: runs(60) },
    );
  });
});

describe("while we do not read", () => {
  it("the clock stands still, and a read begins a new time", async () => {
    const owner = new Owner();
    await owner.until(300);
    owner.isReading = false;
    await owner.until(7777);
    assert.deepEqual(owner.timeouts, []);
    owner.isReading = true;
    owner.liveness.reading();
    await owner.until(7777 + idle - 1);
    assert.deepEqual(owner.timeouts, []);
    await owner.until(7777 + idle);
    assert.deepEqual(owner.timeouts, [7777 + idle]);
  });

  it("the peer is still pinged, so that the transport detects whether it is there", async () => {
    const owner = new Owner({ keepAlivePings: true });
    owner.isReading = false;
    await owner.until(3200);
    assert.deepEqual([owner.pings, owner.timeouts], [[500, 1000, 1500, 2000, 2500, 3000], []]);
  });

  it("but not while it takes nothing", async () => {
    const owner = new Owner({ keepAlivePings: true });
    owner.isReading = false;
    owner.isWriting = true;
    await owner.until(3200);
    assert.deepEqual([owner.pings, owner.timeouts], [[], []]);
  });
});

describe("a write", () => {
  it("that makes progress counts as life: at the checks it is in flight, between them bytes are taken", async () => {
    for (const keepAlivePings of [true, false]) {
      const owner = new Owner({ keepAlivePings });
      owner.isWriting = true;
      for (let time = 0; time < 10_000; time += 300) {
        await owner.until(time);
        owner.written += 1;
      }
      assert.deepEqual([owner.timeouts, owner.pings], [[], []]);
      // From here on it takes nothing.
      await owner.until(10_000 + 2 * idle);
      assert.equal(owner.timeouts.length, 1);
    }
  });

  it("that has come to its end in between counts too", async () => {
    const owner = new Owner();
    owner.isWriting = true;
    await owner.until(idle - 1);
    await owner.hears(idle - 1);
    // The check at idle sees a write in flight, the next one that it is through.
    await owner.until(idle + 500);
    owner.isWriting = false;
    owner.written += 1;
    await owner.until(idle - 1 + idle);
    assert.deepEqual(owner.timeouts, []);
  });

  it("that makes none does not: the peer takes nothing, and is abandoned at idle", async () => {
    const owner = new Owner({ keepAlivePings: true });
    owner.isWriting = true;
    await owner.until(400);
    await owner.hears(400);
    await owner.until(5000);
    // Behind what it does not take, a ping would say nothing.
    assert.deepEqual([owner.timeouts, owner.pings], [[400 + idle], []]);
  });

  it("that the transport takes at once proves nothing about the peer", async () => {
    const owner = new Owner({ keepAlivePings: true });
    for (let time = 0; time <= idle; time += 100) {
      owner.written += 50;
      await owner.until(time);
    }
    assert.deepEqual([owner.timeouts, owner.pings], [[idle], [idle / 2]]);
  });
});

describe("the deadline of the end", () => {
  it("takes the timer's place, and the first counts", async () => {
    const owner = new Owner({ keepAlivePings: true });
    await owner.until(100);
    owner.liveness.startDeadline(5000);
    owner.liveness.startDeadline(10);
    assert.equal(owner.clock.pending, 1);
    await owner.until(5099);
    assert.deepEqual([owner.timeouts, owner.pings], [[], []]);
    await owner.until(5100);
    assert.deepEqual([owner.timeouts, owner.clock.pending], [[5100], 0]);
  });

  it("of Infinity is none; and after stop there is none either", async () => {
    for (const end of [
      (liveness: Liveness): void => liveness.startDeadline(Infinity),
      (liveness: Liveness): void => {
        liveness.stop();
        liveness.startDeadline(10);
        liveness.start();
      },
    ]) {
      const owner = new Owner();
      end(owner.liveness);
      assert.equal(owner.clock.pending, 0);
      await owner.until(10_000);
      assert.deepEqual(owner.timeouts, []);
    }
  });
});

describe("the round-trip time", () => {
  const payload = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);

  it("is from a ping to the pong with its payload, to the last ping alone, and counts once", async () => {
    const owner = new Owner({ idle: Infinity });
    const { liveness } = owner;
    const times: (number | undefined)[] = [];
    const pong = (...bytes: number[]): void => {
      liveness.ponged(payload(...bytes));
      times.push(liveness.roundTripTime);
    };
    pong();
    liveness.pinged(payload(1, 2));
    await owner.until(30);
    for (const other of [[], [1], [1, 2, 3], [1, 3]]) pong(...other);
    pong(1, 2);
    await owner.until(70);
    pong(1, 2);
    liveness.pinged(payload(7));
    await owner.until(80);
    liveness.pinged(payload(8));
    await owner.until(85);
    pong(7);
    pong(8);
    assert.deepEqual(times, [undefined, undefined, undefined, undefined, undefined, 30, 30, 30, 5]);
  });

  it("of a ping without a payload, and of one whose buffer was used again", async () => {
    const owner = new Owner({ idle: Infinity });
    owner.liveness.pinged(payload());
    await owner.until(3);
    owner.liveness.ponged(payload());
    assert.equal(owner.liveness.roundTripTime, 3);
    const own = payload(1);
    owner.liveness.pinged(own);
    own[0] = 2;
    await owner.until(10);
    owner.liveness.ponged(payload(1));
    assert.equal(owner.liveness.roundTripTime, 7);
  });

  it("is measured by keep-alive pings too, each of which has another payload", async () => {
    const owner = new Owner({ keepAlivePings: true });
    owner.isReading = false;
    for (let i = 1; i <= 300; i++) {
      await owner.until(500 * i);
      await owner.clock.advance(i % 7);
      owner.liveness.ponged(Buffer.from(owner.payloads.at(-1)!, "hex"));
      assert.equal(owner.liveness.roundTripTime, i % 7);
    }
    assert.equal(new Set(owner.payloads).size, 300);
  });
});

it("is asked before it is given up, and has half of idle to answer, however late the timers come", async () => {
  for (const jumps of [[300], [700, 700], [1100], [600, 5000, 5000]]) {
    const owner = new Owner({ keepAlivePings: true });
    for (const ms of jumps) await owner.clock.jump(ms);
    while (owner.timeouts.length === 0) await owner.clock.advance(1);
    assert.equal(owner.pings.length, 1);
    const time = owner.timeouts[0]! - owner.pings[0]!;
    assert.ok(time >= idle / 2, `${time} ms to answer after ${jumps.join(", ")}`);
  }
});

it("a clock that is behind its own timers, by fractions, makes no storm of timers", async () => {
  const timers: { ms: number; expired: () => void }[] = [];
  let now = 0;
  const clock: Clock = {
    now: () => now,
    setTimer: (ms, expired) => {
      timers.push({ ms, expired });
      return { cancel: () => {} };
    },
  };
  const owner = new Owner({ clock, keepAlivePings: true });
  for (let fired = 0; owner.timeouts.length === 0; fired++) {
    assert.ok(fired < 10, "a storm");
    const { ms, expired } = timers.pop()!;
    assert.ok(ms >= 1);
    now += ms - 0.7;
    expired();
    await quiet();
  }
  assert.ok(now > idle - 5 && now <= idle, `given up at ${now}`);
});
