// RFC 6455 sections 5.4 to 5.6, 5.8, 6.2, 8.1, 10.4 and 10.7: what the frames make that an open endpoint receives: messages and
// control frames, and what ends it. In both roles, and each case arrives whole, byte by byte and in random pieces.
//
// What no test of an endpoint can show:
// - 5.4, intermediaries "MUST NOT change the fragmentation": binds proxies, which we are not.
// - 5.5.1, clients "MUST NOT show" the reason to end users: that is the application's.
import { describe } from "node:test";
import { concat, utf8 } from "../websocket/support/frames.ts";
import { Speaker } from "./support/endpoint.ts";
import { wire } from "./support/wire.ts";

describe("RFC 6455 section 5.4: fragmentation", () => {
  wire("5.4: one frame with FIN and an opcode is a message", {
    bytes: (say) => [say.text("a"), say.binary("b")],
    messages: ["a", utf8("b")],
  });
  for (const [kind, code] of [
    ["text", 1],
    ["binary", 2],
  ] as const) {
    const arrives = (text: string): string | Uint8Array => (kind === "text" ? text : utf8(text));
    wire(`5.4: a ${kind} frame without FIN, continuations and one with FIN are a message`, {
      bytes: (say) => [
        say.frame(code, "ab", { fin: false }),
        say.more("cd", { fin: false }),
        say.more("ef", { fin: false }),
        say.more("gh"),
      ],
      messages: [arrives("abcdefgh")],
    });
    wire(`5.4: zero continuations between the first and the last frame of a ${kind}`, {
      bytes: (say) => [say.frame(code, "ab", { fin: false }), say.more("cd")],
      messages: [arrives("abcd")],
    });
    wire(`5.4: the fragments of a ${kind} may have any size, also none`, {
      bytes: (say) => [
        say.frame(code, "", { fin: false }),
        say.more("", { fin: false }),
        say.more("x".repeat(200), { fin: false }),
        say.more("", { fin: false }),
        say.more(""),
      ],
      messages: [arrives("x".repeat(200))],
    });
    wire(`5.4: a ${kind} of no bytes in fragments arrives`, {
      bytes: (say) => [say.frame(code, "", { fin: false }), say.more("")],
      messages: [arrives("")],
    });
    wire(`5.4: the type of a ${kind} is that of its first fragment; the next message has its own`, {
      bytes: (say) => [say.frame(code, "a", { fin: false }), say.more("b"), say.frame(3 - code, "c")],
      messages: [arrives("ab"), kind === "text" ? utf8("c") : "c"],
    });
    wire(`5.4: a ${kind} of large fragments arrives in their order`, {
      bytes: (say) => [
        say.frame(code, "a".repeat(70_000), { fin: false }),
        say.more("b".repeat(126), { fin: false }),
        say.more("c".repeat(66_000)),
      ],
      messages: [arrives("a".repeat(70_000) + "b".repeat(126) + "c".repeat(66_000))],
    });
  }
  wire("5.4: control frames come between fragments, and are handled at once", {
    bytes: (say) => [
      say.text("a", { fin: false }),
      say.ping("1"),
      say.more("b", { fin: false }),
      say.pong("unasked"),
      say.ping("2"),
      say.more("c"),
    ],
    messages: ["abc"],
    answers: ["pong 31", "pong 32"],
  });
  wire("5.4: a close frame comes between fragments too; the unfinished message does not arrive", {
    bytes: (say) => [say.text("begun", { fin: false }), say.close(1001, "away")],
    closes: { code: 1001, reason: "away", clean: true },
  });
  for (const code of [8, 9, 10]) {
    wire(`5.4: a control frame, opcode ${code}, without FIN fails the connection`, {
      bytes: (say) => say.frame(code, "", { fin: false }),
      fails: ["websocket.bad_control_fragment", 1002],
    });
  }
  wire("5.4: a continuation of nothing fails the connection", {
    bytes: (say) => say.more("x"),
    fails: ["websocket.bad_continuation", 1002],
  });
  wire("5.4: a continuation of nothing without FIN fails the connection", {
    bytes: (say) => say.more("x", { fin: false }),
    fails: ["websocket.bad_continuation", 1002],
  });
  wire("5.4: a continuation after a complete message fails the connection", {
    bytes: (say) => [say.text("a", { fin: false }), say.more("b"), say.more("c")],
    messages: ["ab"],
    fails: ["websocket.bad_continuation", 1002],
  });
  for (const first of [1, 2]) {
    for (const second of [1, 2]) {
      wire(`5.4: opcode ${second} before the end of a message of opcode ${first} fails the connection`, {
        bytes: (say) => [say.frame(first, "a", { fin: false }), say.frame(second, "b")],
        fails: ["websocket.bad_data_frame", 1002],
      });
    }
  }
});

