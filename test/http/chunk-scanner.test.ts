import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ServalError } from "../../src/core/index.ts";
import { decodeLatin1 } from "../../src/core/text.ts";
import { ChunkScanner } from "../../src/http/chunk-scanner.ts";
import { bytesOf, splitsOf } from "./samples.ts";

interface Outcome {
  data: string;
  /** The code it failed with, or whether the end was seen. */
  end: string | boolean;
  /** How many bytes had been passed over by then. */
  passed: number;
}

/** Feeds a new scanner piece by piece, each in memory of its own. */
function scan(pieces: readonly Uint8Array[], overheadLimit = 1000, fieldLimit = 100): Outcome {
  const scanner = new ChunkScanner(overheadLimit, fieldLimit);
  let data = "";
  let passed = 0;
  for (const piece of pieces) {
    let at = 0;
    try {
      while (at < piece.length && !scanner.isDone) {
        at = scanner.scan(piece, at, piece.length);
        const size = Math.min(scanner.left, piece.length - at);
        if (size === 0) continue;
        data += decodeLatin1(piece, at, at + size);
        scanner.take(size);
        at += size;
      }
    } catch (error) {
      if (error instanceof ServalError) return { data, end: error.code, passed };
      throw error;
    }
    passed += at;
  }
  return { data, end: scanner.isDone, passed };
}

const bodies: [name: string, body: string, data: string][] = [
  ["no data", "0\r\n\r\n", ""],
  ["one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello"],
  ["several chunks", "1\r\nh\r\n4\r\nello\r\n0\r\n\r\n", "hello"],
  ["hexadecimal sizes, either case", `a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n`, "01234567890123456789a"],
  ["leading zeros", "0005\r\nhello\r\n0000000000000\r\n\r\n", "hello"],
  ["data that looks like framing", "7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n\r\n"],
  ["extensions", '5;a\r\nhello\r\n0;b=c;d="e \\" f"\r\n\r\n', "hello"],
  ["space around extensions", "5 \t; a = b\t\r\nhello\r\n0 ;\r\n\r\n", "hello"],
  ["a trailer", "5\r\nhello\r\n0\r\nA: b\r\nc:\r\n\r\n", "hello"],
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
  ["http.bad_chunk", "5 \r", "\nhello\r\n"],
  ["http.bad_chunk", "5 6", "\r\nhello\r\n"],
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
  ["http.bad_chunk_extension", "5;a\0", "\r\nhello\r\n"],
  ["http.bad_chunk_extension", "5;a\x7f", "\r\nhello\r\n"],
  ["http.bad_field", "0\r\na ", "b\r\n\r\n"],
  ["http.bad_value", "0\r\na: \0", "\r\n\r\n"],
  ["http.bad_obs_fold", "0\r\na: b\r\n ", "c\r\n\r\n"],
];

const trailers = ["", "HTTP/1.1 200 OK\r\n\r\n", "\0"];

describe("ChunkScanner finds the data, whole, at every split, byte by byte and with bytes behind", () => {
  for (const [name, body, data] of bodies) {
    it(name, () => {
      for (const trailer of trailers) {
        for (const pieces of splitsOf(bytesOf(body + trailer))) {
          assert.deepEqual(scan(pieces), { data, end: true, passed: body.length });
        }
      }
      for (let size = 0; size < body.length; size++) {
        assert.equal(scan([bytesOf(body.slice(0, size))]).end, false, `${size}`);
      }
    });
  }
});

describe("ChunkScanner refuses with the same code however the bytes come, and at the byte that shows it", () => {
  for (const [code, body, rest] of refusals) {
    it(`${code}: ${JSON.stringify(body)}`, () => {
      assert.equal(scan([bytesOf(body)]).end, code);
      assert.equal(scan([bytesOf(body.slice(0, -1))]).end, false);
      for (const pieces of splitsOf(bytesOf(body + rest))) assert.equal(scan(pieces).end, code);
    });
  }
});

describe("ChunkScanner's limits", () => {
  it("of extensions and trailer together: as many bytes pass, one more does not", () => {
    for (const body of [
      `5;${"a".repeat(47)}\r\nhello\r\n0\r\n\r\n`,
      `5;${"a".repeat(20)}\r\nhello\r\n0 ;${"b".repeat(25)}\r\n\r\n`,
      `0\r\na: ${"b".repeat(43)}\r\n\r\n`,
      `5;${"a".repeat(20)}\r\nhello\r\n0\r\na: ${"b".repeat(22)}\r\n\r\n`,
    ]) {
      for (const pieces of splitsOf(bytesOf(body))) {
        assert.equal(scan(pieces, 50).end, true, body);
        assert.equal(scan(pieces, 49).end, "http.header_limit", body);
      }
    }
  });

  it("of the trailer: what is wrong within it comes first, what is wrong behind it never", () => {
    for (const pieces of splitsOf(bytesOf("0\r\nab()"))) {
      assert.equal(scan(pieces, 1).end, "http.header_limit");
      assert.equal(scan(pieces, 2).end, "http.bad_field");
    }
  });

  it("of the fields in the trailer", () => {
    for (const pieces of splitsOf(bytesOf("0\r\na:\r\nb:\r\n\r\n"))) {
      assert.equal(scan(pieces, 1000, 2).end, true);
      assert.equal(scan(pieces, 1000, 1).end, "http.field_limit");
    }
  });
});

describe("ChunkScanner, on anything", () => {
  const nearly = fc
    .array(
      fc.oneof(
        fc.constantFrom("0", "1", "5", "a", "\r\n", "\r", "\n", ";", " ", "a: b\r\n", "hello", "\0", "5\r\nhello\r\n"),
        fc.string({ unit: "binary-ascii", maxLength: 4 }),
      ),
      { maxLength: 14 },
    )
    .map((parts) => bytesOf(parts.join("")));

  it("gives the same answer for every split", () => {
    fc.assert(
      fc.property(
        nearly,
        fc.array(fc.nat(60), { maxLength: 5 }),
        fc.nat(20),
        fc.nat(2),
        (bytes, cuts, limit, fields) => {
          const at = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
          const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          const { data, end } = scan([bytes], limit, fields);
          for (const split of [pieces, Array.from(bytes, (byte) => Uint8Array.of(byte))]) {
            const other = scan(split, limit, fields);
            assert.deepEqual([other.data, other.end], [data, end]);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("gets back whatever was cut into chunks", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 })), (chunks) => {
        const texts = chunks.map((chunk) => decodeLatin1(chunk));
        const body = `${texts.map((text) => `${text.length.toString(16)}\r\n${text}\r\n`).join("")}0\r\n\r\n`;
        assert.deepEqual(scan([bytesOf(body)]), { data: texts.join(""), end: true, passed: body.length });
      }),
    );
  });
});
