import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WebsocketCode } from "../../../src/websocket/frames/errors.ts";
import { inflateLater } from "../../../src/websocket/deflate/inflate-later.ts";
import { Inflater, type InflaterOptions } from "../../../src/websocket/deflate/inflate.ts";
import { liveContexts } from "../../../src/websocket/deflate/zlib.ts";
import {
  describeBoth,
  hex,
  jsonText,
  messages,
  noise,
  packed,
  packedFinal,
  splitAt,
  unhex,
} from "../support/deflated.ts";
import { concat, utf8 } from "../support/frames.ts";
import { fc, runs } from "../../support/property.ts";

const make = (options: Partial<InflaterOptions> = {}): Inflater =>
  new Inflater({ windowBits: 15, takeover: false, ...options });

type Result = Uint8Array | WebsocketCode;

const laterFrom = (inflater: Inflater, payload: Uint8Array, limit: number): Promise<Result> =>
  new Promise((resolve) => {
    let returned = false;
    const finish = (result: Result): void => {
      assert.ok(returned, "called inside the call");
      resolve(result);
    };
    if (inflater.isAlone) {
      inflater.giveUp();
      inflateLater(payload, limit, finish);
    } else {
      const step = (): void => {
        const result = inflater.inflateOn(payload, limit);
        if (result === undefined) setImmediate(step);
        else finish(result);
      };
      setImmediate(step);
    }
    returned = true;
  });

/** As a connection does it: here, and later where that takes too long. */
async function inflated(inflater: Inflater, payload: Uint8Array, limit = Infinity): Promise<Result> {
  return inflater.inflate(payload, limit) ?? laterFrom(inflater, payload, limit);
}

/** The same through {@link Inflater.inflateSome}: the payload in pieces, the message into outputs of `room` bytes. */
function inParts(inflater: Inflater, pieces: readonly Uint8Array[], room: number, limit = Infinity): Result {
  const taken: Uint8Array[] = [];
  let total = 0;
  for (const [i, piece] of pieces.entries()) {
    const isLast = i === pieces.length - 1;
    for (let at = 0; ;) {
      const memory = new Uint8Array(room + 6).fill(0xee);
      const output = memory.subarray(0, room + 3);
      const rest = piece.subarray(at);
      const failure = inflater.inflateSome(rest, rest.length, output, 3, isLast, limit - total);
      if (failure !== undefined) return failure;
      // Of the room, all may be written to; nothing beyond.
      assert.ok([...memory.subarray(0, 3), ...memory.subarray(-3)].every((byte) => byte === 0xee));
      taken.push(output.slice(3, 3 + inflater.produced));
      at += inflater.consumed;
      total += inflater.produced;
      if (inflater.produced < room) {
        assert.equal(at, piece.length, "not all was taken, though there was room");
        break;
      }
    }
  }
  return concat(...taken);
}

