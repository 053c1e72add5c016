import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { everySplit } from "../../../src/testing/index.ts";
import type { Inflater } from "../../../src/websocket/deflate/deflate.ts";
import { event, found, take } from "../../../src/websocket/protocol/event.ts";
import { Incoming } from "../../../src/websocket/protocol/incoming.ts";
import { binary, close, concat, frame, more, ping, pong, single, text, utf8 } from "../support/frames.ts";
import { drain, feed, hexOf, serverSide } from "../support/incoming.ts";
import { fc, runs } from "../../support/property.ts";

setFlagsFromString("--expose-gc");

const hex = (value: string): string => hexOf(utf8(value));

/** A connection with everything that may come, and its events. */
const session: Uint8Array = concat(
  text("hello"),
  binary(Uint8Array.of(0, 1, 2, 255)),
  text(""),
  binary(""),
  ping("p1"),
  text("né€😀", { fin: false }),
  ping("between"),
  more("", { fin: false }),
  pong(""),
  more("wörld", { fin: false }),
  more("!"),
  binary("ab", { fin: false, key: [0, 0, 0, 0] }),
  more("cd", { key: [9, 8, 7, 6] }),
  text("x".repeat(126)),
  close(1000, "bye"),
);
const events: string[] = [
  "text hello",
  "binary 000102ff",
  "text",
  "binary",
  `ping ${hex("p1")}`,
  `ping ${hex("between")}`,
  "pong",
  "text né€😀wörld!",
  `binary ${hex("abcd")}`,
  `text ${"x".repeat(126)}`,
  `close 03e8${hex("bye")}`,
];

describe("RFC 6455 5 and 6.2: messages and control frames", () => {
  it("whole, byte by byte, and at every split, the events are the same", () => {
    everySplit(session, (pieces) => assert.deepEqual(feed(serverSide(), pieces), events));
  });

  it("text as bytes is the same, but for the messages' form", () => {
    const asBytes = events.map((one) =>
      one.replace(/^text ?(.*)$/s, (_, value: string) => `text bytes ${hex(value)}`.trim()),
    );
    assert.deepEqual(feed(serverSide({ text: "bytes" }), [session]), asBytes);
    assert.deepEqual(feed(serverSide({ text: "bytes" }), single(session)), asBytes);
  });

  it("any messages, fragmented, interleaved with control frames and cut anywhere, come out as they went in", () => {
    const key = fc.array(fc.nat(255), { minLength: 4, maxLength: 4 });
    const fragment = fc.record({
      part: fc.uint8Array({ maxLength: 300 }),
      key,
      control: fc.option(fc.tuple(fc.constantFrom(9, 10), fc.uint8Array({ maxLength: 125 })), { nil: undefined }),
    });
    const message = fc.record({ isText: fc.boolean(), fragments: fc.array(fragment, { minLength: 1, maxLength: 5 }) });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 5 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 500 })),
        (all, cuts) => {
          const sent: Uint8Array[] = [];
          const expected: string[] = [];
          for (const { isText, fragments } of all) {
            // Text of ASCII alone, so that any cut of it is text too.
            const parts = fragments.map(({ part }) => (isText ? part.map((byte) => byte & 0x7f) : part));
            fragments.forEach(({ key: mask, control }, i) => {
              const fin = i === fragments.length - 1;
              sent.push(frame(i > 0 ? 0 : isText ? 1 : 2, parts[i], { fin, key: mask }));
              if (control === undefined) return;
              sent.push(frame(control[0], control[1]));
              const seen = `${control[0] === 9 ? "ping" : "pong"} ${hexOf(control[1])}`.trim();
              if (fin) expected.push("message", seen);
              else expected.push(seen);
            });
            const whole = concat(...parts);
            const seen = isText ? `text bytes ${hexOf(whole)}`.trim() : `binary ${hexOf(whole)}`.trim();
            const at = expected.lastIndexOf("message");
            if (at < 0) expected.push(seen);
            else expected[at] = seen;
          }
          const bytes = concat(...sent);
          const pieces: Uint8Array[] = [];
          for (let at = 0; at < bytes.length;) {
            const size = cuts.next().value;
            pieces.push(bytes.subarray(at, at + size));
            at += size;
          }
          assert.deepEqual(feed(serverSide({ text: "bytes" }), pieces), expected);
        },
      ),
      { numRuns: runs(300) },
    );
  });

  for (const size of [4095, 4096, 65_535, 65_536, 65_537, 300_000]) {
    it(`messages of ${size} bytes, text and binary, whole and in pieces`, () => {
      const value = "0123456789abcdef".repeat(Math.ceil(size / 16)).slice(0, size);
      const bytes = concat(text(value), binary(value), text("after"));
      const expected = [`text ${value}`, `binary ${hex(value)}`, "text after"];
      assert.deepEqual(feed(serverSide(), [bytes]), expected);
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += 1021) pieces.push(bytes.subarray(at, at + 1021));
      assert.deepEqual(feed(serverSide(), pieces), expected);
    });
  }
});

