import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError, type ByteStream, type Role } from "../../../src/core/index.ts";
import {
  exchange,
  isStuck,
  pattern,
  read,
  readExactly,
  readOutcome,
  readToEnd,
  shutdown,
  teardown,
  turns,
  until,
  watch,
  write,
  writeAll,
  writeOutcome,
  type WriteOutcome,
} from "./stream-operations.ts";

/** A connection to run the suite on. */
export interface Connection {
  /** The stream under test. */
  readonly stream: ByteStream;
  /** The other end. */
  readonly peer: ByteStream;
  /** Ends the peer's write side, and nothing else. */
  endPeer(): void;
  /** Makes the peer, or the network, reset the connection. */
  reset(): void;
  /** Frees what the connection holds besides its two streams. */
  release?(): void | Promise<void>;
}

/** The rules that some transport cannot keep, or cannot be made to show. */
export type Need = "late-look" | "reset" | "half-close" | "show-reset";

const hello = Buffer.from("hello");

/** A write that the peer does not read can not go on for longer than this. The kernel's buffers are the largest. */
const mostUnread = 64 * 1024 * 1024;

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ServalError && error.code === code;
}

/** Sends a little, and waits until it has arrived. */
async function send(from: ByteStream, to: ByteStream): Promise<void> {
  const [received] = await Promise.all([readExactly(to, hello.length), writeAll(from, hello)]);
  assert.deepEqual(received, hello);
}

/** Writes until the peer's not reading stops it. Returns that write, and how much went before. */
async function fill(stream: ByteStream): Promise<{ stuck: Promise<WriteOutcome>; filled: number }> {
  const chunk = Buffer.alloc(256 * 1024, "x");
  for (let filled = 0; filled < mostUnread;) {
    const operation = writeOutcome(stream, chunk);
    if (await isStuck(operation)) return { stuck: operation, filled };
    const { error, written } = await operation;
    if (error !== undefined) throw error;
    filled += written;
  }
  throw new Error(`${mostUnread} bytes were taken though nobody read`);
}

/** Reads everything that {@link fill} wrote, which frees its last write. */
async function drain(stream: ByteStream, filled: number, stuck: Promise<WriteOutcome>): Promise<void> {
  let length = 0;
  const next = (): void => {
    stream.readSome((_error, bytes) => {
      if (bytes === undefined) return;
      assert.ok(bytes.every((byte) => byte === 0x78));
      length += bytes.length;
      next();
    });
  };
  next();
  const { error, written } = await stuck;
  assert.equal(error, undefined);
  await until(() => length >= filled + written);
  await turns();
  assert.equal(length, filled + written);
}

/**
 * Every rule of the contract of `ByteStream`, on streams that `make` connects; but for those that a transport cannot
 * show, each with the reason.
 */