describeBoth("Inflater", (canTakeOver) => {
  const takeovers = canTakeOver ? [false, true] : [false];

  // The RFC's own, and what follows from it.
  const cases: [name: string, payload: string, message: string][] = [
    ["7.2.3.1: one compressed block", "f2 48 cd c9 c9 07 00", "Hello"],
    ["7.2.3.3: a block with no compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello"],
    ["7.2.3.4: a block with BFINAL set", "f3 48 cd c9 c9 07 00 00", "Hello"],
    ["7.2.3.4: without the byte after it", "f3 48 cd c9 c9 07 00", "Hello"],
    ["7.2.3.5: two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"],
    ["7.2.3.6: an empty message", "00", ""],
    ["an empty message with BFINAL set", "03 00", ""],
    ["an empty block with BFINAL set, which the tail completes", "01", ""],
    ["two streams, BFINAL set in both", "f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00", "HelloHello"],
    ["two streams, BFINAL set in the first", "f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00", "HelloHello"],
    ["empty streams between two", "f3 48 cd c9 c9 07 00 03 00 03 00 f2 48 cd c9 c9 07 00", "HelloHello"],
    ["a stream whose last block has no compression", "f3 48 cd c9 c9 07 00 01 00 00 ff ff 00", "Hello"],
    ["an empty block at its end", "f2 48 cd c9 c9 07 00 00 00 ff ff 00", "Hello"],
  ];
  const wrong: [name: string, payload: string][] = [
    ["nothing at all: not even an empty message is", ""],
    ["a reserved type of block", "06"],
    ["a reserved type of block after a stream", "f3 48 cd c9 c9 07 00 06"],
    ["a block without its end", "f2 48 cd c9 c9"],
    ["a block without the last byte", "f2 48 cd c9 c9 07"],
    ["a block with no compression, cut short", "00 05 00 fa ff 48 65 6c"],
    ["a block with no compression whose lengths differ", "00 05 00 fa fe 48 65 6c 6c 6f 00"],
    ["the tail that should have been cut off", "f2 48 cd c9 c9 07 00 00 00 ff ff"],
    ["a distance to before the beginning", "f2 00 11 00 00"],
    ["a distance to before a stream's beginning", "f3 48 cd c9 c9 07 00 f2 00 11 00 00"],
    ["a dynamic block's header, cut short", "04 c0"],
  ];
  for (const takeover of takeovers) {
    describe(takeover ? "with takeover" : "without takeover", () => {
      for (const [name, payload, message] of cases) {
        it(name, async () => {
          const inflater = make({ takeover });
          for (let i = 0; i < 3; i++) {
            assert.deepEqual(inflater.inflate(unhex(payload), message.length), utf8(message));
            const pieces = Array.from(unhex(payload), (byte) => Uint8Array.of(byte));
            assert.deepEqual(inParts(inflater, pieces, 1), utf8(message));
            assert.deepEqual(inParts(inflater, [...pieces, utf8("")], 5), utf8(message));
            assert.deepEqual(await laterFrom(inflater, unhex(payload), message.length), utf8(message));
          }
          inflater.close();
        });
      }

      for (const [name, payload] of wrong) {
        it(`${name} is bad data, and affects no other message`, async () => {
          const ways: ((inflater: Inflater, payload: Uint8Array) => Result | undefined | Promise<Result>)[] = [
            (inflater, payload) => inflater.inflate(payload, 100),
            (inflater, payload) => laterFrom(inflater, payload, 100),
            (inflater, payload) => inParts(inflater, [payload.subarray(0, 2), payload.subarray(2)], 7),
          ];
          for (const way of ways) {
            const inflater = make({ takeover });
            assert.equal(await way(inflater, unhex(payload)), "websocket.bad_deflate_data");
            inflater.close();
            assert.deepEqual(make({ takeover }).inflate(unhex("f2 48 cd c9 c9 07 00"), 5), utf8("Hello"));
          }
        });
      }

      it("any messages, at any level, with any window, from zlib's functions, in any parts", async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.integer({ min: 9, max: 15 }),
            fc.integer({ min: 0, max: 9 }),
            fc.array(
              fc.tuple(messages, fc.boolean(), fc.array(fc.nat(), { maxLength: 4 }), fc.integer({ min: 1, max: 999 })),
              {
                maxLength: 5,
              },
            ),
            async (windowBits, level, all) => {
              const inflater = make({ windowBits, takeover });
              let before: Uint8Array = new Uint8Array(0);
              for (const [message, isFinal, cuts, room] of all) {
                const pack = isFinal ? packedFinal : packed;
                const known = takeover && before.length > 0 ? { dictionary: before.slice(-(2 ** windowBits)) } : {};
                const payload = pack(message, { windowBits, level, ...known });
                const result =
                  cuts.length === 0
                    ? await inflated(inflater, payload, message.length)
                    : inParts(inflater, splitAt(payload, cuts), room, message.length);
                assert.deepEqual(result, message);
                before = isFinal ? new Uint8Array(0) : concat(before, message);
              }
              inflater.close();
            },
          ),
          { numRuns: runs(200) },
        );
      });

      it("messages of several streams and blocks, in any parts", () => {
        const stream = fc.tuple(messages, fc.boolean());
        fc.assert(
          fc.property(fc.array(stream, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 4 }), (streams, cuts) => {
            const payload = concat(
              ...streams.map(([message, isFinal]) =>
                isFinal ? packedFinal(message) : concat(packed(message), unhex("00 00 ff ff")),
              ),
              Uint8Array.of(0),
            );
            const message = concat(...streams.map(([message]) => message));
            const inflater = make({ takeover });
            assert.deepEqual(inParts(inflater, [payload], 65_536), message);
            assert.deepEqual(inParts(inflater, splitAt(payload, cuts), 100), message);
            inflater.close();
          }),
          { numRuns: runs(100) },
        );
      });

      it("any change of a payload gives bytes or bad data", async () => {
        await fc.assert(
          fc.asyncProperty(
            messages,
            fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }),
            fc.array(fc.nat(), { maxLength: 3 }),
            async (message, changes, cuts) => {
              const payload = new Uint8Array(packed(message));
              for (const [at, byte] of changes) payload[at % payload.length] = byte;
              const [one, two] = [make({ takeover }), make({ takeover })];
              const whole = await inflated(one, payload, 100_000);
              const parted = inParts(two, splitAt(payload, cuts), 64, 100_000);
              assert.deepEqual(whole, parted);
              if (typeof whole === "string") assert.match(whole, /^websocket\.(bad_deflate_data|message_too_big)$/);
              one.close();
              two.close();
              assert.deepEqual(make({ takeover }).inflate(packed(message), message.length), message);
            },
          ),
          { numRuns: runs(300) },
        );
      });

      it("a payload that is cut short is bad data", () => {
        for (const message of [utf8("Hello"), jsonText(500), noise(200), new Uint8Array(1000)]) {
          for (const level of [0, 1, 6]) {
            const payload = packed(message, { level });
            for (let size = 0; size < payload.length; size++) {
              // What is left of an uncompressed block's header is an empty message.
              if (size === 1 && payload[0] === 0) continue;
              // Without contexts, a block with no compression that lacks four bytes takes the tail for them.
              if (!canTakeOver && size === payload.length - 5) continue;
              const result = make({ takeover }).inflate(payload.subarray(0, size), 1000);
              assert.equal(result, "websocket.bad_deflate_data", `${size} of ${hex(payload)}`);
            }
          }
        }
      });

      it("the limit may be reached, but not passed; Infinity means no limit", async () => {
        for (const message of [utf8(""), utf8("Hello"), jsonText(40_000), jsonText(400_000), new Uint8Array(700_000)]) {
          const payload = packed(message);
          for (const limit of [message.length, message.length + 1, Infinity]) {
            assert.deepEqual(await inflated(make({ takeover }), payload, limit), message);
            assert.deepEqual(inParts(make({ takeover }), [payload], 10_000, limit), message);
          }
          for (const limit of [0, 1, 4, message.length - 1]) {
            if (limit < 0 || limit >= message.length) continue;
            assert.equal(await inflated(make({ takeover }), payload, limit), "websocket.message_too_big");
            assert.equal(inParts(make({ takeover }), [payload], 10_000, limit), "websocket.message_too_big");
          }
        }
      });

      it("a message that inflates to much is inflated later, and goes on there", async () => {
        const small = packed(new Uint8Array(1_000_000), { level: 9 });
        assert.ok(small.length < 2000);
        const inflater = make({ takeover });
        for (let i = 0; i < 3; i++) {
          if (canTakeOver) assert.equal(inflater.inflate(small, Infinity), undefined);
          const result = await laterFrom(inflater, small, Infinity);
          assert.equal(Buffer.compare(result as Uint8Array, new Uint8Array(1_000_000)), 0);
          assert.deepEqual(inflater.inflate(packed(utf8("Hello")), 5), utf8("Hello"));
        }
        const large = packed(noise(100_000));
        if (canTakeOver) assert.equal(inflater.inflate(large, Infinity), undefined);
        assert.deepEqual(await laterFrom(inflater, large, Infinity), noise(100_000));
        inflater.close();
      });

      it("an inflated message is in memory of its own, of exactly its size", async () => {
        const inflater = make({ takeover });
        const results = [utf8("Hello"), jsonText(3000), new Uint8Array(300_000).fill(7)].map(async (message) => {
          const result = (await inflated(make({ takeover }), packed(message))) as Uint8Array;
          return { message, result };
        });
        for (const { message, result } of await Promise.all(results)) {
          assert.equal(result.buffer.byteLength, message.length);
          inflater.inflate(packed(noise(1000)), 1000);
          assert.deepEqual(result, message, "another message has written over it");
        }
      });
    });
  }

  it("a message has 1025 streams at most", async () => {
    const streams = (count: number): Uint8Array =>
      concat(...Array.from({ length: count }, () => unhex("03 00")), unhex("f2 48 cd c9 c9 07 00"));
    assert.deepEqual(make().inflate(streams(1024), 5), utf8("Hello"));
    assert.equal(make().inflate(streams(1025), 5), "websocket.bad_deflate_data");
    assert.equal(inParts(make(), [streams(1025)], 10), "websocket.bad_deflate_data");
    // Each message anew.
    const inflater = make();
    for (let i = 0; i < 3; i++) assert.deepEqual(inflater.inflate(streams(1024), 5), utf8("Hello"));
  });

  it("keeps nothing of another connection's messages", () => {
    const [one, two] = [make(), make()];
    const refers = unhex("f2 00 11 00 00");
    assert.deepEqual(one.inflate(unhex("f2 48 cd c9 c9 07 00"), 5), utf8("Hello"));
    assert.equal(two.inflate(refers, 5), "websocket.bad_deflate_data");
    assert.equal(one.inflate(refers, 5), "websocket.bad_deflate_data");
    // Nor of one that was given up halfway.
    const half = make();
    const output = new Uint8Array(100);
    assert.equal(half.inflateSome(unhex("f2 48 cd c9 c9"), 5, output, 0, false, 100), undefined);
    half.close();
    assert.equal(make().inflate(refers, 5), "websocket.bad_deflate_data");
    assert.deepEqual(make().inflate(unhex("f2 48 cd c9 c9 07 00"), 5), utf8("Hello"));
  });

  it("a bomb stops at the limit", async () => {
    const bomb = packed(new Uint8Array(200 * 1024 * 1024), { level: 9 });
    const limit = 1024 * 1024;
    let peak = 0;
    const baseline = process.memoryUsage().arrayBuffers;
    let done = false;
    const watch = (): void => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - baseline);
      if (!done) setImmediate(watch);
    };
    watch();
    assert.equal(await laterFrom(make(), bomb, limit), "websocket.message_too_big");
    done = true;
    assert.ok(peak < 8 * limit, `${peak} bytes`);
    // Into the caller's memory no more comes than the limit and what is left of the output.
    const inflater = make();
    const output = new Uint8Array(1000);
    let produced = 0;
    let failure: WebsocketCode | undefined;
    for (let at = 0; failure === undefined;) {
      const rest = bomb.subarray(at);
      failure = inflater.inflateSome(rest, rest.length, output, 0, true, 50_500 - produced);
      at += inflater.consumed;
      produced += inflater.produced;
    }
    assert.equal(failure, "websocket.message_too_big");
    assert.ok(produced <= 51_500, `${produced}`);
  });
});