describe("any bytes", () => {
  it("give the same events, and the same counts, at every split", () => {
    const payload = fc.oneof(
      fc.constantFrom(utf8("hello"), utf8("né€😀"), utf8("😀").slice(0, 3), Uint8Array.of(0xff), Uint8Array.of(3, 232)),
      fc.uint8Array({ maxLength: 20 }),
    );
    const code = fc.constantFrom(0, 0, 1, 1, 2, 8, 9, 10, 3);
    const frames = fc.array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc
            .tuple(code, payload, fc.boolean(), fc.constantFrom(0, 0, 0, 0, 4))
            .map(([kind, bytes, fin, rsv]) => frame(kind, bytes, { fin, rsv })),
        },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
      ),
      { maxLength: 8 },
    );
    const options = fc.record({ maxMessageSize: fc.constantFrom(6, 1000), maxFragments: fc.constantFrom(1, 2, 100) });
    fc.assert(
      fc.property(frames, options, (pieces, limits) => {
        const saidOf = (given: readonly Uint8Array[]): unknown => {
          const incoming = serverSide(limits);
          const events = feed(incoming, given);
          const { messages, payload, deflatedPayload, inflatedPayload, frames } = incoming;
          return { events, messages, payload, deflatedPayload, inflatedPayload, frames };
        };
        const bytes = concat(...pieces);
        const whole = saidOf([bytes]);
        everySplit(bytes, (split) => assert.deepEqual(saidOf(split), whole), { maxSplits: 100 });
      }),
      { numRuns: runs(400) },
    );
  });
});

describe("borrowed input", () => {
  it("is not read after retain, and is never changed", () => {
    for (let split = 1; split < session.length; split++) {
      const first = session.slice(0, split);
      const incoming = serverSide();
      incoming.receive(first);
      const seen = drain(incoming);
      assert.deepEqual(first, session.subarray(0, split), "the lender's bytes were changed");
      incoming.retain();
      first.fill(0xdb);
      incoming.receive(session.slice(split));
      assert.deepEqual([...seen, ...drain(incoming)], events, `split at ${split}`);
    }
  });

  it("is copied also if it is a Buffer, whose slice makes no copy", () => {
    const incoming = serverSide();
    const lent = Buffer.from(concat(text("kept"), binary("too")));
    incoming.receive(lent);
    assert.equal(incoming.next(take.nothing), event.data);
    incoming.retain();
    lent.fill(0xdb);
    assert.deepEqual(drain(incoming), ["text kept", `binary ${hex("too")}`]);
  });

  it("is kept in order if several messages were left", () => {
    const incoming = serverSide();
    const lent = concat(binary("1"), binary("2"), binary("3"));
    incoming.receive(lent);
    assert.equal(incoming.next(take.message), event.message);
    incoming.retain();
    lent.fill(0xdb);
    assert.ok(incoming.available > 0);
    incoming.receive(binary("4"));
    assert.deepEqual(drain(incoming), [`binary ${hex("2")}`, `binary ${hex("3")}`, `binary ${hex("4")}`]);
    assert.equal(incoming.available, 0);
  });

  it("leaves nothing in a message that a later one could change", () => {
    const incoming = serverSide({ text: "bytes" });
    incoming.receive(concat(text("first"), text("se", { fin: false }), more("cond"), ping("third")));
    assert.equal(incoming.next(take.message), event.message);
    const first = found.message as Uint8Array;
    assert.equal(incoming.next(take.message), event.message);
    const second = found.message as Uint8Array;
    assert.equal(incoming.next(take.message), event.ping);
    first.fill(0);
    assert.deepEqual([hexOf(second), hexOf(found.control)], [hex("second"), hex("third")]);
  });
});