export function byteStreamSuite(
  name: string,
  make: () => Connection | Promise<Connection>,
  exceptions: Partial<Record<Need, string>> = {},
): void {
  /** A rule. Errors and rejections that nobody handles fail it too: the test runner sees to that. */
  function rule(title: string, body: (connection: Connection) => Promise<void>, needs?: Need): void {
    if (needs !== undefined && exceptions[needs] !== undefined) return;
    it(title, { timeout: 60_000 }, async () => {
      const connection = await make();
      try {
        await body(connection);
      } finally {
        connection.stream.close();
        connection.peer.close();
        await connection.release?.();
        // What should not come any more has had its chance to.
        await turns(5);
      }
    });
  }

  describe(`${name}: reads`, () => {
    rule("deliver what the peer wrote, before or after they were started", async ({ stream, peer }) => {
      const early = readExactly(stream, 5);
      await writeAll(peer, hello);
      assert.deepEqual(await early, hello);
      const writing = writeAll(peer, Buffer.from("again"));
      await turns();
      assert.equal(String(await readExactly(stream, 5)), "again");
      await writing;
    });

    rule("refuse a second one, which does the first no harm", async ({ stream, peer }) => {
      const first = readExactly(stream, 5);
      assert.throws(() => stream.readSome(() => assert.fail("called")), hasCode("core.operation_pending"));
      await writeAll(peer, hello);
      assert.deepEqual(await first, hello);
    });

    rule("see the end of the stream after all bytes, again and again", async ({ stream, peer, endPeer }) => {
      const all = readToEnd(stream);
      await writeAll(peer, hello);
      endPeer();
      assert.deepEqual(await all, hello);
      assert.equal(await read(stream), undefined);
      assert.equal(await read(stream), undefined);
    });

    rule("see the end of the stream when it comes to a waiting one", async ({ stream, endPeer }) => {
      const waiting = read(stream);
      await turns(3);
      endPeer();
      assert.equal(await waiting, undefined);
    });

    const starts: Record<string, (start: () => void) => void> = {
      "inside the handler": (start) => start(),
      "in a microtask": (start) => queueMicrotask(start),
      "many microtasks later": (start) => {
        let hops = 20;
        const hop = (): void => (hops-- === 0 ? start() : queueMicrotask(hop));
        hop();
      },
      "in the next tick": (start) => process.nextTick(start),
      "in a later turn": (start) => void setImmediate(start),
      "in two later turns": (start) => void setImmediate(() => setImmediate(start)),
    };
    for (const [when, later] of Object.entries(starts)) {
      rule(`lose nothing when the next one starts ${when}`, async ({ stream, peer }) => {
        const sent = pattern(300_000);
        const received = new Promise<Buffer>((resolve, reject) => {
          const parts: Buffer[] = [];
          let length = 0;
          const next = (): void => {
            stream.readSome((error, bytes) => {
              if (error !== undefined || bytes === undefined) return reject(error ?? new Error("the stream ended"));
              parts.push(Buffer.from(bytes));
              length += bytes.length;
              if (length < sent.length) later(next);
              else resolve(Buffer.concat(parts));
            });
          };
          next();
        });
        for (let begin = 0; begin < sent.length; begin += 3000)
          await writeAll(peer, sent.subarray(begin, begin + 3000));
        assert.ok((await received).equals(sent));
      });
    }

    rule(
      "lend their bytes until the handler returns, and no longer",
      async ({ stream, peer }) => {
        const lent = new Promise<Uint8Array>((resolve) => {
          stream.readSome((_error, bytes) => {
            assert.equal(String(Buffer.from(bytes!)), "hello");
            resolve(bytes!);
          });
        });
        await writeAll(peer, hello);
        assert.notDeepEqual(Buffer.from(await lent), hello);
      },
      "late-look",
    );
  });

  describe(`${name}: writes`, () => {
    rule("take at least one byte, and all in the end", async ({ stream, peer }) => {
      const sent = pattern(100_000);
      const received = readExactly(peer, sent.length);
      await writeAll(stream, sent);
      assert.ok((await received).equals(sent));
    });

    rule("take a list in order, empty buffers among it", async ({ stream, peer }) => {
      const parts = ["", "one,", "two,", "", "three", ""].map((text) => Buffer.from(text));
      const received = readExactly(peer, 13);
      let rest: Buffer[] = parts;
      for (let left = 13; left > 0;) {
        const written = await write(stream, rest);
        left -= written;
        rest = [Buffer.concat(rest).subarray(written)];
      }
      assert.equal(String(await received), "one,two,three");
    });

    rule("count the bytes of a list that they took", async ({ stream, peer }) => {
      const parts = Array.from({ length: 100 }, (_, index) => pattern(1000, index + 1));
      const writing = write(stream, parts);
      const received: Buffer[] = [];
      while (await isStuck(writing)) received.push((await read(peer))!);
      const written = await writing;
      received.push(await readExactly(peer, written - Buffer.concat(received).length));
      assert.ok(Buffer.concat(received).equals(Buffer.concat(parts).subarray(0, written)));
    });

    rule("refuse a second one, which does the first no harm", async ({ stream, peer }) => {
      const first = write(stream, hello);
      assert.throws(() => stream.writeSome(hello, () => assert.fail("called")), hasCode("core.operation_pending"));
      assert.deepEqual(await read(peer), hello);
      assert.equal(await first, 5);
    });

    rule("refuse to write nothing, and are free again", async ({ stream, peer }) => {
      for (const nothing of [new Uint8Array(0), [], [new Uint8Array(0), new Uint8Array(0)]]) {
        assert.throws(() => stream.writeSome(nothing, () => assert.fail("called")), hasCode("core.invalid_argument"));
      }
      await send(stream, peer);
    });

    rule("give the memory back when the handler runs", async ({ stream, peer }) => {
      const sent = pattern(60_000);
      const memory = Buffer.alloc(1000);
      const received: Buffer[] = [];
      let done = 0;
      while (done < sent.length) {
        const operation = write(stream, memory.subarray(0, sent.copy(memory, 0, done)));
        // Reads no sooner than it must: whoever keeps the memory in place of the bytes then sends the wrong ones.
        while (await isStuck(operation)) received.push((await read(peer))!);
        done += await operation;
        memory.fill(0xee);
      }
      received.push(await readExactly(peer, sent.length - Buffer.concat(received).length));
      assert.ok(Buffer.concat(received).equals(sent));
    });

    rule("wait while the peer does not read", async ({ stream, peer }) => {
      const { stuck, filled } = await fill(stream);
      await drain(peer, filled, stuck);
    });
  });

  describe(`${name}: both directions`, () => {
    rule("carry some MiB at once, intact", async ({ stream, peer }) => {
      const there = pattern(3 * 1024 * 1024 + 17, 7);
      const back = pattern(3 * 1024 * 1024 + 71, 8);
      await exchange(stream, peer, there, back);
    });

    rule("hold the peer's writes up while nothing is read, and lose nothing", async ({ stream, peer }) => {
      const { stuck, filled } = await fill(peer);
      await drain(stream, filled, stuck);
    });

    rule(
      "leave the write side open after the peer's end",
      async ({ stream, peer, endPeer }) => {
        endPeer();
        assert.equal(await read(stream), undefined);
        await turns();
        const received = readExactly(peer, 5);
        await writeAll(stream, hello);
        assert.deepEqual(await received, hello);
      },
      "half-close",
    );
  });

  describe(`${name}: teardown`, () => {
    rule("as the server ends first, drops what still comes, and closes at the peer's end", async (connection) => {
      const { stream, peer, endPeer } = connection;
      const torn = teardown(stream, "server");
      assert.equal(await read(peer), undefined);
      assert.ok(await isStuck(torn));
      if (exceptions["half-close"] === undefined) await writeAll(peer, pattern(200_000));
      endPeer();
      assert.equal(await torn, undefined);
      await assert.rejects(read(stream), hasCode("core.aborted"));
      await assert.rejects(write(stream, hello), hasCode("core.aborted"));
    });

    rule("as the client drops what comes, and ends after the peer", async ({ stream, peer, endPeer }) => {
      const torn = teardown(stream, "client");
      const end = read(peer);
      await writeAll(peer, pattern(200_000));
      assert.ok(await isStuck(end));
      assert.ok(await isStuck(torn));
      endPeer();
      assert.equal(await torn, undefined);
      if (exceptions["half-close"] === undefined) assert.equal(await end, undefined);
      else await end.catch(() => {});
      await assert.rejects(read(stream), hasCode("core.aborted"));
    });

    rule("completes on both sides when both do it", async ({ stream, peer }) => {
      await send(stream, peer);
      const both = await Promise.all([teardown(stream, "server"), teardown(peer, "client")]);
      assert.deepEqual(both, [undefined, undefined]);
    });

    for (const role of ["server", "client"] satisfies Role[]) {
      rule(`as the ${role} closes at once when the peer has ended before`, async ({ stream, endPeer }) => {
        endPeer();
        assert.equal(await read(stream), undefined);
        assert.equal(await teardown(stream, role), undefined);
      });

      rule(`as the ${role} is ended by close`, async ({ stream }) => {
        const torn = teardown(stream, role);
        await turns();
        stream.close();
        assert.equal((await torn)?.code, "core.aborted");
      });

      rule(
        `as the ${role} reports a reset`,
        async ({ stream, reset }) => {
          const torn = teardown(stream, role);
          await turns();
          reset();
          assert.equal((await torn)?.code, "core.connection_reset");
          stream.close();
        },
        "reset",
      );
    }

    rule("may come after a shutdown, and while the stream is watched", async ({ stream, peer, endPeer }) => {
      stream.watch(() => assert.fail("called"));
      assert.equal(await shutdown(stream), undefined);
      assert.equal(await read(peer), undefined);
      const torn = teardown(stream, "server");
      endPeer();
      assert.equal(await torn, undefined);
    });
  });

  describe(`${name}: shutdown`, () => {
    rule("ends the write side after all that was written, and leaves reading", async (connection) => {
      const { stream, peer } = connection;
      const received = readToEnd(peer);
      await writeAll(stream, pattern(100_000));
      assert.equal(await shutdown(stream), undefined);
      assert.ok((await received).equals(pattern(100_000)));
      if (exceptions["half-close"] !== undefined) return;
      await send(peer, stream);
      connection.endPeer();
      assert.equal(await read(stream), undefined);
    });

    rule("leaves a read in flight, which gets what comes", async ({ stream, peer }) => {
      const reading = read(stream);
      assert.equal(await shutdown(stream), undefined);
      assert.equal(await read(peer), undefined);
      if (exceptions["half-close"] !== undefined) return;
      await writeAll(peer, hello);
      assert.deepEqual(await reading, hello);
    });

    rule("fails writes that come later, and nothing else; another has nothing to do", async ({ stream, peer }) => {
      assert.equal(await shutdown(stream), undefined);
      for (let count = 0; count < 2; count++) {
        const { error, written } = await writeOutcome(stream, hello);
        assert.deepEqual([error?.code, error?.condition, written], ["core.write_ended", "aborted", 0]);
        assert.equal(await shutdown(stream), undefined);
      }
      assert.equal(await read(peer), undefined);
      if (exceptions["half-close"] === undefined) await send(peer, stream);
    });

    rule("may not meet a write or another, and does them no harm", async ({ stream, peer }) => {
      const pending = hasCode("core.operation_pending");
      const never = (): void => assert.fail("called");
      const writing = write(stream, hello);
      assert.throws(() => stream.shutdown(never), pending);
      assert.deepEqual(await read(peer), hello);
      assert.equal(await writing, 5);
      const first = shutdown(stream);
      assert.throws(() => stream.shutdown(never), pending);
      assert.throws(() => stream.writeSome(hello, never), pending);
      assert.equal(await first, undefined);
      assert.equal(await read(peer), undefined);
    });

    rule("after the peer's end ends both sides, and reads go on seeing the end", async ({ stream, peer, endPeer }) => {
      endPeer();
      assert.equal(await read(stream), undefined);
      assert.equal(await shutdown(stream), undefined);
      if (exceptions["half-close"] === undefined) assert.equal(await read(peer), undefined);
      assert.equal(await read(stream), undefined);
      assert.equal((await writeOutcome(stream, hello)).written, 0);
    });

    rule("is ended by close, or has been done", async ({ stream }) => {
      const ending = shutdown(stream);
      stream.close();
      assert.ok([undefined, "core.aborted"].includes((await ending)?.code));
      assert.equal((await shutdown(stream))?.code, "core.aborted");
      assert.equal((await writeOutcome(stream, hello)).error?.code, "core.aborted");
    });
  });

  describe(`${name}: watch`, () => {
    const never = (): void => assert.fail("called");

    rule("tells of the peer's end while nothing is read, and a read sees it too", async ({ stream, endPeer }) => {
      const watched = watch(stream);
      assert.ok(await isStuck(watched));
      endPeer();
      assert.equal(await watched, undefined);
      assert.equal(await read(stream), undefined);
      assert.equal(await watch(stream), undefined);
    });

    rule(
      "tells of a reset while nothing is read, and a read sees it too",
      async ({ stream, reset }) => {
        const watched = watch(stream);
        await turns(3);
        reset();
        assert.equal((await watched)?.code, "core.connection_reset");
        assert.equal((await readOutcome(stream)).error?.code, "core.connection_reset");
        assert.equal((await watch(stream))?.code, "core.connection_reset");
      },
      "reset",
    );

    rule("takes few bytes, which the next read gets first", async ({ stream, peer }) => {
      stream.watch(never);
      const { stuck, filled } = await fill(peer);
      await drain(stream, filled, stuck);
    });

    rule("tells of the end after a few bytes, which a read gets before it", async ({ stream, peer, endPeer }) => {
      const watched = watch(stream);
      for (const byte of hello) {
        await writeAll(peer, Uint8Array.of(byte));
        await turns(3);
      }
      endPeer();
      assert.equal(await watched, undefined);
      assert.deepEqual(await readExactly(stream, 5), hello);
      assert.equal(await read(stream), undefined);
    });

    rule(
      "tells of a reset after a few bytes",
      async ({ stream, peer, reset }) => {
        const watched = watch(stream);
        for (const byte of hello) {
          await writeAll(peer, Uint8Array.of(byte));
          await turns(3);
        }
        reset();
        assert.equal((await watched)?.code, "core.connection_reset");
      },
      "reset",
    );

    rule("is over when a read starts, with bytes or without", async ({ stream, peer, endPeer }) => {
      stream.watch(never);
      const waiting = read(stream);
      await turns(3);
      await writeAll(peer, hello);
      assert.deepEqual(await waiting, hello);
      stream.watch(never);
      await writeAll(peer, hello);
      await turns(3);
      assert.deepEqual(await readExactly(stream, 5), hello);
      endPeer();
      assert.equal(await read(stream), undefined);
    });

    rule("is over when another starts, so that a watched stream can be handed over", async ({ stream, endPeer }) => {
      stream.watch(never);
      await turns(3);
      const second = watch(stream);
      endPeer();
      assert.equal(await second, undefined);
    });

    rule("may not meet a read, and does it no harm", async ({ stream, peer }) => {
      const reading = readExactly(stream, 5);
      assert.throws(() => stream.watch(never), hasCode("core.operation_pending"));
      await writeAll(peer, hello);
      assert.deepEqual(await reading, hello);
    });

    rule("leaves writes and a shutdown alone", async ({ stream, peer, endPeer }) => {
      const watched = watch(stream);
      await send(stream, peer);
      assert.equal(await shutdown(stream), undefined);
      assert.equal(await read(peer), undefined);
      if (exceptions["half-close"] === undefined) assert.ok(await isStuck(watched));
      endPeer();
      assert.equal(await watched, undefined);
    });

    rule("is told of the close, before and after bytes have come, and when it starts later", async (connection) => {
      const { stream, peer } = connection;
      const watched = watch(stream);
      await writeAll(peer, hello);
      await turns(3);
      stream.close();
      assert.equal((await watched)?.code, "core.aborted");
      assert.equal((await watch(stream))?.code, "core.aborted");
    });
  });

  describe(`${name}: close`, () => {
    rule("aborts a read and a write in flight, once each", async ({ stream }) => {
      const { stuck } = await fill(stream);
      const reading = readOutcome(stream);
      stream.close();
      stream.close();
      assert.equal((await stuck).error?.code, "core.aborted");
      const { error } = await reading;
      assert.equal(error?.code, "core.aborted");
      assert.equal(error.condition, "aborted");
      assert.equal(error.name, "AbortError");
    });

    rule("right after an operation's start aborts it or lets it pass", async ({ stream }) => {
      const writing = writeOutcome(stream, hello);
      const reading = readOutcome(stream);
      stream.close();
      const { error, written } = await writing;
      assert.ok(error === undefined ? written > 0 : error.code === "core.aborted");
      assert.equal((await reading).error?.code, "core.aborted");
    });

    rule("aborts all that is started later", async ({ stream }) => {
      stream.close();
      stream.close();
      assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
      assert.equal((await writeOutcome(stream, hello)).error?.code, "core.aborted");
      assert.equal((await teardown(stream, "server"))?.code, "core.aborted");
      assert.equal((await teardown(stream, "client"))?.code, "core.aborted");
    });

    rule("may come inside a handler", async ({ stream, peer }) => {
      const closed = new Promise<void>((resolve) => {
        stream.readSome(() => {
          stream.close();
          resolve();
        });
      });
      await writeAll(peer, hello);
      await closed;
      assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
    });

    rule("is seen by a peer that reads", async ({ stream, peer }) => {
      await send(stream, peer);
      stream.close();
      const { error, bytes } = await readOutcome(peer);
      assert.equal(bytes, undefined);
      assert.ok(error === undefined || error.condition === "transport");
    });

    rule("makes the peer's writes fail in the end", async ({ stream, peer }) => {
      stream.close();
      await turns();
      const chunk = Buffer.alloc(64 * 1024);
      let failure: ServalError | undefined;
      for (let count = 0; count < 1000 && failure === undefined; count++) {
        failure = (await writeOutcome(peer, chunk)).error;
      }
      assert.equal(failure?.condition, "transport");
    });
  });

  describe(`${name}: reset`, () => {
    rule("aborts what is in flight and all that starts later, once each", async ({ stream }) => {
      const { stuck } = await fill(stream);
      const reading = readOutcome(stream);
      stream.reset();
      stream.reset();
      stream.close();
      assert.equal((await stuck).error?.code, "core.aborted");
      assert.equal((await reading).error?.code, "core.aborted");
      assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
      assert.equal((await shutdown(stream))?.code, "core.aborted");
      assert.equal((await watch(stream))?.code, "core.aborted");
    });

    rule("aborts a watch, and has nothing to do after a close", async ({ stream }) => {
      const watched = watch(stream);
      stream.reset();
      assert.equal((await watched)?.code, "core.aborted");
      stream.close();
      stream.reset();
    });

    rule("ends a shutdown, or that has been done", async ({ stream, peer }) => {
      const ending = shutdown(stream);
      stream.reset();
      assert.ok([undefined, "core.aborted"].includes((await ending)?.code));
      const { error, bytes } = await readOutcome(peer);
      assert.equal(bytes, undefined);
      assert.ok(error === undefined || error.condition === "transport");
    });

    rule(
      "is seen by a peer that reads as a failure",
      async ({ stream, peer }) => {
        await send(stream, peer);
        const reading = readOutcome(peer);
        await turns(3);
        stream.reset();
        assert.equal((await reading).error?.condition, "transport");
      },
      "show-reset",
    );
  });

  describe(`${name}: a reset by the peer`, () => {
    rule(
      "fails the operations in flight and all later ones, and nothing else",
      async ({ stream, reset }) => {
        const { stuck } = await fill(stream);
        const reading = readOutcome(stream);
        await turns(3);
        reset();
        assert.equal((await reading).error?.code, "core.connection_reset");
        assert.equal((await stuck).error?.condition, "transport");
        assert.equal((await readOutcome(stream)).error?.code, "core.connection_reset");
        assert.equal((await writeOutcome(stream, hello)).error?.condition, "transport");
        assert.equal((await teardown(stream, "server"))?.condition, "transport");
        stream.close();
        assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
      },
      "reset",
    );

    rule(
      "of a stream that nobody reads surfaces at the next read",
      async ({ stream, reset }) => {
        reset();
        await turns();
        assert.equal((await readOutcome(stream)).error?.code, "core.connection_reset");
      },
      "reset",
    );

    rule(
      "after the close is nobody's business",
      async ({ stream, reset }) => {
        stream.close();
        reset();
        await turns();
        assert.equal((await readOutcome(stream)).error?.code, "core.aborted");
      },
      "reset",
    );
  });
}