describe("RFC 6455 section 5.5: control frames", () => {
  for (const [what, code] of [
    ["close", 8],
    ["ping", 9],
    ["pong", 10],
  ] as const) {
    for (const length of [126, 65_536]) {
      wire(`5.5: a ${what} with a payload of ${length} bytes fails the connection with 1002`, {
        bytes: (say) => say.frame(code, "\x03\xe8".padEnd(length, "x")),
        fails: ["websocket.bad_control_size", 1002],
      });
    }
  }
  wire("5.5: a ping of 125 bytes is answered, a pong of 125 bytes is taken", {
    bytes: (say) => [say.ping("x".repeat(125)), say.pong("y".repeat(125))],
    answers: [`pong ${"78".repeat(125)}`],
  });
  wire("5.5: a close of 125 bytes is taken", {
    bytes: (say) => say.close(4000, "r".repeat(123)),
    closes: { code: 4000, reason: "r".repeat(123), clean: true },
  });
});

describe("RFC 6455 sections 5.5.2 and 5.5.3: ping and pong", () => {
  wire("5.5.2: a ping is answered by a pong", { bytes: (say) => say.ping(), answers: ["pong"] });
  wire("5.5.3: the pong has the payload of the ping", {
    bytes: (say) => [say.ping("a"), say.ping(Uint8Array.of(0, 255, 128)), say.ping("")],
    answers: ["pong 61", "pong 00ff80", "pong"],
  });
  wire("5.5.3: an unsolicited pong is not answered", { bytes: (say) => [say.pong(), say.pong("x")] });
  wire("5.5.2: a ping after a close frame is not answered", {
    bytes: (say) => [say.close(1000), say.ping("x")],
    closes: { code: 1000, reason: "", clean: true },
  });
});

