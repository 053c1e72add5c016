// RFC 7692 sections 6 and 7.2: what arrives under permessage-deflate, in both roles. Each case arrives whole, byte by byte and in
// random pieces.
//
// What no test of an endpoint can show:
// - 6, intermediaries: we are none.
import { describe } from "node:test";
import { utf8 } from "../websocket/support/frames.ts";
import { PeerDeflater, plain, type Window } from "./support/deflate.ts";
import { compressed, type Windows } from "./support/negotiated.ts";
import { wire, type WireCase } from "./support/wire.ts";

const alone: Window = { bits: 15, takeover: false };
const kept: Window = { bits: 15, takeover: true };
const deflated = { rsv: 4 };
const hello = Uint8Array.of(0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00);

/** A case on a connection that compresses. */
function compressing(
  requirement: string,
  given: Omit<WireCase, "setup">,
  windows: Windows = { theirs: kept, ours: kept },
  options = {},
): void {
  wire(requirement, (role) => ({ ...given, setup: compressed(role, windows, options) }));
}

describe("RFC 7692 section 6: the bit of a compressed message", () => {
  compressing("6.2: RSV1 on the first frame says that the message is compressed", {
    bytes: (say) => say.text(hello, deflated),
    messages: ["Hello"],
  });
  compressing("6: messages without RSV1 are not compressed, also between others", {
    bytes: (say) => [say.text("plain"), say.text(hello, deflated), say.binary(hello), say.text("plain")],
    messages: ["plain", "Hello", hello, "plain"],
  });
  compressing("6: the opcode is that of the original message", {
    bytes: (say) => [say.binary(hello, deflated)],
    messages: [utf8("Hello")],
  });
  compressing("6.2: the payloads of all fragments are decompressed together", {
    bytes: (say) => [
      say.text(hello.subarray(0, 3), { fin: false, ...deflated }),
      say.more("", { fin: false }),
      say.ping("between"),
      say.more(hello.subarray(3)),
    ],
    messages: ["Hello"],
    answers: [`pong ${Buffer.from("between").toString("hex")}`],
  });
  compressing("6.2: control frames are not compressed", {
    bytes: (say) => [say.ping(hello), say.text(hello, deflated)],
    messages: ["Hello"],
    answers: [`pong ${Buffer.from(hello).toString("hex")}`],
  });
  for (const [what, code] of [
    ["ping", 9],
    ["pong", 10],
    ["close", 8],
  ] as const) {
    compressing(`6.1: RSV1 on a ${what} fails the connection`, {
      bytes: (say) => say.frame(code, "", deflated),
      fails: ["websocket.bad_reserved_bits", 1002],
    });
    compressing(`6.1: RSV1 on a ${what} between the fragments of a compressed message fails the connection`, {
      bytes: (say) => [say.text(hello.subarray(0, 3), { fin: false, ...deflated }), say.frame(code, "", deflated)],
      fails: ["websocket.bad_reserved_bits", 1002],
    });
  }
  for (const fin of [true, false]) {
    compressing(`6.1: RSV1 on a continuation${fin ? "" : " without FIN"} fails the connection`, {
      bytes: (say) => [
        say.text(hello.subarray(0, 3), { fin: false, ...deflated }),
        say.more(hello.subarray(3), { fin, ...deflated }),
      ],
      fails: ["websocket.bad_reserved_bits", 1002],
    });
    compressing(
      `6.1: RSV1 on a continuation${fin ? "" : " without FIN"} of a message that is not compressed fails the connection`,
      {
        bytes: (say) => [say.text("a", { fin: false }), say.more(hello, { fin, ...deflated })],
        fails: ["websocket.bad_reserved_bits", 1002],
      },
    );
  }
  for (const rsv of [1, 2, 3, 5, 6, 7]) {
    compressing(`6: reserved bits ${rsv.toString(2).padStart(3, "0")} mean nothing, and fail the connection`, {
      bytes: (say) => say.text(hello, { rsv }),
      fails: ["websocket.bad_reserved_bits", 1002],
    });
  }
});

