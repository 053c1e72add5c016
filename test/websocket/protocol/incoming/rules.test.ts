import { event, found, take } from "../../../../src/websocket/protocol/event.ts";
import { limits } from "../../../../src/websocket/options/limits.ts";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { longestText } from "../../../../src/core/text.ts";
import type { WebsocketCode } from "../../../../src/websocket/frames/errors.ts";
import type { IncomingOptions } from "../../../../src/websocket/protocol/incoming.ts";
import { binary, close, concat, frame, more, ping, pong, single, text, utf8 } from "../../support/frames.ts";
import { drain, feed, hexOf, serverSide } from "../../support/incoming.ts";

const long = "x".repeat(125);

describe("a violation", () => {
  const violations: [name: string, frames: Uint8Array[], code: WebsocketCode][] = [
    ...[1, 2, 4, 7].flatMap((rsv): [string, Uint8Array[], WebsocketCode][] => [
      [`RFC 6455 5.2: reserved bits ${rsv} on text`, [text("a", { rsv })], "websocket.bad_reserved_bits"],
      [`RFC 6455 5.2: reserved bits ${rsv} on a ping`, [ping("a", { rsv })], "websocket.bad_reserved_bits"],
      [
        `RFC 6455 5.2: reserved bits ${rsv} on a continuation`,
        [text("a", { fin: false }), more("b", { rsv })],
        "websocket.bad_reserved_bits",
      ],
    ]),
    ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((code): [string, Uint8Array[], WebsocketCode] => [
      `RFC 6455 5.2: the reserved opcode ${code}`,
      [frame(code, "a")],
      "websocket.bad_opcode",
    ]),
    ["RFC 6455 5.1: text without a mask", [text("a", { key: undefined })], "websocket.bad_unmasked_frame"],
    ["RFC 6455 5.1: empty text without a mask", [text("", { key: undefined })], "websocket.bad_unmasked_frame"],
    ["RFC 6455 5.1: a ping without a mask", [ping("a", { key: undefined })], "websocket.bad_unmasked_frame"],
    ["RFC 6455 5.1: a close without a mask", [close(1000, "", { key: undefined })], "websocket.bad_unmasked_frame"],
    ["RFC 6455 5.4: a continuation of nothing", [more("a")], "websocket.bad_continuation"],
    [
      "RFC 6455 5.4: a continuation of a message that has ended",
      [text("a", { fin: false }), more("b"), more("c")],
      "websocket.bad_continuation",
    ],
    ["RFC 6455 5.4: text inside text", [text("a", { fin: false }), text("b")], "websocket.bad_data_frame"],
    ["RFC 6455 5.4: binary inside text", [text("a", { fin: false }), binary("b")], "websocket.bad_data_frame"],
    ["RFC 6455 5.4: text inside binary", [binary("a", { fin: false }), ping(), text("b")], "websocket.bad_data_frame"],
    ["RFC 6455 5.4: text inside empty text", [text("", { fin: false }), text("b")], "websocket.bad_data_frame"],
    ["RFC 6455 5.5: a fragmented ping", [ping("a", { fin: false })], "websocket.bad_control_fragment"],
    ["RFC 6455 5.5: a fragmented pong", [pong("", { fin: false })], "websocket.bad_control_fragment"],
    ["RFC 6455 5.5: a fragmented close", [close(1000, "", { fin: false })], "websocket.bad_control_fragment"],
    ["RFC 6455 5.5: a ping of 126 bytes", [ping(`${long}x`)], "websocket.bad_control_size"],
    ["RFC 6455 5.5: a pong of 65,536 bytes", [pong("x".repeat(65_536))], "websocket.bad_control_size"],
    ["RFC 6455 5.5: a close of 126 bytes", [close(1000, long.slice(1))], "websocket.bad_control_size"],
    ["RFC 6455 5.5: a short ping in a long form", [ping("a", { form: 16 })], "websocket.bad_control_size"],
    ["RFC 6455 5.2: 0 in 16 bits", [text("", { form: 16 })], "websocket.bad_size"],
    ["RFC 6455 5.2: 125 in 16 bits", [binary(long, { form: 16 })], "websocket.bad_size"],
    ["RFC 6455 5.2: 125 in 64 bits", [binary(long, { form: 64 })], "websocket.bad_size"],
    ["RFC 6455 5.2: 65,535 in 64 bits", [binary("x".repeat(65_535), { form: 64 })], "websocket.bad_size"],
    [
      "RFC 6455 5.2: the first bit of a 64-bit length",
      [binary("", { form: 64, announced: 2n ** 63n })],
      "websocket.bad_size",
    ],
    [
      "RFC 6455 5.2: all bits of a 64-bit length",
      [binary("", { form: 64, announced: 2n ** 64n - 1n })],
      "websocket.bad_size",
    ],
    [
      "the largest 64-bit length there is",
      [binary("", { form: 64, announced: 2n ** 63n - 1n })],
      "websocket.message_too_big",
    ],
    ["RFC 6455 8.1: bad UTF-8", [text(Uint8Array.of(0xff))], "websocket.bad_frame_payload"],
    ["RFC 6455 8.1: half a character", [text(utf8("é").subarray(0, 1))], "websocket.bad_frame_payload"],
    [
      "RFC 6455 8.1: half a character at the end of fragments",
      [text("a", { fin: false }), more(utf8("€").subarray(0, 2)), more("never seen")],
      "websocket.bad_frame_payload",
    ],
    [
      "RFC 6455 8.1: half a character, then an empty last fragment",
      [text(utf8("€").subarray(0, 2), { fin: false }), more("")],
      "websocket.bad_frame_payload",
    ],
    ["RFC 6455 8.1: a surrogate", [text(Uint8Array.of(0xed, 0xa0, 0x80))], "websocket.bad_frame_payload"],
  ];
  for (const [name, frames, code] of violations) {
    it(`${name}: ${code}, whole and byte by byte, and nothing is read after it`, () => {
      const before = concat(ping("1"), binary("a"));
      const bytes = concat(before, ...frames, text("behind"));
      const events = ["ping 31", "binary 61"];
      for (const pieces of [[bytes], single(bytes)]) {
        const incoming = serverSide();
        const seen = feed(incoming, pieces).filter((one) => one !== "ping" && !one.startsWith("text"));
        assert.deepEqual(seen, [...events, `failed ${code}`]);
        assert.equal(found.failure, code);
        assert.equal(incoming.available, 0);
        assert.deepEqual(drain(incoming), []);
      }
    });
  }

  it("RFC 6455 5.2: a length with its first bit set is told from one that is not in its shortest form", () => {
    for (const announced of [2n ** 63n, 2n ** 64n - 1n]) {
      feed(serverSide(), [binary("", { form: 64, announced })]);
      assert.match(found.because!, /most significant bit/);
    }
    feed(serverSide(), [binary("", { form: 64 })]);
    assert.equal(found.because, undefined);
  });

  for (const masked of [true, false]) {
    it(`RFC 6455 5.1: as a client, a ${masked ? "" : "not "}masked frame is ${masked ? "refused" : "taken"}`, () => {
      const key = masked ? [1, 2, 3, 4] : undefined;
      const bytes = concat(ping("1", { key }), text("a", { key }), binary("b", { key }));
      const expected = masked ? ["failed websocket.bad_masked_frame"] : ["ping 31", "text a", "binary 62"];
      assert.deepEqual(feed(serverSide({ role: "client" }), [bytes]), expected);
      assert.deepEqual(feed(serverSide({ role: "client" }), single(bytes)), expected);
    });
  }
});

