import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lowestLayer, ServalError, type ByteStream } from "../../src/core/index.ts";
import { RateLimitStream, simpleRatePolicy, type RatePolicy } from "../../src/net/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream } from "../../src/testing/index.ts";
import {
  isStuck,
  pattern,
  read,
  readExactly,
  readOutcome,
  shutdown,
  turns,
  write,
  writeAll,
  writeOutcome,
} from "../core/support/stream-operations.ts";

const never = (): void => assert.fail("called");
const misuse = (code: string) => (error: unknown) => error instanceof ServalError && error.code === code;

interface Limited {
  clock: VirtualClock;
  next: PairStream;
  peer: PairStream;
  stream: RateLimitStream;
}

function limited(policy: RatePolicy, options: PairOptions = {}, clock: VirtualClock = new VirtualClock()): Limited {
  const [next, peer] = pair({ capacity: 1e9, ...options }, { capacity: 1e9 });
  return { clock, next, peer, stream: new RateLimitStream(next, policy, { clock }) };
}

/** Reads as long as there is something, and counts. */
function counting(stream: ByteStream): { bytes: number; largest: number } {
  const count = { bytes: 0, largest: 0 };
  const next = (): void => {
    stream.readSome((error, bytes) => {
      if (error !== undefined || bytes === undefined) return;
      count.bytes += bytes.length;
      count.largest = Math.max(count.largest, bytes.length);
      next();
    });
  };
  next();
  return count;
}

/** Uses up what a policy has at the beginning. */
function exhaust(policy: RatePolicy, now = 0): RatePolicy {
  for (const limit of [policy.read, policy.write]) limit?.take(limit.available(now), now);
  return policy;
}