describe("RFC 7692 section 7.2.3: the examples, byte for byte", () => {
  const hex = (digits: string): Uint8Array => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
  /** The frames of the examples are a server's: a client's are masked. */
  const frame = (requirement: string, frames: readonly string[], messages: readonly string[]): void => {
    wire(
      requirement,
      { bytes: () => frames.map(hex), messages, setup: compressed("client", { theirs: kept, ours: kept }) },
      ["client"],
    );
  };
  const payload = (requirement: string, digits: string, message: string): void => {
    compressing(requirement, { bytes: (say) => say.text(hex(digits), deflated), messages: [message] });
  };
  frame("7.2.3.1: a message of one compressed block", ["c1 07 f2 48 cd c9 c9 07 00"], ["Hello"]);
  frame("7.2.3.1: the same in two fragments", ["41 03 f2 48 cd", "80 04 c9 c9 07 00"], ["Hello"]);
  frame(
    "7.2.3.2: a second message refers to the first",
    ["c1 07 f2 48 cd c9 c9 07 00", "c1 05 f2 00 11 00 00"],
    ["Hello", "Hello"],
  );
  frame("7.2.3.3: a block without compression", ["c1 0b 00 05 00 fa ff 48 65 6c 6c 6f 00"], ["Hello"]);
  frame("7.2.3.4: a block with BFINAL set to 1", ["c1 08 f3 48 cd c9 c9 07 00 00"], ["Hello"]);
  frame("7.2.3.5: two blocks in a message", ["c1 0d f2 48 05 00 00 00 ff ff ca c9 c9 07 00"], ["Hello"]);
  payload("7.2.3.1: a message of one compressed block", "f2 48 cd c9 c9 07 00", "Hello");
  payload("7.2.3.3: a block without compression", "00 05 00 fa ff 48 65 6c 6c 6f 00", "Hello");
  payload("7.2.3.4: a block with BFINAL set to 1", "f3 48 cd c9 c9 07 00 00", "Hello");
  payload("7.2.3.5: two blocks in a message", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello");
  payload("7.2.3.6: an empty message", "00", "");
  compressing("7.2.3.6: an empty fragment at the end of a message whose data has been flushed", {
    bytes: (say) => [
      say.text(hex("f2 48 cd c9 c9 07 00 00 00 ff ff"), { fin: false, ...deflated }),
      say.more(Uint8Array.of(0)),
    ],
    messages: ["Hello"],
  });
  compressing("7.2.3.2: a second message refers to the first", {
    bytes: (say) => [say.text(hello, deflated), say.text(hex("f2 00 11 00 00"), deflated)],
    messages: ["Hello", "Hello"],
  });
});

describe("RFC 7692 section 7.2.2: decompression", () => {
  const long = utf8("The quick brown fox jumps over the lazy dog. ".repeat(500));
  const endings = ["sync", "full", "final"] as const;
  for (const level of [0, 1, 6, 9]) {
    for (const ending of endings) {
      compressing(`7.2.1: blocks as level ${level} makes them, ending with a ${ending} flush`, {
        bytes: (say) => {
          const deflater = new PeerDeflater(kept);
          const part = { ...plain, size: 1000, level, ending };
          return [1, 2].map(() => say.binary(deflater.deflate(long, [part, part, part]), deflated));
        },
        messages: [long, long],
      });
    }
  }
  for (const bits of [8, 9, 10, 12, 15]) {
    for (const takeover of [true, false]) {
      compressing(
        `7.1.2: the peer's window of ${bits} bits, ${takeover ? "kept from message to message" : "begun anew with each message"}`,
        {
          bytes: (say) => {
            const deflater = new PeerDeflater({ bits, takeover });
            return [1, 2, 3].map(() => say.binary(deflater.deflate(long), deflated));
          },
          messages: [long, long, long],
        },
        { theirs: { bits, takeover } },
      );
    }
  }
  compressing(
    "7.1.1: a message that refers to the one before fails the connection if no context is kept",
    {
      bytes: (say) => [say.text(hello, deflated), say.text(Uint8Array.of(0xf2, 0, 0x11, 0, 0), deflated)],
      messages: ["Hello"],
      fails: ["websocket.bad_deflate_data", 1007],
    },
    { theirs: alone },
  );
  for (const [what, bytes] of [
    ["a block of the reserved type", [0x06, 0x00]],
    ["a stored block whose length does not match", [0x00, 0x05, 0x00, 0x00, 0x00, 0x48]],
    ["a reference to before the beginning", [0xf2, 0x00, 0x11, 0x00]],
    ["the end in the middle of a block", [0xf2, 0x48, 0xcd]],
    ["the end in the middle of a stored block", [0x00, 0x05, 0x00, 0xfa, 0xff, 0x48]],
    ["no byte at all", []],
    ["noise", [0xff, 0xfe, 0xfd, 0xfc, 0xfb]],
  ] as const) {
    compressing(`7.2.2: ${what} can't be decompressed, and fails the connection with 1007`, {
      bytes: (say) => say.binary(Uint8Array.from(bytes), deflated),
      fails: ["websocket.bad_deflate_data", 1007],
    });
  }
  compressing("RFC 6455 8.1: text that is not UTF-8 after decompression fails the connection", {
    bytes: (say) => say.text(new PeerDeflater(kept).deflate(Uint8Array.of(0x61, 0xff)), deflated),
    fails: ["websocket.bad_frame_payload", 1007],
  });
  compressing(
    "RFC 6455 10.4: a message that is decompressed to more than the limit fails the connection with 1009",
    {
      bytes: (say) => say.binary(new PeerDeflater(kept).deflate(new Uint8Array(1_000_001)), deflated),
      fails: ["websocket.message_too_big", 1009],
    },
    undefined,
    { maxMessageSize: 1_000_000 },
  );
  compressing(
    "RFC 6455 10.4: a message that is decompressed to the limit arrives",
    {
      bytes: (say) => say.binary(new PeerDeflater(kept).deflate(new Uint8Array(1_000_000)), deflated),
      messages: [new Uint8Array(1_000_000)],
    },
    undefined,
    { maxMessageSize: 1_000_000 },
  );
});
