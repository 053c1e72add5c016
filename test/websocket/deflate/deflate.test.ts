import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compressorPool } from "../../../src/websocket/deflate/context-pool.ts";
import { Deflater, type DeflaterOptions } from "../../../src/websocket/deflate/deflate.ts";
import { liveContexts } from "../../../src/websocket/deflate/zlib.ts";
import { describeBoth, hex, jsonText, messages, noise, splitAt, unpacked } from "../support/deflated.ts";
import { concat, utf8 } from "../support/frames.ts";
import { fc, runs } from "../../support/property.ts";

const make = (options: Partial<DeflaterOptions> = {}): Deflater =>
  new Deflater({ windowBits: 15, level: 6, memLevel: 8, takeover: false, ...options });

describeBoth("Deflater", (canTakeOver) => {
  const options = fc.record(
    {
      windowBits: fc.integer({ min: 8, max: 15 }),
      level: fc.integer({ min: 0, max: 9 }),
      memLevel: fc.integer({ min: 1, max: 9 }),
      takeover: fc.constant(false),
    },
    { noNullPrototype: true },
  );
  /** What the bytes of a connection's messages come to, on the other side. */
  const read = (takeover: boolean, payloads: Uint8Array[]): Uint8Array =>
    takeover ? unpacked(...payloads) : concat(...payloads.map((payload) => unpacked(payload)));

  const takeovers = canTakeOver ? [false, true] : [false];
  for (const takeover of takeovers) {
    describe(takeover ? "with takeover" : "without takeover", () => {
      it("RFC 7692 7.2.3.6: an empty message is 00, also between others", () => {
        const deflater = make({ takeover });
        const payloads = ["", "", "Hello", "", "Hello", ""].map((text) => new Uint8Array(deflater.deflate(utf8(text))));
        for (const i of [0, 1, 3, 5]) assert.equal(hex(payloads[i]!), "00");
        assert.equal(hex(deflater.deflateSome(utf8(""), true)), "00");
        assert.deepEqual(read(takeover, payloads), utf8("HelloHello"));
        deflater.close();
      });

      it("any messages at any level, with any window, are read by zlib's functions", () => {
        fc.assert(
          fc.property(options, fc.array(messages, { maxLength: 5 }), (options, all) => {
            const deflater = make({ ...options, takeover });
            const payloads = all.map((message) => new Uint8Array(deflater.deflate(message)));
            assert.deepEqual(read(takeover, payloads), concat(...all));
            for (const payload of payloads) assert.ok(payload.length > 0);
            deflater.close();
          }),
          { numRuns: runs(300) },
        );
      });

      it("in parts: all of a part can be read as soon as it is there", () => {
        fc.assert(
          fc.property(
            options,
            fc.array(fc.tuple(messages, fc.array(fc.nat(), { maxLength: 5 })), { maxLength: 3 }),
            (options, all) => {
              const deflater = make({ ...options, takeover });
              let before: Uint8Array = new Uint8Array(0);
              let sent: Uint8Array = new Uint8Array(0);
              for (const [message, cuts] of all) {
                if (!takeover) before = sent = new Uint8Array(0);
                const parts = splitAt(message, cuts);
                for (const [i, part] of parts.entries()) {
                  const isLast = i === parts.length - 1;
                  sent = concat(sent, deflater.deflateSome(part, isLast));
                  before = concat(before, part);
                  assert.deepEqual(unpacked(sent), before);
                  // A part that is not the last may be read without the tail.
                  if (isLast) sent = concat(sent, Uint8Array.of(0, 0, 0xff, 0xff));
                }
              }
              deflater.close();
            },
          ),
          { numRuns: runs(200) },
        );
      });

      it("messages of any size, from one byte to more than the room for one step", () => {
        const deflater = make({ takeover, level: 1 });
        for (const size of [1, 2, 255, 4096, 32_768, 52_377, 52_378, 65_536, 1_048_576]) {
          for (const message of [jsonText(size), noise(size), new Uint8Array(size)]) {
            const payload = new Uint8Array(deflater.deflate(message));
            if (!takeover) assert.deepEqual(unpacked(payload), message, `${size}`);
          }
        }
        deflater.close();
      });
    });
  }

  it("RFC 7692 7.2.3.1 and 7.2.3.3: the examples, and a message by itself each time", () => {
    for (const [level, expected] of [
      [6, "f2 48 cd c9 c9 07 00"],
      [0, "00 05 00 fa ff 48 65 6c 6c 6f 00"],
    ] as const) {
      const deflater = make({ level });
      for (let i = 0; i < 3; i++) assert.equal(hex(deflater.deflate(utf8("Hello"))), expected);
      assert.equal(hex(deflater.deflateSome(utf8("Hello"), true)), expected);
      deflater.close();
    }
  });

  it("keeps nothing of another connection's messages", () => {
    const [one, two] = [make(), make()];
    const alone = hex(make().deflate(jsonText(300)));
    one.deflate(jsonText(300));
    assert.equal(hex(two.deflate(jsonText(300))), alone);
    // A message in parts keeps its context to itself, whatever others do meanwhile.
    const parts = [
      new Uint8Array(one.deflateSome(jsonText(300), false)),
      new Uint8Array(two.deflateSome(noise(300), false)),
    ];
    assert.equal(hex(make().deflate(jsonText(300))), alone);
    const first = concat(parts[0]!, one.deflateSome(utf8("one"), true));
    const second = concat(parts[1]!, two.deflateSome(utf8("two"), true));
    assert.deepEqual(unpacked(first), concat(jsonText(300), utf8("one")));
    assert.deepEqual(unpacked(second), concat(noise(300), utf8("two")));
  });
});

describe("Deflater with takeover", () => {
  it("RFC 7692 7.2.3.2: the example", () => {
    const deflater = make({ takeover: true });
    assert.equal(hex(deflater.deflate(utf8("Hello"))), "f2 48 cd c9 c9 07 00");
    assert.equal(hex(deflater.deflate(utf8("Hello"))), "f2 00 11 00 00");
    assert.equal(hex(deflater.deflateSome(utf8("Hello"), true)), "02 13 00 00");
    deflater.close();
  });
});

describe("Deflater: memory", () => {
  it("without takeover: none for a connection, but for a message in parts", () => {
    // What other tests have left in the pool.
    const pool = compressorPool({ windowBits: 15, level: 6, memLevel: 8 });
    for (let i = 0; i < 4; i++) pool.take().close();
    const before = liveContexts();
    const all = Array.from({ length: 50 }, () => make());
    for (const deflater of all) deflater.deflate(utf8("Hello"));
    assert.equal(liveContexts() - before, 1);
    for (const deflater of all) deflater.deflateSome(utf8("Hello"), false);
    assert.equal(liveContexts() - before, 50);
    for (const [i, deflater] of all.entries()) {
      if (i % 2 === 0) deflater.deflateSome(utf8(""), true);
      else deflater.close();
    }
    assert.ok(liveContexts() - before <= 4, "the pool keeps too many");
    for (const deflater of all) deflater.close();
    assert.ok(liveContexts() - before <= 4);
  });
});