describe("RFC 6455 8.1: bad UTF-8 is refused at its first bad byte", () => {
  const good = "é€😀";
  for (const [name, bad] of [
    ["an impossible byte", [0xff]],
    ["a lone continuation", [0x80]],
    ["an overlong form", [0xe0, 0x80]],
    ["a surrogate", [0xed, 0xa0]],
    ["beyond U+10FFFF", [0xf4, 0x90]],
    ["a broken character", [0xf0, 0x9f, 0x41]],
  ] as const) {
    it(`${name}, in one frame and in fragments, for both kinds of text`, () => {
      const payload = concat(utf8(good), Uint8Array.from(bad), utf8("x".repeat(50)));
      const firstBad = utf8(good).length + bad.length;
      for (const kind of ["string", "bytes"] as const) {
        for (const fragmented of [false, true]) {
          const bytes = fragmented
            ? concat(text(payload.subarray(0, 3), { fin: false }), more(payload.subarray(3), { fin: false }))
            : text(payload);
          const headers = bytes.length - payload.length;
          const incoming = serverSide({ text: kind });
          assert.deepEqual(feed(incoming, single(bytes.subarray(0, headers + firstBad - 1))), []);
          assert.deepEqual(feed(incoming, [bytes.subarray(headers + firstBad - 1, headers + firstBad)]), [
            "failed websocket.bad_frame_payload",
          ]);
        }
      }
    });
  }
});