describe("Inflater with takeover", () => {
  it("RFC 7692 7.2.3.2: the example", () => {
    const inflater = make({ takeover: true });
    for (const payload of ["f2 48 cd c9 c9 07 00", "f2 00 11 00 00", "f2 00 11 00 00", "00", "f2 00 11 00 00"]) {
      assert.deepEqual(inflater.inflate(unhex(payload), 5), utf8(payload === "00" ? "" : "Hello"));
    }
    inflater.close();
  });

  it("goes on after messages inflated later or in parts", async () => {
    const inflater = make({ takeover: true });
    const long = noise(300_000);
    assert.deepEqual(await inflated(inflater, packed(long)), long);
    const known = { dictionary: long.subarray(-32_768) };
    const [small, more] = [long.subarray(-200), long.subarray(-400, -100)];
    assert.deepEqual(inflater.inflate(packed(small, known), 200), small);
    assert.deepEqual(inParts(inflater, [packed(more, { dictionary: concat(long, small).subarray(-32_768) })], 7), more);
    inflater.close();
  });

  it("holds a window of the size that was negotiated", () => {
    // A distance of 600 bytes is more than 9 bits of window have: it may fail, but never gives other bytes.
    const first = noise(1000);
    const second = first.subarray(400, 600);
    const payload = packed(second, { dictionary: first });
    const inflater = make({ takeover: true, windowBits: 9 });
    assert.deepEqual(inflater.inflate(packed(first), 1000), first);
    const result = inflater.inflate(payload, 1000);
    assert.equal(result, "websocket.bad_deflate_data");
    inflater.close();
  });
});