describe("RFC 6455 sections 5.6 and 8.1: text is UTF-8", () => {
  const whole = "κόσμε 𝔘 \u0000\u007f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}";
  wire("5.6: text is UTF-8, from U+0000 to U+10FFFF", { bytes: (say) => say.text(whole), messages: [whole] });
  wire("5.6: a fragment may end inside a character", {
    bytes: (say) => {
      const bytes = utf8(whole);
      return Array.from(bytes, (_, i) =>
        say.frame(i === 0 ? 1 : 0, bytes.subarray(i, i + 1), { fin: i === bytes.length - 1 }),
      );
    },
    messages: [whole],
  });
  wire("5.6: binary data is arbitrary, and need not be UTF-8", {
    bytes: (say) => say.binary(Uint8Array.of(0xff, 0xc0, 0x80, 0)),
    messages: [Uint8Array.of(0xff, 0xc0, 0x80, 0)],
  });
  const invalid: readonly [what: string, bytes: readonly number[]][] = [
    ["a lone continuation byte", [0x80]],
    ["a character without its end", [0xce]],
    ["a character cut off by another", [0xe2, 0x82, 0x41]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["an overlong slash of three bytes", [0xe0, 0x80, 0xaf]],
    ["an overlong slash of four bytes", [0xf0, 0x80, 0x80, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a pair of surrogates", [0xed, 0xa0, 0x80, 0xed, 0xb0, 0x80]],
    ["U+110000", [0xf4, 0x90, 0x80, 0x80]],
    ["a sequence of five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]],
    ["an overlong character of two bytes", [0xc1, 0xbf]],
    ["U+140000", [0xf5, 0x80, 0x80, 0x80]],
    ["the byte FE", [0xfe]],
    ["the byte FF", [0xff]],
  ];
  for (const [what, bytes] of invalid) {
    const surrounded = concat(utf8("ok "), Uint8Array.from(bytes));
    wire(`8.1: text with ${what} fails the connection with 1007`, {
      bytes: (say) => say.text(surrounded),
      fails: ["websocket.bad_frame_payload", 1007],
    });
    wire(`8.1: text with ${what} fails the connection with 1007, also in fragments, the last of them empty`, {
      bytes: (say) => [
        say.text(surrounded.subarray(0, 4), { fin: false }),
        say.more(surrounded.subarray(4), { fin: false }),
        say.more(""),
      ],
      fails: ["websocket.bad_frame_payload", 1007],
    });
  }
  wire("8.1: text that ends inside a character fails the connection at its end", {
    bytes: (say) => [say.text(Uint8Array.of(0xf0, 0x9f), { fin: false }), say.more(Uint8Array.of(0xa6))],
    fails: ["websocket.bad_frame_payload", 1007],
  });
  wire("8.1: text of 100 kB with one wrong byte in it fails the connection", {
    bytes: (say) => say.text(new Uint8Array(100_000).fill(0x61).fill(0xff, 77_777, 77_778)),
    fails: ["websocket.bad_frame_payload", 1007],
  });
  wire("8.1: a close reason that is not UTF-8 fails the connection", {
    bytes: (say) => say.close(1000, Uint8Array.of(0xc3, 0x28)),
    fails: ["websocket.bad_close_payload", 1007],
  });
  wire("8.1: a close reason that ends inside a character fails the connection", {
    bytes: (say) => say.close(1000, Uint8Array.of(0x61, 0xe2, 0x82)),
    fails: ["websocket.bad_close_payload", 1007],
  });
});

describe("RFC 6455 section 5.8: extensions that were not negotiated are not in use", () => {
  wire("5.8: RSV1 fails the connection if no compression was negotiated", {
    bytes: (say) => say.text(Uint8Array.of(0xca, 0x00), { rsv: 4 }),
    fails: ["websocket.bad_reserved_bits", 1002],
  });
});

describe("RFC 6455 section 6.2: receiving", () => {
  wire("6.2: frames are parsed one after another, however the transport splits and joins them", {
    bytes: (say) => Array.from({ length: 50 }, (_, i) => say.text(`message ${i}`)),
    messages: Array.from({ length: 50 }, (_, i) => `message ${i}`),
  });
  wire("6.2: a message that comes with the handshake's last bytes is received", (role) => ({
    setup: { behind: new Speaker(role).text("early") },
    bytes: (say) => say.text("later"),
    messages: ["early", "later"],
  }));
});

describe("RFC 6455 section 10.4: limits", () => {
  const options = { maxMessageSize: 100, maxFragments: 5 };
  wire("10.4: a message of the size of the limit arrives", {
    setup: { options },
    bytes: (say) => [say.text("x".repeat(100)), say.binary("a", { fin: false }), say.more("x".repeat(99))],
    messages: ["x".repeat(100), utf8(`a${"x".repeat(99)}`)],
  });
  wire("10.4: a frame that is too big fails the connection with 1009", {
    setup: { options },
    bytes: (say) => say.text("x".repeat(101)),
    fails: ["websocket.message_too_big", 1009],
  });
  wire("10.4: a frame that announces 2^60 bytes fails the connection by its header", {
    setup: { options: { maxMessageSize: 2 ** 40 } },
    bytes: (say) => say.binary("", { announced: 2n ** 60n }),
    fails: ["websocket.message_too_big", 1009],
  });
  wire("10.4: fragments that are too big together fail the connection", {
    setup: { options },
    bytes: (say) => [say.text("x".repeat(60), { fin: false }), say.more("x".repeat(40), { fin: false }), say.more("x")],
    fails: ["websocket.message_too_big", 1009],
  });
  wire("10.4: a message of too many small fragments fails the connection", {
    setup: { options },
    bytes: (say) => [say.text("", { fin: false }), ...Array.from({ length: 5 }, () => say.more("", { fin: false }))],
    fails: ["websocket.too_many_fragments", 1008],
  });
});

describe("RFC 6455 section 10.7: invalid data", () => {
  wire("10.7: an HTTP request in the place of frames fails the connection", {
    // "G" is the first byte of a frame with a reserved bit.
    bytes: () => utf8("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
    fails: ["websocket.bad_reserved_bits", 1002],
  });
  wire("10.7: zeros in the place of frames fail the connection", {
    bytes: () => new Uint8Array(100),
    fails: ["websocket.bad_continuation", 1002],
  });
});