describe("RateLimitStream", () => {
  it("writes a burst, and then at its rate, to the byte", async () => {
    const { clock, peer, stream } = limited(simpleRatePolicy({ write: 1000 }));
    const arrived = counting(peer);
    const done = writeAll(stream, pattern(10_000));
    await turns(3);
    assert.equal(arrived.bytes, 1000);
    for (let ms = 50; ms <= 9000; ms += 50) {
      await clock.advance(49);
      assert.equal(arrived.bytes, 1000 + ms - 50);
      await clock.advance(1);
      assert.equal(arrived.bytes, 1000 + ms);
    }
    await done;
    assert.equal(clock.pending, 0);
  });

  it("waits no longer than the rest of the write needs", async () => {
    const { clock, peer, stream } = limited(exhaust(simpleRatePolicy({ write: 1000 })));
    const writing = write(stream, [Buffer.from("12"), Buffer.from("3")]);
    await clock.advance(2);
    assert.ok(await isStuck(writing));
    await clock.advance(1);
    assert.equal(await writing, 3);
    assert.equal(String(await read(peer)), "123");
  });

  it("reads a burst, and then at its rate, however much arrives at once", async () => {
    for (const maxRead of [1, 100, 5000, Infinity]) {
      const { clock, peer, stream } = limited(simpleRatePolicy({ read: 10_000 }), { maxRead });
      await writeAll(peer, pattern(50_000));
      const arrived = counting(stream);
      const most = Math.min(maxRead, 50_000);
      for (let ms = 0; ms <= 5000; ms += 100) {
        await clock.advance(ms === 0 ? 0 : 100);
        const allowed = 10_000 + ms * 10;
        assert.ok(arrived.bytes < allowed + most, `${arrived.bytes} bytes after ${ms} ms`);
        assert.ok(arrived.bytes >= Math.min(50_000, allowed - most - 500), `${arrived.bytes} bytes after ${ms} ms`);
      }
      assert.equal(arrived.bytes, 50_000);
      // All of it, and no sooner than at the rate.
      assert.ok(clock.now() >= 4000);
      stream.close();
      assert.equal(clock.pending, 0);
    }
  });

  it("delays the next read after one that was too large, and pauses the transport meanwhile", async () => {
    const { clock, next, peer, stream } = limited(simpleRatePolicy({ read: 1000 }));
    await writeAll(peer, pattern(11_000));
    await readExactly(stream, 11_000);
    await writeAll(peer, Buffer.from("next"));
    const reading = read(stream);
    await clock.advance(9999);
    assert.equal(next.reading, false);
    assert.equal(next.operations, 1);
    assert.ok(await isStuck(reading));
    await clock.advance(51);
    assert.equal(String(await reading), "next");
  });

  it("holds the peer up while it waits", async () => {
    const clock = new VirtualClock();
    const [next, peer] = pair({ capacity: 1000 });
    const stream = new RateLimitStream(next, exhaust(simpleRatePolicy({ read: 1000 })), { clock });
    const arrived = counting(stream);
    const sending = writeAll(peer, pattern(5000));
    await clock.advance(40);
    assert.equal(arrived.bytes, 0);
    assert.equal(next.unread, 1000);
    await clock.advance(4010);
    assert.equal(arrived.bytes, 5000);
    await sending;
    stream.close();
  });

  it("limits each direction separately", async () => {
    const { clock, peer, stream } = limited(exhaust(simpleRatePolicy({ write: 1000 })));
    await writeAll(peer, pattern(60_000));
    await readExactly(stream, 60_000);
    const writing = write(stream, Buffer.from("x"));
    assert.ok(await isStuck(writing));
    await clock.advance(1);
    await writing;
    const other = limited(exhaust(simpleRatePolicy({ read: 1000 })));
    assert.equal(await write(other.stream, pattern(60_000)), 60_000);
  });

  it("limits both directions together if they share a limit", async () => {
    const { write: limit } = simpleRatePolicy({ write: 1000 });
    const { clock, peer, stream } = limited({ read: limit, write: limit });
    await writeAll(peer, pattern(600));
    await readExactly(stream, 600);
    assert.equal(await write(stream, pattern(1000)), 400);
    await clock.advance(100);
    assert.equal(await write(stream, pattern(1000)), 100);
  });

  it("shares a limit among streams, in total and in turn", async () => {
    const clock = new VirtualClock();
    const policy = simpleRatePolicy({ write: 1000 });
    const streams = Array.from({ length: 5 }, () => limited(policy, {}, clock));
    const arrived = streams.map(({ peer }) => counting(peer));
    const done = Promise.all(streams.map(({ stream }) => writeAll(stream, pattern(2000))));
    const total = (): number => arrived.reduce((sum, { bytes }) => sum + bytes, 0);
    for (let ms = 0; ms < 9000; ms += 100) {
      await clock.advance(ms === 0 ? 0 : 100);
      assert.ok(total() <= 1000 + ms, `${total()} bytes after ${ms} ms`);
      assert.ok(total() >= 1000 + ms - 100, `${total()} bytes after ${ms} ms`);
    }
    // Nobody is left behind, but for the one that had the burst to itself.
    const sizes = arrived.map(({ bytes }) => bytes).toSorted((a, b) => a - b);
    assert.ok(sizes[3]! - sizes[0]! <= 500, sizes.join());
    await clock.advance(200);
    await done;
    assert.equal(total(), 10_000);
    assert.equal(clock.pending, 0);
  });

  it("shares a limit of reads too", async () => {
    const clock = new VirtualClock();
    const policy = simpleRatePolicy({ read: 10_000 });
    const streams = Array.from({ length: 4 }, () => limited(policy, { maxRead: 1000 }, clock));
    for (const { peer } of streams) await writeAll(peer, pattern(10_000));
    const arrived = streams.map(({ stream }) => counting(stream));
    const total = (): number => arrived.reduce((sum, { bytes }) => sum + bytes, 0);
    for (let ms = 0; ms <= 3500; ms += 100) {
      await clock.advance(ms === 0 ? 0 : 100);
      assert.ok(total() <= 10_000 + ms * 10 + 4 * 1000, `${total()} bytes after ${ms} ms`);
      assert.ok(total() >= Math.min(40_000, 10_000 + ms * 10 - 4 * 1000), `${total()} bytes after ${ms} ms`);
    }
    assert.equal(total(), 40_000);
    for (const { stream } of streams) stream.close();
  });

  it("gives back what a write did not take", async () => {
    const policy = simpleRatePolicy({ write: 1000 });
    const { stream } = limited(policy, { maxWrite: 10 });
    assert.equal(await write(stream, pattern(1000)), 10);
    assert.equal(policy.write?.available(0), 990);
    const failing = limited(policy, { failAfter: 0 });
    assert.equal((await writeOutcome(failing.stream, pattern(500))).error?.code, "testing.failure");
    assert.equal(policy.write?.available(0), 990);
  });

  it("passes calls on without a limit, with the same handler", () => {
    const { next, stream } = limited({});
    const handlers: unknown[] = [];
    next.readSome = (handler) => void handlers.push(handler);
    next.writeSome = (_buffers, handler) => void handlers.push(handler);
    const written = (): void => undefined;
    stream.readSome(never);
    stream.writeSome(Buffer.from("x"), written);
    assert.deepEqual(handlers, [never, written]);
  });

  it("aborts what waits when it is closed, once each and not inside the call, and leaves no timer", async () => {
    const { clock, next, stream } = limited(exhaust(simpleRatePolicy({ read: 10, write: 10 })));
    const reading = readOutcome(stream);
    const writing = writeOutcome(stream, Buffer.from("x"));
    assert.equal(clock.pending, 2);
    stream.close();
    assert.equal(clock.pending, 0);
    stream.close();
    assert.throws(() => stream.readSome(never), misuse("core.operation_pending"));
    assert.equal((await reading).error?.code, "core.aborted");
    assert.deepEqual(await writing.then(({ error, written }) => [error?.code, written]), ["core.aborted", 0]);
    assert.ok(next.closed);
    assert.equal(next.operations, 0);
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
    assert.equal((await writeOutcome(stream, Buffer.from("x"))).error?.code, "core.aborted");
    assert.equal(clock.pending, 0);
  });

  it("aborts a waiting write even if the read's handler throws", async (t) => {
    const { stream } = limited(exhaust(simpleRatePolicy({ read: 10, write: 10 })));
    const thrown = new Promise((resolve) => {
      const { listeners } = { listeners: process.listeners("uncaughtException") };
      process.removeAllListeners("uncaughtException");
      process.once("uncaughtException", resolve);
      t.after(() => listeners.forEach((listener) => process.on("uncaughtException", listener)));
    });
    stream.readSome(() => {
      throw new Error("the application's");
    });
    const writing = writeOutcome(stream, Buffer.from("x"));
    stream.close();
    assert.equal((await writing).error?.code, "core.aborted");
    assert.match(String(await thrown), /the application's/);
  });

  it("refuses a second operation, a watch and a shutdown while one waits, without harm to it", async () => {
    const { clock, peer, stream } = limited(exhaust(simpleRatePolicy({ read: 1000, write: 1000 })));
    const reading = read(stream);
    assert.throws(() => stream.readSome(never), misuse("core.operation_pending"));
    assert.throws(() => stream.watch(never), misuse("core.operation_pending"));
    await writeAll(peer, Buffer.from("x"));
    await clock.advance(50);
    assert.equal(String(await reading), "x");
    const writing = write(stream, pattern(50));
    assert.throws(() => stream.writeSome(Buffer.from("x"), never), misuse("core.operation_pending"));
    assert.throws(() => stream.shutdown(never), misuse("core.operation_pending"));
    await clock.advance(50);
    assert.equal(await writing, 50);
  });

  it("refuses to write nothing, even while nothing is available", () => {
    const { clock, stream } = limited(exhaust(simpleRatePolicy({ write: 10 })));
    for (const nothing of [new Uint8Array(0), [], [new Uint8Array(0)]]) {
      assert.throws(() => stream.writeSome(nothing, never), misuse("core.invalid_argument"));
    }
    assert.equal(clock.pending, 0);
  });

  it("ends the write side without waiting", async () => {
    const { clock, peer, stream } = limited(exhaust(simpleRatePolicy({ read: 10, write: 10 })));
    assert.equal(await shutdown(stream), undefined);
    assert.equal(await read(peer), undefined);
    assert.equal(clock.pending, 0);
  });

  it("ends a watch when a read starts that has to wait, and counts what that took when it is read", async () => {
    const { clock, peer, stream } = limited(exhaust(simpleRatePolicy({ read: 1000 })));
    stream.watch(never);
    await writeAll(peer, pattern(200));
    const reading = read(stream);
    peer.end();
    assert.ok(await isStuck(reading));
    await clock.advance(50);
    assert.deepEqual(await reading, pattern(200));
    const end = read(stream);
    await clock.advance(100);
    assert.ok(await isStuck(end));
    await clock.advance(100);
    assert.equal(await end, undefined);
  });

  it("reports misuse if the next layer is used elsewhere meanwhile", async () => {
    const { clock, next, stream } = limited(exhaust(simpleRatePolicy({ read: 1000, write: 1000 })));
    const reading = readOutcome(stream);
    const writing = writeOutcome(stream, Buffer.from("x"));
    next.readSome(() => {});
    next.writeSome(Buffer.from("y"), () => {});
    next.readSome = next.writeSome = () => {
      throw new Error("in use");
    };
    await clock.advance(50);
    assert.equal((await reading).error?.code, "core.transport");
    assert.equal((await writing).error?.code, "core.transport");
  });

  it("passes up the next layer's peer, and refuses an invalid policy", () => {
    const { next, stream } = limited({});
    const below = { address: "192.0.2.1", port: 7, family: "IPv4" } as const;
    Object.defineProperty(next, "peer", { value: below });
    assert.equal(stream.peer, below);
    assert.equal(stream.nextLayer, next);
    assert.equal(lowestLayer(stream), next);
    assert.throws(() => new RateLimitStream(next, { read: 1000 as never }), misuse("core.invalid_argument"));
    for (const policy of [1000, null, undefined]) {
      assert.throws(() => new RateLimitStream(next, policy as never), misuse("core.invalid_argument"));
    }
    assert.throws(() => new RateLimitStream(next, {}, { clock: 5 as never }), misuse("core.invalid_argument"));
  });
});