describe("Inflater: memory", () => {
  it("without takeover: none for a connection, but for a message in progress", () => {
    const before = liveContexts();
    const all = Array.from({ length: 50 }, () => make());
    const output = new Uint8Array(10);
    for (const inflater of all) inflater.inflate(unhex("f2 48 cd c9 c9 07 00"), 5);
    assert.ok(liveContexts() - before <= 1);
    for (const inflater of all) inflater.inflateSome(unhex("f2 48"), 2, output, 0, false, 5);
    assert.ok(liveContexts() - before >= 46);
    for (const [i, inflater] of all.entries()) {
      if (i % 3 === 0) inflater.inflateSome(unhex("cd c9 c9 07 00"), 5, output, 0, true, 5);
      else if (i % 3 === 1) inflater.inflateSome(unhex("ff ff ff ff"), 4, output, 0, true, 5);
      else inflater.close();
    }
    assert.ok(liveContexts() - before <= 4, "the pool keeps too many");
  });

  it("with takeover: one, from the first message until it is closed, or bad data", () => {
    const before = liveContexts();
    const [one, two] = [make({ takeover: true }), make({ takeover: true })];
    assert.equal(liveContexts() - before, 0);
    for (const inflater of [one, two]) inflater.inflate(unhex("f2 48 cd c9 c9 07 00"), 5);
    assert.equal(liveContexts() - before, 2);
    one.close();
    assert.equal(liveContexts() - before, 1);
    two.inflate(unhex("06"), 5);
    assert.equal(liveContexts() - before, 0);
  });
});
