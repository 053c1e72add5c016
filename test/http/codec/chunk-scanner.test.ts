import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { ChunkScanner, type ChunkLimits } from "../../../src/http/codec/chunk-scanner.ts";
import { everySplit } from "../../../src/testing/index.ts";
import { bytesOf, piecesOf } from "../support/samples.ts";
import { fc, runs } from "../../support/property.ts";

interface Outcome {
  data: string;
  /** The sizes and extensions of the chunks, and then the trailer. */
  told: unknown[];
  /** The code it failed with, or whether the end was seen. */
  end: string | boolean;
  /** How many bytes had been passed over by then. */
  passed: number;
}

const generous: ChunkLimits = { maxChunkExtensionSize: 1000, maxHeaderSize: 1000, maxHeadersCount: 100 };

/** Feeds a new scanner piece by piece, each in memory of its own. */
function scan(pieces: readonly Uint8Array[], limits: Partial<ChunkLimits> = {}): Outcome {
  const scanner = new ChunkScanner({ ...generous, ...limits });
  const told: unknown[] = [];
  let data = "";
  let passed = 0;
  let end: string | boolean = false;
  for (const piece of pieces) {
    let at = 0;
    try {
      while (at < piece.length && !scanner.isDone) {
        at = scanner.scan(piece, at, piece.length, (size, extensions) => told.push(size, extensions));
        const size = Math.min(scanner.left, piece.length - at);
        if (size === 0) continue;
        data += decodeLatin1(piece, at, at + size);
        scanner.take(size);
        at += size;
      }
    } catch (error) {
      if (!(error instanceof ServalError)) throw error;
      end = error.code;
      break;
    }
    passed += at;
    end = scanner.isDone;
  }
  return { data, told: [...told, ...scanner.trailers], end, passed };
}

const bodies: [name: string, body: string, data: string, told?: unknown[]][] = [
  ["no data", "0\r\n\r\n", ""],
  ["one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"],
  ["several chunks", "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello"],
  ["hexadecimal sizes, either case", `a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n`, "01234567890123456789a"],
  ["leading zeros", "0005\r\nhello\r\n0000000000000\r\n\r\n", "hello"],
  ["data that looks like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n"],
  [
    "extensions",
    '5;a\r\nhello\r\n0;b=c;d="e \\" f"\r\n\r\n',
    "hello",
    [
      5,
      [["a"]],
      0,
      [
        ["b", "c"],
        ["d", 'e " f'],
      ],
    ],
  ],
  ["space around extensions", "5 \t; a = b\r\nhello\r\n0\t;\tc\r\n\r\n", "hello", [5, [["a", "b"]], 0, [["c"]]]],
  ["a trailer", "1\r\nh\r\n0;a\r\nA: b\r\nc:\r\n\r\n", "h", [1, [], 0, [["a"]], ["A", "b"], ["c", ""]]],
  ["a trailer with fields that must not be there", "0\r\nTE: b\r\nc: d\r\nHost:\r\n\r\n", "", [0, [], ["c", "d"]]],
];

/** What is refused: the code, and the part up to and with the byte at which that is known. */
const refusals: [code: string, body: string, rest: string][] = [
  ["http.bad_chunk", "\r", "\n5\r\nhello\r\n"],
  ["http.bad_chunk", "g", "\r\n"],
  ["http.bad_chunk", " ", "5\r\nhello\r\n"],
  ["http.bad_chunk", "-", "1\r\n"],
  ["http.bad_chunk", "+", "1\r\n"],
  ["http.bad_chunk", ";", "a\r\n"],
  ["http.bad_chunk", "0x", "5\r\nhello\r\n"],
  ["http.bad_chunk", "5_", "0\r\nhello\r\n"],
  ["http.bad_chunk", "5\r\nhello0", "\r\n\r\n"],
  ["http.bad_chunk", "5\r\nhello\n", "0\r\n\r\n"],
  ["http.bad_chunk", "5\r\nhello\r\n\r", "\n"],
  ["http.bad_chunk", "f".repeat(14), "\r\n"],
  ["http.bad_chunk", "0".repeat(14), "\r\n\r\n"],
  ["http.bad_chunk", "\xb2", "\r\n"],
  ["http.bad_line_ending", "5\n", "hello\r\n"],
  ["http.bad_line_ending", "5\rh", "ello\r\n"],
  ["http.bad_line_ending", "5;a\n", "hello\r\n"],
  ["http.bad_line_ending", "5\r\nhello\rx", ""],
  ["http.bad_line_ending", "0\r\n\n", ""],
  ["http.bad_line_ending", "0\r\n\rx", ""],
  ["http.bad_chunk_extension", "5 \r\n", "hello\r\n"],
  ["http.bad_chunk_extension", "5 6\r\n", "hello\r\n"],
  ["http.bad_chunk_extension", "5;\r\n", "hello\r\n"],
  ["http.bad_chunk_extension", "5;a \r\n", "hello\r\n"],
  ["http.bad_chunk_extension", '5;a="b\r\n', "hello\r\n"],
  ["http.bad_chunk_extension", "0;a=\r\n", "\r\n"],
  ["http.bad_chunk_extension", "5;a\0", "\r\nhello\r\n"],
  ["http.bad_chunk_extension", "5;a\x7f", "\r\nhello\r\n"],
  ["http.bad_field", "0\r\na ", "b\r\n\r\n"],
  ["http.bad_value", "0\r\na: \0", "\r\n\r\n"],
  ["http.bad_obs_fold", "0\r\na: b\r\n ", "c\r\n\r\n"],
];

