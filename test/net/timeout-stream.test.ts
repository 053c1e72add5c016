import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { lowestLayer, ServalError, type Role } from "../../src/core/index.ts";
import { TimeoutStream } from "../../src/net/index.ts";
import { pair, VirtualClock, type PairOptions, type PairStream } from "../../src/testing/index.ts";
import {
  isStuck,
  pattern,
  read,
  readOutcome,
  teardown,
  write,
  writeAll,
  writeOutcome,
  type WriteOutcome,
} from "../core/support/stream-operations.ts";

const hello = Buffer.from("hello");

interface Timed {
  clock: VirtualClock;
  next: PairStream;
  peer: PairStream;
  stream: TimeoutStream;
}

function timed(options: PairOptions = {}): Timed {
  const clock = new VirtualClock();
  const [next, peer] = pair(options, {});
  return { clock, next, peer, stream: new TimeoutStream(next, { clock }) };
}

/** Writes until the peer's not reading stops it. Returns what that write ends with. */
async function stuckWrite(stream: TimeoutStream): Promise<() => Promise<WriteOutcome>> {
  for (let writes = 0; writes < 10_000; writes++) {
    const writing = writeOutcome(stream, pattern(60_000));
    if (await isStuck(writing)) return () => writing;
  }
  assert.fail("the peer takes without end");
}