describe("maxMessageSize", () => {
  it("of Infinity refuses a length that can't be counted at its header, in one frame or with those before it", () => {
    const { maxMessageSize } = limits({ maxMessageSize: Infinity });
    const most = 2n ** 53n - 1n;
    for (const [announced, isTaken] of [
      [most, true],
      [most + 1n, false],
      [2n ** 63n - 1n, false],
    ] as const) {
      for (const role of ["server", "client"] as const) {
        const key = role === "server" ? {} : { key: undefined };
        for (const taking of [take.message, take.part]) {
          const incoming = serverSide({ role, maxMessageSize, text: "bytes" });
          incoming.receive(binary("", { form: 64, announced, ...key }));
          assert.equal(incoming.next(taking), isTaken ? undefined : event.failed);
          if (!isTaken)
            assert.deepEqual([found.failure, /2\^53/.test(found.because!)], ["websocket.message_too_big", true]);
        }
        const later = serverSide({ role, maxMessageSize });
        const before = binary("x", { fin: false, ...key });
        later.receive(concat(before, more("", { form: 64, announced: most, ...key })));
        assert.deepEqual([later.next(take.message), found.failure], [event.failed, "websocket.message_too_big"]);
      }
    }
  });

  for (const limit of [0, 1, 125, 126, 65_535, 65_536, 200_000]) {
    it(`${limit}: that much passes, one more does not, by the header alone`, () => {
      const fits = new Uint8Array(limit).fill(7);
      const incoming = (): ReturnType<typeof serverSide> => serverSide({ maxMessageSize: limit });
      assert.deepEqual(feed(incoming(), [binary(fits)]), [`binary ${hexOf(fits)}`.trim()]);
      const header = binary("", { announced: limit + 1 });
      assert.deepEqual(feed(incoming(), [header]), ["failed websocket.message_too_big"]);
      const why = `The WebSocket message is larger than maxMessageSize, ${limit} bytes: it has ${limit + 1} or more`;
      assert.equal(found.because, why);
      if (limit < 2) return;
      const halves = concat(binary(fits.subarray(0, 2), { fin: false }), more(fits.subarray(2)));
      assert.deepEqual(feed(incoming(), [halves]), [`binary ${hexOf(fits)}`]);
      const over = concat(binary(fits.subarray(0, 2), { fin: false }), more("", { announced: limit - 1 }));
      assert.deepEqual(feed(incoming(), [over]), ["failed websocket.message_too_big"]);
    });
  }

  it("Infinity takes any length that a header can have", () => {
    const incoming = serverSide({ maxMessageSize: Infinity });
    const bytes = concat(binary("", { announced: 2n ** 62n }), utf8("some"));
    assert.deepEqual(feed(incoming, [bytes]), []);
    assert.deepEqual(drain(incoming), []);
  });

  it("Infinity does not admit text that no string can hold", () => {
    const announced = BigInt(longestText) + 1n;
    const feedText = (options: Partial<IncomingOptions>): string[] =>
      feed(serverSide({ maxMessageSize: Infinity, ...options }), [text("", { announced })]);
    assert.deepEqual(feedText({}), ["failed websocket.message_too_big"]);
    assert.deepEqual(feedText({ text: "bytes" }), []);
    const behind = concat(text("a", { fin: false }), more("", { announced: BigInt(longestText) }));
    assert.deepEqual(feed(serverSide({ maxMessageSize: Infinity }), [behind]), ["failed websocket.message_too_big"]);
  });

  it("limits each message by itself", () => {
    const three = concat(binary("1234"), text("12", { fin: false }), more("34"), binary("1234"));
    assert.deepEqual(feed(serverSide({ maxMessageSize: 4 }), [three]), [
      "binary 31323334",
      "text 1234",
      "binary 31323334",
    ]);
  });
});