describe("taking nothing", () => {
  it("stops before a data frame, as often as asked, and loses nothing", () => {
    const incoming = serverSide();
    incoming.receive(concat(ping("1"), text("a"), ping("2"), binary("b")));
    assert.deepEqual(drain(incoming, take.nothing), [`ping ${hex("1")}`, "data"]);
    assert.deepEqual(drain(incoming, take.nothing), ["data"]);
    assert.equal(incoming.next(take.message), event.message);
    assert.deepEqual(drain(incoming, take.nothing), [`ping ${hex("2")}`, "data"]);
    assert.deepEqual(drain(incoming), [`binary ${hex("b")}`]);
  });

  it("stops inside a frame too, and takes controls between fragments", () => {
    const incoming = serverSide();
    const fragments = concat(text("ab", { fin: false }), ping("1"), more("cd"));
    incoming.receive(fragments.slice(0, 7));
    assert.deepEqual(drain(incoming), []);
    incoming.retain();
    incoming.receive(fragments.slice(7));
    assert.deepEqual(drain(incoming, take.nothing), ["data"]);
    assert.deepEqual(drain(incoming), [`ping ${hex("1")}`, "text abcd"]);
    incoming.receive(concat(text("ef", { fin: false }), ping("2"), more("gh")));
    assert.deepEqual(drain(incoming, take.nothing), ["data"]);
  });

  it("between fragments takes controls, and stops before the next fragment", () => {
    const incoming = serverSide();
    assert.deepEqual(feed(incoming, [text("ab", { fin: false })]), []);
    incoming.receive(concat(ping("1"), more("cd")));
    assert.deepEqual(drain(incoming, take.nothing), [`ping ${hex("1")}`, "data"]);
    assert.deepEqual(drain(incoming), ["text abcd"]);
  });

  it("needs more bytes before it says that data is next", () => {
    const incoming = serverSide();
    incoming.receive(text("a").subarray(0, 1));
    assert.deepEqual(drain(incoming, take.nothing), []);
  });
});

describe("dropData", () => {
  it("drops data, whole, in part and beyond the limit, and goes on with controls", () => {
    for (const taking of [take.message, take.part, take.nothing]) {
      const incoming = serverSide({ maxMessageSize: 10 });
      assert.deepEqual(feed(incoming, [text("ab", { fin: false })]), []);
      incoming.dropData();
      const bytes = concat(more("cd"), ping("1"), binary("x".repeat(1000)), text(Uint8Array.of(0xff)), close(1000));
      for (const byte of single(bytes.subarray(0, 10))) {
        incoming.receive(byte);
        assert.equal(incoming.next(taking), undefined);
        incoming.retain();
      }
      incoming.receive(bytes.slice(10));
      assert.deepEqual(drain(incoming, taking), [`ping ${hex("1")}`, "close 03e8"]);
    }
  });

  it("still holds the frames to the rules", () => {
    const incoming = serverSide();
    incoming.dropData();
    assert.deepEqual(feed(incoming, [concat(text("a"), more("b"))]), ["failed websocket.bad_continuation"]);
  });
});

