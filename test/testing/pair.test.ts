import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pair, type PairOptions } from "../../src/testing/index.ts";
import {
  isStuck,
  pattern,
  read,
  readExactly,
  readOutcome,
  readToEnd,
  shutdown,
  teardown,
  turns,
  watch,
  write,
  writeAll,
  writeOutcome,
} from "../core/support/stream-operations.ts";

const hello = Buffer.from("hello");

describe("pair", () => {
  it("delivers from a microtask, before the event loop turns", async () => {
    const [a, b] = pair();
    const log: string[] = [];
    b.readSome(() => log.push("read"));
    a.writeSome(hello, () => log.push("written"));
    assert.deepEqual(log, []);
    for (let count = 0; count < 5; count++) await undefined;
    assert.deepEqual(log.toSorted(), ["read", "written"]);
  });

  it("gives one read all that waits", async () => {
    const [a, b] = pair();
    await writeAll(a, hello);
    await writeAll(a, hello);
    assert.equal(String(await read(b)), "hellohello");
  });

  it("overwrites what it lent as soon as the handler returns", async () => {
    const [a, b] = pair();
    let lent: Uint8Array | undefined;
    b.readSome((_error, bytes) => {
      lent = bytes;
      assert.equal(String(Buffer.from(bytes!)), "hello");
      queueMicrotask(() => assert.deepEqual([...bytes!], [0xdb, 0xdb, 0xdb, 0xdb, 0xdb]));
    });
    await writeAll(a, hello);
    await turns(1);
    assert.deepEqual([...lent!], [0xdb, 0xdb, 0xdb, 0xdb, 0xdb]);
  });

  it("overwrites lent bytes while more wait, however many", async () => {
    for (const size of [10, 5000]) {
      const [a, b] = pair({ maxRead: 3 });
      await writeAll(a, pattern(size));
      let lent: Uint8Array | undefined;
      b.readSome((_error, bytes) => {
        lent = bytes;
      });
      await turns(1);
      assert.deepEqual([...lent!], [0xdb, 0xdb, 0xdb]);
      assert.equal(b.unread, size - 3);
    }
  });

  it("overwrites it also when the handler throws, and goes on", async (test) => {
    const [a, b] = pair();
    const thrown = new Error("from the handler");
    const caught = new Promise<unknown>((resolve) => {
      process.setUncaughtExceptionCaptureCallback(resolve);
    });
    test.after(() => process.setUncaughtExceptionCaptureCallback(null));
    let lent: Uint8Array | undefined;
    b.readSome((_error, bytes) => {
      lent = bytes;
      throw thrown;
    });
    await writeAll(a, hello);
    assert.equal(await caught, thrown);
    assert.ok(lent!.every((byte) => byte === 0xdb));
    await writeAll(a, hello);
    assert.deepEqual(await read(b), hello);
  });

  it("does not mix what is written inside the handler with what was lent to it", async () => {
    const [a, b] = pair({ maxRead: 3 });
    await writeAll(a, Buffer.from("abcdef"));
    const inHandler = new Promise<string>((resolve) => {
      b.readSome((_error, bytes) => {
        a.writeSome(pattern(2000), () => {});
        resolve(String(Buffer.from(bytes!)));
      });
    });
    assert.equal(await inHandler, "abc");
    assert.deepEqual(await readExactly(b, 3), Buffer.from("def"));
    assert.ok((await readExactly(b, 1998)).equals(pattern(2000).subarray(0, 1998)));
  });

  it("cuts reads and writes short", async () => {
    const [a, b] = pair({ maxWrite: 2 }, { maxRead: 1 });
    assert.equal(await write(a, hello), 2);
    assert.equal(String(await read(b)), "h");
    assert.equal(String(await read(b)), "e");
    assert.equal(await write(a, [new Uint8Array(0), Buffer.from("l"), Buffer.from("lo")]), 2);
    assert.equal(await write(b, hello), 5);
    assert.deepEqual(await read(a), hello);
  });

  it("lets no more wait than the capacity of the reader's side", async () => {
    const [a, b] = pair({}, { capacity: 8 });
    assert.equal(await write(a, pattern(100)), 8);
    assert.equal(b.unread, 8);
    const waiting = write(a, pattern(100, 2));
    assert.ok(await isStuck(waiting));
    assert.deepEqual(await read(b), pattern(8));
    assert.equal(await waiting, 8);
    assert.deepEqual(await read(b), pattern(100, 2).subarray(0, 8));
  });

  it("has room for 64 KiB by default", async () => {
    const [a] = pair();
    assert.equal(await write(a, Buffer.alloc(100_000)), 65_536);
  });

  it("records what passed, on the sides that were asked to", async () => {
    const [a, b] = pair({ record: true }, {});
    await writeAll(a, hello);
    await writeAll(b, Buffer.from("back"));
    assert.equal(String(Buffer.from(a.sent)), "hello");
    assert.equal(a.received.length, 0);
    await read(a);
    assert.equal(String(Buffer.from(a.received)), "back");
    assert.throws(() => b.sent, { code: "core.invalid_argument" });
    assert.throws(() => b.received, { code: "core.invalid_argument" });
  });

  it("shows its state", async () => {
    const [a, b] = pair();
    assert.deepEqual([b.operations, b.reading, b.ended, b.closed], [0, false, false, false]);
    const reading = read(b);
    assert.deepEqual([b.operations, b.reading], [1, true]);
    await writeAll(a, hello);
    await reading;
    assert.deepEqual([b.operations, b.reading], [1, false]);
    const torn = Promise.all([teardown(b, "server"), teardown(a, "client")]);
    assert.deepEqual([b.operations, b.ended, b.closed], [3, true, false]);
    await torn;
    assert.deepEqual([b.reading, b.ended, b.closed], [false, true, true]);
    assert.deepEqual([a.operations, a.ended, a.closed], [3, true, true]);
  });

  it("lets the peer read what was sent before a close", async () => {
    const [a, b] = pair();
    await writeAll(a, hello);
    a.close();
    assert.deepEqual(await readToEnd(b), hello);
    assert.equal((await writeOutcome(b, hello)).error?.code, "core.connection_reset");
  });

  it("fails all of the peer's at a reset, also reads of what was sent before", async () => {
    const [a, b] = pair({ capacity: 8 });
    await writeAll(a, hello);
    assert.equal(await write(b, pattern(8)), 8);
    const waiting = writeOutcome(b, hello);
    a.reset();
    assert.equal((await waiting).error?.code, "core.connection_reset");
    assert.equal((await readOutcome(b)).error?.code, "core.connection_reset");
    assert.deepEqual([a.ended, a.closed, b.closed], [true, true, false]);
  });

  it("fails a write that waits for a peer that closes", async () => {
    const [a, b] = pair({ capacity: 1 });
    await write(a, hello);
    const waiting = writeOutcome(a, hello);
    b.close();
    assert.equal((await waiting).error?.code, "core.connection_reset");
  });
});