const followers = ["", "HTTP/1.1 200 OK\r\n\r\n", "\0"];

describe("ChunkScanner finds the data, whole, at every split, byte by byte and with bytes after the body", () => {
  for (const [name, body, data, told] of bodies) {
    it(name, () => {
      for (const behind of followers) {
        everySplit(bytesOf(body + behind), (pieces) => {
          const outcome = scan(pieces);
          assert.deepEqual(outcome, { data, told: told ?? outcome.told, end: true, passed: body.length });
        });
      }
      for (let size = 0; size < body.length; size++) {
        assert.equal(scan([bytesOf(body.slice(0, size))]).end, false, `${size}`);
      }
    });
  }
});

describe("ChunkScanner refuses with the same code at every split, at the first wrong byte", () => {
  for (const [code, body, rest] of refusals) {
    it(`${code}: ${JSON.stringify(body)}`, () => {
      assert.equal(scan([bytesOf(body)]).end, code);
      assert.equal(scan([bytesOf(body.slice(0, -1))]).end, false);
      everySplit(bytesOf(body + rest), (pieces) => assert.equal(scan(pieces).end, code));
    });
  }
});

describe("ChunkScanner's limits", () => {
  /** Just the limit passes, and one less does not. */
  const holds = (name: keyof ChunkLimits, body: string, limit: number, code: string): void => {
    everySplit(bytesOf(body), (pieces) => {
      assert.equal(scan(pieces, { [name]: limit }).end, true, body);
      assert.equal(scan(pieces, { [name]: limit - 1 }).end, code, body);
    });
  };

  it("maxChunkExtensionSize: of one chunk, and of all together with one more for each byte of data", () => {
    const limit = "http.chunk_extension_limit";
    holds("maxChunkExtensionSize", `1;${"a".repeat(49)}\r\nh\r\n0\r\n\r\n`, 50, limit);
    holds("maxChunkExtensionSize", `0 ;${"a".repeat(48)}\r\n\r\n`, 50, limit);
    holds("maxChunkExtensionSize", `5;${"a".repeat(29)}\r\nhello\r\n0;${"a".repeat(24)}\r\n\r\n`, 50, limit);
    // However much data there was, those of one chunk are limited.
    const data = "d".repeat(0x40);
    holds("maxChunkExtensionSize", `40\r\n${data}\r\n40;abcdefg\r\n${data}\r\n0\r\n\r\n`, 8, limit);
  });

  it("maxChunkExtensionSize: an error within the limit comes first, one beyond it never", () => {
    everySplit(bytesOf("5;a\0"), (pieces) => {
      assert.equal(scan(pieces, { maxChunkExtensionSize: 2 }).end, "http.bad_chunk_extension");
      assert.equal(scan(pieces, { maxChunkExtensionSize: 1 }).end, "http.chunk_extension_limit");
    });
  });

  it("maxHeaderSize: with the empty line, of a trailer that has fields", () => {
    holds("maxHeaderSize", `0\r\na: ${"b".repeat(43)}\r\n\r\n`, 50, "http.header_limit");
    everySplit(bytesOf("0\r\n\r\n"), (pieces) => assert.equal(scan(pieces, { maxHeaderSize: 0 }).end, true));
  });

  it("maxHeaderSize: an error within the limit comes first, one beyond it never", () => {
    everySplit(bytesOf("0\r\nab()"), (pieces) => {
      assert.equal(scan(pieces, { maxHeaderSize: 2 }).end, "http.header_limit");
      assert.equal(scan(pieces, { maxHeaderSize: 3 }).end, "http.bad_field");
    });
  });

  it("maxHeadersCount: of all fields in the trailer, also those left out", () => {
    holds("maxHeadersCount", "0\r\nhost:\r\nb:\r\n\r\n", 2, "http.field_limit");
  });
});

describe("ChunkScanner, on any input", () => {
  const nearly = fc
    .array(
      fc.oneof(
        fc.constantFrom("0", "1", "5", "a", "\r\n", "\r", "\n", ";", " ", "a: b\r\n", "hello", "\0", "5\r\nhello\r\n"),
        fc.string({ unit: "binary-ascii", maxLength: 4 }),
      ),
      { maxLength: 14 },
    )
    .map((parts) => bytesOf(parts.join("")));

  it("has the same result at every split", () => {
    fc.assert(
      fc.property(
        nearly,
        fc.array(fc.nat(60), { maxLength: 5 }),
        fc.record({ maxChunkExtensionSize: fc.nat(20), maxHeaderSize: fc.nat(20), maxHeadersCount: fc.nat(2) }),
        (bytes, cuts, limits) => {
          const { passed: _, ...whole } = scan([bytes], limits);
          for (const pieces of [piecesOf(bytes, cuts), Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
            const { passed: __, ...other } = scan(pieces, limits);
            assert.deepEqual(other, whole);
          }
        },
      ),
      { numRuns: runs(2000) },
    );
  });

  it("finds the data of any chunking", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })), (chunks) => {
        const texts = chunks.map((chunk) => decodeLatin1(chunk));
        const body = `${texts.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join("")}0\r\n\r\n`;
        const { data, end, passed } = scan([bytesOf(body)]);
        assert.deepEqual([data, end, passed], [texts.join(""), true, body.length]);
      }),
    );
  });
});
