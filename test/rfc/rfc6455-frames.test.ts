// RFC 6455 sections 5.1 to 5.3 and 5.7: the frames that an open endpoint receives. Each requirement stands under the number of
// its section, in both roles, and each case arrives whole, byte by byte and in random pieces (SEED repeats them).
//
// What no test of an endpoint can show:
// - 5.2, "any extension MUST specify the length of the extension data": binds those who write extensions.
import { describe } from "node:test";
import { wire } from "./support/wire.ts";

const [server, client] = [["server"], ["client"]] as const;

describe("RFC 6455 section 5.1: masking", () => {
  const unmasked = { key: undefined };
  const masked = { key: [1, 2, 3, 4] };
  for (const [what, code] of [
    ["text", 1],
    ["binary", 2],
    ["continuation", 0],
    ["ping", 9],
    ["pong", 10],
    ["close", 8],
  ] as const) {
    const begun = code === 0 ? "x" : undefined;
    wire(
      `5.1: a server fails the connection for a ${what} frame that is not masked`,
      {
        bytes: (say) => [
          begun === undefined ? new Uint8Array(0) : say.text(begun, { fin: false }),
          say.frame(code, "", unmasked),
        ],
        fails: ["websocket.bad_unmasked_frame", 1002],
      },
      server,
    );
    wire(
      `5.1: a client fails the connection for a ${what} frame that is masked`,
      {
        bytes: (say) => [
          begun === undefined ? new Uint8Array(0) : say.text(begun, { fin: false }),
          say.frame(code, "", masked),
        ],
        fails: ["websocket.bad_masked_frame", 1002],
      },
      client,
    );
  }
  wire(
    "5.1: the mask decides, not the key: a key of zeros is one",
    { bytes: (say) => say.text("open to read", { key: [0, 0, 0, 0] }), messages: ["open to read"] },
    server,
  );
});

describe("RFC 6455 section 5.2: the header", () => {
  for (const rsv of [1, 2, 3, 4, 5, 6, 7]) {
    for (const [what, code] of [
      ["text", 1],
      ["binary", 2],
      ["ping", 9],
      ["pong", 10],
      ["close", 8],
    ] as const) {
      wire(`5.2: reserved bits ${rsv.toString(2).padStart(3, "0")} on a ${what} frame fail the connection`, {
        bytes: (say) => say.frame(code, "", { rsv }),
        fails: ["websocket.bad_reserved_bits", 1002],
      });
    }
    wire(`5.2: reserved bits ${rsv.toString(2).padStart(3, "0")} on a continuation fail the connection`, {
      bytes: (say) => [say.text("a", { fin: false }), say.more("b", { rsv })],
      fails: ["websocket.bad_reserved_bits", 1002],
    });
  }
  for (const code of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) {
    wire(`5.2: opcode ${code}, which is reserved, fails the connection`, {
      bytes: (say) => say.frame(code, "x"),
      fails: ["websocket.bad_opcode", 1002],
    });
    wire(`5.2: opcode ${code} fails the connection between the fragments of a message too`, {
      bytes: (say) => [say.text("a", { fin: false }), say.frame(code, "x"), say.more("b")],
      fails: ["websocket.bad_opcode", 1002],
    });
  }
  for (const length of [0, 1, 125]) {
    wire(`5.2: a length of ${length} takes 7 bits`, {
      bytes: (say) => say.binary(new Uint8Array(length).fill(7), { form: 7 }),
      messages: [new Uint8Array(length).fill(7)],
    });
  }
  for (const length of [126, 127, 255, 256, 65_535]) {
    wire(`5.2: a length of ${length} takes 16 bits`, {
      bytes: (say) => say.binary(new Uint8Array(length).fill(7), { form: 16 }),
      messages: [new Uint8Array(length).fill(7)],
    });
  }
  for (const length of [65_536, 70_000, 1_000_000]) {
    wire(`5.2: a length of ${length} takes 64 bits`, {
      bytes: (say) => say.binary(new Uint8Array(length).fill(7), { form: 64 }),
      messages: [new Uint8Array(length).fill(7)],
    });
  }
  for (const length of [0, 1, 124, 125]) {
    wire(`5.2: a length of ${length} in 16 bits, more than it needs, fails the connection`, {
      bytes: (say) => say.text("x".repeat(length), { form: 16 }),
      fails: ["websocket.bad_size", 1002],
    });
  }
  for (const length of [0, 125, 126, 65_535]) {
    wire(`5.2: a length of ${length} in 64 bits, more than it needs, fails the connection`, {
      bytes: (say) => say.text("x".repeat(length), { form: 64 }),
      fails: ["websocket.bad_size", 1002],
    });
  }
  for (const announced of [2n ** 63n, 2n ** 64n - 1n]) {
    wire(`5.2: a length with its most significant bit set, ${announced.toString(16)}, fails the connection`, {
      bytes: (say) => say.binary("", { announced, form: 64 }),
      fails: ["websocket.bad_size", 1002],
    });
  }
  wire("5.2: the bits of a length are in network byte order", {
    bytes: (say) => [say.binary(new Uint8Array(0x0102).fill(1)), say.binary(new Uint8Array(0x01_02_03).fill(2))],
    messages: [new Uint8Array(0x0102).fill(1), new Uint8Array(0x01_02_03).fill(2)],
  });
});