describe("memory", () => {
  const used = (): number => process.memoryUsage().arrayBuffers;
  const gc = runInNewContext("gc") as () => void;

  it("a header that announces much reserves little", () => {
    const incoming = serverSide({ maxMessageSize: 2 ** 30 });
    const before = used();
    incoming.receive(concat(binary("", { announced: 2 ** 30 }), utf8("some")));
    assert.equal(incoming.next(take.message), undefined);
    assert.ok(used() - before < 2 ** 20, `${used() - before} bytes`);
  });

  it("one unfinished byte after a large frame keeps no block of its size", async () => {
    const big = binary(new Uint8Array(60_000));
    const before = used();
    const many = Array.from({ length: 1000 }, () => {
      const incoming = serverSide();
      // The first byte of a header is left; what comes is joined to it, and leaves one byte again.
      for (const lent of [big.subarray(0, 1), concat(big.subarray(1), Uint8Array.of(0x89))]) {
        incoming.receive(lent);
        while (incoming.next(take.message) !== undefined);
        incoming.retain();
      }
      found.message = "";
      return incoming;
    });
    assert.ok(many.every((incoming) => incoming.available > 0));
    for (let i = 0; i < 5; i++) {
      gc();
      // The platform gives memory back behind the collector.
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(used() - before < 20 * 2 ** 20, `${used() - before} bytes`);
  });

  it("RFC 6455 5.4: a million empty fragments hold nothing", () => {
    const incoming = serverSide();
    const empties = new Uint8Array(6000);
    for (let at = 0; at < empties.length; at += 6) empties.set(more("", { fin: false }), at);
    incoming.receive(binary("a", { fin: false }));
    assert.equal(incoming.next(take.message), undefined);
    incoming.retain();
    const before = used();
    for (let i = 0; i < 1000; i++) {
      incoming.receive(empties);
      assert.equal(incoming.next(take.message), undefined);
      incoming.retain();
    }
    assert.ok(used() - before < 2 ** 20, `${used() - before} bytes`);
    assert.deepEqual(feed(incoming, [more("b")]), ["binary 6162"]);
  });

  it("many small fragments are not copied again for each", () => {
    const incoming = serverSide({ maxMessageSize: 2 ** 24 });
    incoming.receive(binary("a", { fin: false }));
    assert.equal(incoming.next(take.message), undefined);
    incoming.retain();
    const many = concat(...Array.from({ length: 1000 }, () => more("bcdefghi", { fin: false })));
    for (let i = 0; i < 200; i++) {
      incoming.receive(many);
      assert.equal(incoming.next(take.message), undefined);
      incoming.retain();
    }
    // With a copy of the whole message for each of 200,000 fragments this would be 160 GB and no test.
    incoming.receive(more(""));
    assert.equal(incoming.next(take.message), event.message);
    const message = found.message as Uint8Array;
    assert.deepEqual([message.length, message.buffer.byteLength], [1_600_001, 1_600_001]);
  });

  it("clear drops the input and the message in progress", () => {
    const incoming = serverSide();
    assert.deepEqual(feed(incoming, [text("ab", { fin: false })]), []);
    incoming.receive(more("cd").slice(0, 3));
    incoming.clear();
    assert.equal(incoming.available, 0);
    assert.deepEqual(feed(incoming, [text("new")]), ["text new"]);
  });
});

describe("isHeavy", () => {
  it("is a message that may be much work by itself, as far as its first bytes tell", () => {
    const one = new Incoming(
      "server",
      { maxMessageSize: 2 ** 24, maxFragments: 100, text: "string" },
      {} as unknown as Inflater,
    );
    const heavy = (bytes: Uint8Array): boolean => {
      one.receive(bytes);
      const { isHeavy } = one;
      one.clear();
      return isHeavy;
    };
    assert.equal(heavy(new Uint8Array(0)), false);
    for (const size of [0, 125, 126, 4095]) assert.equal(heavy(text("x".repeat(size))), false, `${size}`);
    for (const size of [4096, 65_535, 65_536]) assert.equal(heavy(text("x".repeat(size))), true, `${size}`);
    assert.equal(heavy(text("x", { rsv: 4 })), true);
    assert.equal(heavy(ping("x")), false);
    for (const [frame, expected] of [
      [text("x", { fin: false }), false],
      [text("x".repeat(5000), { fin: false }), true],
      [text("x", { fin: false, rsv: 4 }), true],
    ] as const) {
      one.receive(frame);
      assert.equal(one.next(take.message), undefined);
      assert.equal(one.isHeavy, expected);
      one.clear();
    }
  });
});