describe("TimeoutStream", () => {
  it("sets no timer without a deadline, and passes up the next layer's peer", async () => {
    const { clock, next, peer, stream } = timed();
    const below = { address: "192.0.2.1", port: 7, family: "IPv4" } as const;
    Object.defineProperty(next, "peer", { value: below });
    assert.equal(stream.peer, below);
    assert.equal(stream.nextLayer, next);
    assert.equal(lowestLayer(stream), next);
    const reading = read(stream);
    await clock.advance(1e9);
    assert.equal(clock.pending, 0);
    await writeAll(peer, hello);
    assert.deepEqual(await reading, hello);
  });

  it("ends a read at its deadline, not before, and closes the next layer", async () => {
    const { clock, next, peer, stream } = timed();
    stream.expiresAfter(1000);
    const reading = readOutcome(stream);
    await clock.advance(999);
    assert.ok(await isStuck(reading));
    assert.equal(next.closed, false);
    await clock.advance(1);
    const { error } = await reading;
    assert.equal(error?.code, "core.timeout");
    assert.equal(error.condition, "timeout");
    assert.ok(next.closed);
    assert.equal(clock.pending, 0);
    assert.equal(await read(peer), undefined);
  });

  it("takes a point in time too", async () => {
    const { clock, stream } = timed();
    await clock.advance(500);
    stream.expiresAt(1500);
    const reading = readOutcome(stream);
    await clock.advance(999);
    assert.ok(await isStuck(reading));
    await clock.advance(1);
    assert.equal((await reading).error?.code, "core.timeout");
  });

  it("ends a write that the peer does not take", async () => {
    const { clock, stream } = timed();
    stream.expiresAfter(1000);
    const writing = await stuckWrite(stream);
    await clock.advance(1000);
    const { error, written } = await writing();
    assert.equal(error?.code, "core.timeout");
    assert.equal(written, 0);
  });

  for (const role of ["server", "client"] satisfies Role[]) {
    it(`ends a teardown as the ${role}`, async () => {
      const { clock, next, stream } = timed();
      stream.expiresAfter(1000);
      const torn = teardown(stream, role);
      await clock.advance(1000);
      assert.equal((await torn)?.code, "core.timeout");
      assert.ok(next.closed);
      assert.equal(clock.pending, 0);
    });
  }

  it("has one deadline for all operations together, and ends all in flight", async () => {
    const { clock, peer, stream } = timed();
    stream.expiresAfter(1000);
    for (let count = 0; count < 9; count++) {
      const reading = read(stream);
      await clock.advance(100);
      await writeAll(peer, hello);
      assert.deepEqual(await reading, hello);
    }
    const writing = await stuckWrite(stream);
    const reading = readOutcome(stream);
    await clock.advance(99);
    assert.ok(await isStuck(reading));
    await clock.advance(1);
    assert.equal((await reading).error?.code, "core.timeout");
    assert.equal((await writing()).error?.code, "core.timeout");
  });

  it("fails all later operations too, with any deadline, until the close", async () => {
    const { clock, stream } = timed();
    stream.expiresAfter(10);
    const reading = readOutcome(stream);
    await clock.advance(10);
    await reading;
    stream.expiresNever();
    assert.equal((await readOutcome(stream)).error?.code, "core.timeout");
    stream.expiresAfter(100);
    assert.equal((await writeOutcome(stream, hello)).error?.code, "core.timeout");
    assert.equal((await teardown(stream, "client"))?.code, "core.timeout");
    assert.equal(clock.pending, 0);
    stream.close();
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
  });

  it("fails an operation that starts after the deadline at once, without starting it below", async () => {
    for (const start of [
      async (stream: TimeoutStream) => (await readOutcome(stream)).error,
      async (stream: TimeoutStream) => (await writeOutcome(stream, hello)).error,
      async (stream: TimeoutStream) => teardown(stream, "server"),
    ]) {
      for (const ms of [1000, 0, -1, -Infinity]) {
        const { clock, next, peer, stream } = timed({ record: true });
        await writeAll(peer, hello);
        stream.expiresAfter(ms);
        await clock.advance(1000);
        assert.equal(next.closed, false);
        assert.equal((await start(stream))?.code, "core.timeout");
        assert.ok(next.closed);
        assert.equal(next.sent.length, 0);
        assert.equal(next.received.length, 0);
        assert.equal(clock.pending, 0);
      }
    }
  });

  it("keeps the deadline of operations in flight when it is set, moved or removed", async () => {
    const { clock, peer, stream } = timed();
    const reading = readOutcome(stream);
    stream.expiresAfter(100);
    await write(stream, hello);
    await clock.advance(200);
    assert.ok(await isStuck(reading));
    await writeAll(peer, hello);
    assert.deepEqual((await reading).bytes, hello);

    stream.expiresAfter(100);
    const second = readOutcome(stream);
    stream.expiresNever();
    await clock.advance(100);
    assert.equal((await second).error?.code, "core.timeout");
  });

  it("uses one timer for a read and a write with different deadlines", async () => {
    for (const [readMs, writeMs] of [
      [300, 100],
      [100, 300],
    ] as const) {
      const { clock, stream } = timed();
      stream.expiresAfter(readMs);
      const reading = readOutcome(stream);
      stream.expiresAfter(writeMs);
      const writing = await stuckWrite(stream);
      assert.equal(clock.pending, 1);
      await clock.advance(99);
      assert.ok(await isStuck(reading));
      await clock.advance(1);
      assert.equal((await reading).error?.code, "core.timeout");
      assert.equal((await writing()).error?.code, "core.timeout");
    }
  });

  it("sets no more timers than deadlines pass, however often one is set", async () => {
    const { clock, peer, stream } = timed();
    let timers = 0;
    const { setTimer } = clock;
    clock.setTimer = (ms, expired) => {
      timers++;
      return setTimer.call(clock, ms, expired);
    };
    for (let count = 0; count < 100; count++) {
      stream.expiresAfter(1000);
      const reading = read(stream);
      await writeAll(peer, hello);
      assert.deepEqual(await reading, hello);
      await clock.advance(100);
      assert.ok(clock.pending <= 1);
    }
    assert.ok(timers <= 11, `${timers} timers`);
    // Nothing is in flight, so it is not set again.
    await clock.advance(1000);
    assert.equal(clock.pending, 0);
    assert.ok((await readOutcome(stream)).error?.code === "core.timeout");
  });

  it("observes a nearer deadline at once", async () => {
    const { clock, peer, stream } = timed();
    stream.expiresAfter(1000);
    const first = read(stream);
    await writeAll(peer, hello);
    await first;
    stream.expiresAfter(10);
    const second = readOutcome(stream);
    assert.equal(clock.pending, 1);
    await clock.advance(10);
    assert.equal((await second).error?.code, "core.timeout");
  });

  it("sets the timer again if it fires early", async () => {
    let now = 0;
    const expired: (() => void)[] = [];
    const clock = {
      now: () => now,
      setTimer: (_ms: number, fire: () => void) => {
        expired.push(fire);
        return { cancel: () => undefined };
      },
    };
    const stream = new TimeoutStream(pair()[0], { clock });
    stream.expiresAfter(100);
    const reading = readOutcome(stream);
    for (now = 97; now < 100; now++) expired.shift()!();
    assert.ok(await isStuck(reading));
    expired.shift()!();
    assert.equal((await reading).error?.code, "core.timeout");
    assert.deepEqual(expired, []);
  });

  it("leaves no timer when closed with operations in flight, or torn down", async () => {
    const { clock, stream } = timed();
    stream.expiresAfter(1000);
    const reading = readOutcome(stream);
    assert.equal(clock.pending, 1);
    stream.close();
    assert.equal(clock.pending, 0);
    assert.equal((await reading).error?.code, "core.aborted");
    assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
    assert.equal(clock.pending, 0);

    const other = timed();
    other.stream.expiresAfter(1000);
    other.peer.end();
    assert.equal(await teardown(other.stream, "server"), undefined);
    assert.equal(other.clock.pending, 0);
  });

  it("reports an abort if closed after the deadline but before any handler ran", async () => {
    const { clock, stream } = timed();
    stream.expiresAfter(10);
    let fire!: () => void;
    clock.setTimer = (_ms, expired) => {
      fire = expired;
      return { cancel: () => undefined };
    };
    const reading = readOutcome(stream);
    await clock.advance(10);
    fire();
    stream.close();
    assert.equal((await reading).error?.code, "core.aborted");
  });

  it("refuses a second operation of a kind, without harm to the first", async () => {
    const { clock, peer, stream } = timed();
    stream.expiresAfter(100);
    const reading = read(stream);
    const pending = (error: unknown): boolean =>
      error instanceof ServalError && error.code === "core.operation_pending";
    assert.throws(() => stream.readSome(() => assert.fail("called")), pending);
    await writeAll(peer, hello);
    assert.deepEqual(await reading, hello);
    const waiting = readOutcome(stream);
    await clock.advance(100);
    assert.equal((await waiting).error?.code, "core.timeout");
  });

  it("refuses a deadline that is not a number", () => {
    const { stream } = timed();
    const invalid = (error: unknown): boolean => error instanceof ServalError && error.code === "core.invalid_argument";
    assert.throws(() => stream.expiresAfter(NaN), invalid);
    assert.throws(() => stream.expiresAfter("soon" as never), invalid);
    assert.throws(() => stream.expiresAt("soon" as never), invalid);
  });

  it("does not keep the process alive", () => {
    const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
    const program = `
      import { TimeoutStream } from ${JSON.stringify(here("../../src/net/index.js"))};
      import { pair } from ${JSON.stringify(here("../../src/testing/index.js"))};
      const stream = new TimeoutStream(pair()[0]);
      stream.expiresAfter(3_600_000);
      stream.readSome(() => {});
    `;
    const run = spawnSync(process.execPath, ["--input-type=module", "--eval", program], { timeout: 30_000 });
    assert.equal(run.status, 0, String(run.stderr));
  });
});