describe("RFC 6455 section 5.3: unmasking", () => {
  for (const key of [
    [0x37, 0xfa, 0x21, 0x3d],
    [0xff, 0xff, 0xff, 0xff],
    [0x80, 0, 0, 0],
    [0, 0, 0, 1],
  ]) {
    const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 1021];
    wire(
      `5.3: octet i is unmasked with octet i modulo 4 of the key ${Buffer.from(key).toString("hex")}, at any length`,
      {
        bytes: (say) =>
          lengths.map((length) =>
            say.binary(
              new Uint8Array(length).map((_, i) => i),
              { key },
            ),
          ),
        messages: lengths.map((length) => new Uint8Array(length).map((_, i) => i)),
      },
      server,
    );
  }
  wire(
    "5.3: every frame has a key of its own, which begins anew with each fragment",
    {
      bytes: (say) => [
        say.text("abc", { fin: false, key: [1, 2, 3, 4] }),
        say.ping("p", { key: [9, 9, 9, 9] }),
        say.more("de", { fin: false, key: [5, 6, 7, 8] }),
        say.more("fghij", { key: [255, 0, 255, 0] }),
      ],
      messages: ["abcdefghij"],
      answers: ["pong 70"],
    },
    server,
  );
});

describe("RFC 6455 section 5.7: the examples, byte for byte", () => {
  const hex = (digits: string) => () => Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
  const zeros = (length: number): string => "00".repeat(length);
  wire("5.7: a single-frame unmasked text", { bytes: hex("81 05 48 65 6c 6c 6f"), messages: ["Hello"] }, client);
  wire(
    "5.7: a single-frame masked text",
    { bytes: hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"), messages: ["Hello"] },
    server,
  );
  wire("5.7: a fragmented unmasked text", { bytes: hex("01 03 48 65 6c 80 02 6c 6f"), messages: ["Hello"] }, client);
  wire("5.7: an unmasked ping", { bytes: hex("89 05 48 65 6c 6c 6f"), answers: ["pong 48656c6c6f"] }, client);
  wire("5.7: a masked pong", { bytes: hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58") }, server);
  wire(
    "5.7: 256 bytes in an unmasked frame",
    { bytes: hex(`82 7e 0100 ${zeros(256)}`), messages: [new Uint8Array(256)] },
    client,
  );
  wire(
    "5.7: 64 KiB in an unmasked frame",
    { bytes: hex(`82 7f 0000000000010000 ${zeros(65_536)}`), messages: [new Uint8Array(65_536)] },
    client,
  );
});