describe("pair, checks", () => {
  const refused: [options: unknown, message: RegExp][] = [
    [5, /^pair takes a plain object, such as \{ maxRead: 1 \}, not 5$/],
    [null, /plain object/],
    [{ maxread: 1 }, /^pair has no option "maxread": did you mean maxRead\?$/],
    [{ maxRead: 0 }, /^maxRead must be a whole number, 1 or more \(Infinity for no limit\), not 0$/],
    [{ maxRead: "1" }, /^maxRead must be .*, not "1"$/],
    [{ maxWrite: 0.5 }, /^maxWrite must be/],
    [{ capacity: -1 }, /^capacity must be a whole number, 1 or more/],
    [{ failAfter: NaN }, /^failAfter must be a whole number, 0 or more/],
    [{ endAfter: -1 }, /^endAfter must be/],
    [{ resetAfter: 1.5 }, /^resetAfter must be/],
    [{ record: 1 }, /^record must be true or false/],
  ];
  it("refuse options of either side that would have no effect, or another one", () => {
    for (const [options, message] of refused) {
      const given = options as PairOptions;
      assert.throws(() => pair(given), { code: "core.invalid_argument", message });
      assert.throws(() => pair({}, given), { code: "core.invalid_argument", message });
    }
  });

  it("take an undefined option for its default", async () => {
    const [a, b] = pair({ maxRead: undefined, capacity: undefined } as unknown as PairOptions);
    await writeAll(a, hello);
    assert.deepEqual(await read(b), hello);
  });
});

describe("pair, failAfter", () => {
  it("fails the operation after so many, and all later ones", async () => {
    for (let count = 0; count < 4; count++) {
      const [a, b] = pair({ failAfter: count }, {});
      const outcomes = [
        async () => (await writeOutcome(a, hello)).error,
        async () => {
          b.writeSome(hello, () => {});
          return (await readOutcome(a)).error;
        },
        async () => (await writeOutcome(a, hello)).error,
        async () => shutdown(a),
        async () => watch(a),
      ];
      for (const [index, operation] of outcomes.entries()) {
        const error = await operation();
        assert.equal(error?.code, index < count ? undefined : "testing.failure", `operation ${index} of ${count}`);
        if (error !== undefined) assert.equal(error.condition, "transport");
      }
      assert.equal(a.operations, 5);
    }
  });

  it("sends nothing of the write that fails, and fails what is in flight with it", async () => {
    const [a, b] = pair({ failAfter: 1 }, {});
    const reading = readOutcome(a);
    assert.equal((await writeOutcome(a, hello)).error?.code, "testing.failure");
    assert.equal((await reading).error?.code, "testing.failure");
    assert.equal(b.unread, 0);
    const peer = read(b);
    assert.ok(await isStuck(peer));
    a.close();
    assert.equal(await peer, undefined);
  });
});

describe("pair, endAfter and resetAfter", () => {
  it("end the stream at a byte, and drop the peer's later writes", async () => {
    const [a, b] = pair({}, { endAfter: 3 });
    await writeAll(a, hello);
    assert.equal(String(await readToEnd(b)), "hel");
    await writeAll(a, Buffer.alloc(200_000));
    assert.equal(await read(b), undefined);
    await writeAll(b, hello);
    assert.deepEqual(await read(a), hello);
  });

  it("end it before the first byte", async () => {
    const [, b] = pair({}, { endAfter: 0 });
    assert.equal(await read(b), undefined);
  });

  it("reset both sides at a byte", async () => {
    const [a, b] = pair({}, { resetAfter: 3 });
    const waiting = readOutcome(a);
    await writeAll(a, hello);
    assert.equal(String(await read(b)), "hel");
    assert.equal((await readOutcome(b)).error?.code, "core.connection_reset");
    assert.equal((await waiting).error?.code, "core.connection_reset");
    assert.equal((await writeOutcome(a, hello)).error?.code, "core.connection_reset");
  });
});
