import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { ServalError } from "../../src/core/index.ts";
import { ResponseParser, type ResponseParserOptions } from "../../src/http/index.ts";
import { bytesOf, splitsOf } from "./samples.ts";

/** What a parser made of its bytes, in a form to compare. */
interface Outcome {
  code?: string;
  /** How many bytes had been given when the outcome was there. */
  given: number;
  response?: { status: number; reason: string; version: number; fields: readonly string[] };
  headSize: number;
  contentLength: number | undefined;
  gotSome: boolean;
}

/** Feeds a new parser piece by piece until it is done or fails. */
function parse(pieces: readonly Uint8Array[], options?: ResponseParserOptions): Outcome {
  const parser = new ResponseParser(options);
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  const outcome = (given: number, code?: string): Outcome => ({
    ...(code !== undefined && { code }),
    given,
    ...(parser.response !== undefined && {
      response: {
        status: parser.response.status,
        reason: parser.response.reason,
        version: parser.response.version,
        fields: parser.response.fields.raw,
      },
    }),
    headSize: parser.headSize,
    contentLength: parser.contentLength,
    gotSome: parser.gotSome,
  });
  let given = 0;
  for (const piece of pieces) {
    all.set(piece, given);
    given += piece.length;
    try {
      const used = parser.put(all.slice(0, given));
      if (used !== parser.headSize || used > 0 !== parser.isDone) throw new Error("put and the parser disagree");
    } catch (error) {
      if (error instanceof ServalError) return outcome(given, error.code);
      throw error;
    }
    if (parser.isDone) break;
  }
  return outcome(given);
}

type Parsed = Partial<Omit<Outcome, "given" | "headSize" | "gotSome">>;

const ok = (fields: string): string => `HTTP/1.1 200 OK\r\n${fields}\r\n`;
const parsed = (fields: string[], more: Parsed = {}): Parsed => ({
  response: { status: 200, reason: "OK", version: 11, fields },
  ...more,
});
const lines = (status: number, reason: string, version = 11): Parsed => ({
  response: { status, reason, version, fields: [] },
});

/** Heads, and what is to become of them. */
const heads: [name: string, head: string, parsed: Parsed][] = [
  ["no fields", ok(""), parsed([])],
  ["HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", lines(200, "OK", 10)],
  ["101", "HTTP/1.1 101 Switching Protocols\r\n\r\n", lines(101, "Switching Protocols")],
  ["any status of three digits", "HTTP/1.1 999 x\r\n\r\n", lines(999, "x")],
  ["the least status", "HTTP/1.1 100 x\r\n\r\n", lines(100, "x")],
  ["no reason", "HTTP/1.1 404 \r\n\r\n", lines(404, "")],
  ["no reason and no space", "HTTP/1.1 404\r\n\r\n", lines(404, "")],
  ["space around the reason is part of it", "HTTP/1.1 404  a\tb \r\n\r\n", lines(404, " a\tb ")],
  ["bytes above 0x7f in the reason", "HTTP/1.1 404 \x80\xff\r\n\r\n", lines(404, "\x80\xff")],
  ["space around values", ok("a: \t b \t\r\nb:c\r\n"), parsed(["a", "b", "b", "c"])],
  ["empty values", ok("a:\r\nb: \t \r\n"), parsed(["a", "", "b", ""])],
  ["repeats, in order, case kept", ok("A: 1\r\nb: 2\r\na: 3\r\n"), parsed(["A", "1", "b", "2", "a", "3"])],
  ["Content-Length", ok("content-length: 5\r\n"), parsed(["content-length", "5"], { contentLength: 5 })],
  ["Transfer-Encoding", ok("Transfer-Encoding: chunked\r\n"), parsed(["Transfer-Encoding", "chunked"])],
];

/** Heads that are refused: the code, and the part up to and with the byte at which that is known. */
const refusals: [code: string, head: string, rest: string][] = [
  // A TLS alert, and other things that are no HTTP.
  ["http.bad_version", "\x15", "\x03\x01\0\x02\x02\x46"],
  ["http.bad_version", "\0", ""],
  ["http.bad_version", "S", "SH-2.0-OpenSSH_9.2\r\n"],
  ["http.bad_version", "<", "html>"],
  ["http.bad_version", "\r", "\nHTTP/1.1 200 OK\r\n\r\n"],
  ["http.bad_version", " ", "HTTP/1.1 200 OK\r\n\r\n"],
  ["http.bad_version", "h", "ttp/1.1 200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/2", " 200\r\n\r\n"],
  ["http.bad_version", "HTTP/0", ".9 200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/1.2", " 200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/1 ", "200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/1.10", " 200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/1.1\t", "200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/1.1\r", "\n\r\n"],
  ["http.bad_version", "I", "CY 200 OK\r\n\r\n"],

  ["http.bad_status", "HTTP/1.1  ", "200 OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 0", "99 OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 20 ", "OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 2000", " OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 -", "20 OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 20x", " OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 O", "K\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 200\t", "OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 \xb2", "00 OK\r\n\r\n"],
  ["http.bad_status", "HTTP/1.1 \r", "\n\r\n"],
  ["http.bad_line_ending", "HTTP/1.1 200\n", "\r\n"],

  ["http.bad_reason", "HTTP/1.1 200 O\0", "K\r\n\r\n"],
  ["http.bad_reason", "HTTP/1.1 200 O\x7f", "\r\n\r\n"],
  ["http.bad_reason", "HTTP/1.1 200 \x1b", "[0m\r\n\r\n"],
  ["http.bad_line_ending", "HTTP/1.1 200 OK\n", "\r\n"],
  ["http.bad_line_ending", "HTTP/1.1 200 OK\r\r", "\n\r\n"],
  ["http.bad_line_ending", "HTTP/1.1 200\rx", "\r\n\r\n"],

  ["http.bad_field", "HTTP/1.1 200 OK\r\n ", "a: b\r\n\r\n"],
  ["http.bad_field", "HTTP/1.1 200 OK\r\na ", ": b\r\n\r\n"],
  ["http.bad_field", "HTTP/1.1 200 OK\r\nno ", "colon\r\n\r\n"],
  ["http.bad_value", "HTTP/1.1 200 OK\r\na: b\0", "c\r\n\r\n"],
  ["http.bad_line_ending", "HTTP/1.1 200 OK\r\na: b\n", "\r\n"],
  ["http.bad_line_ending", "HTTP/1.1 200 OK\r\n\n", "\r\n"],
  ["http.bad_obs_fold", "HTTP/1.1 200 OK\r\na: b\r\n ", "c\r\n\r\n"],

  ["http.bad_content_length", ok("Content-Length: 5, 5\r\n"), "hello"],
  ["http.bad_content_length", ok("Content-Length: -1\r\n"), ""],
  ["http.bad_content_length", ok("Content-Length: 9007199254740992\r\n"), ""],
  ["http.multiple_content_length", ok("Content-Length: 5\r\nContent-Length: 5\r\n"), "hello"],
  ["http.bad_transfer_encoding", ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"],
];

/** Frames, another response, and a byte that no head can have. */
const trailers = ["", "\x81\x05hello", "HTTP/1.1 200 OK\r\n\r\n", "\0"];

describe("ResponseParser parses, whole, at every split, byte by byte and with bytes behind", () => {
  for (const [name, head, expected] of heads) {
    it(name, () => {
      for (const trailer of trailers) {
        for (const pieces of splitsOf(bytesOf(head + trailer))) {
          const { given, ...outcome } = parse(pieces);
          assert.deepEqual(outcome, {
            contentLength: undefined,
            gotSome: true,
            headSize: head.length,
            ...expected,
          });
          if (pieces.length === head.length + trailer.length) assert.equal(given, head.length);
        }
      }
    });
  }
});

describe("ResponseParser refuses with the same code however the bytes come, and at the byte that shows it", () => {
  for (const [code, head, rest] of refusals) {
    it(`${code}: ${JSON.stringify(head)}`, () => {
      assert.equal(parse([bytesOf(head)]).code, code);
      assert.equal(parse([bytesOf(head.slice(0, -1))]).code, undefined);
      for (const pieces of splitsOf(bytesOf(head + rest))) {
        const outcome = parse(pieces);
        assert.equal(outcome.code, code);
        assert.equal(outcome.response, undefined);
        assert.equal(outcome.headSize, 0);
        if (pieces.length === head.length + rest.length) assert.equal(outcome.given, head.length);
      }
    });
  }
});

describe("ResponseParser's limits", () => {
  /** A head of exactly this many bytes. */
  const sized = (size: number): string => ok(`a: ${"b".repeat(size - ok("a: \r\n").length)}\r\n`);

  it("headerLimit: as many bytes pass, one more does not; those behind the head never count", () => {
    for (const [size, options] of [
      [64, { headerLimit: 64 }],
      [16_384, {}],
    ] as [number, ResponseParserOptions][]) {
      for (const trailer of ["", "x".repeat(size)]) {
        assert.equal(parse([bytesOf(sized(size) + trailer)], options).headSize, size);
        assert.equal(parse([bytesOf(sized(size + 1) + trailer)], options).code, "http.header_limit");
      }
    }
    for (const pieces of splitsOf(bytesOf(sized(64)))) assert.equal(parse(pieces, { headerLimit: 64 }).headSize, 64);
    for (const pieces of splitsOf(bytesOf(sized(65)))) {
      const { code, given } = parse(pieces, { headerLimit: 64 });
      assert.equal(code, "http.header_limit");
      // Known as soon as the head can't end in time.
      if (pieces.length === 65) assert.equal(given, 64);
    }
  });

  it("headerLimit holds for a reason that does not end", () => {
    assert.equal(parse([bytesOf(`HTTP/1.1 200 ${"x".repeat(20_000)}`)]).code, "http.header_limit");
  });

  it("fieldLimit: as many fields pass, one more does not", () => {
    for (const [limit, options] of [
      [0, { fieldLimit: 0 }],
      [3, { fieldLimit: 3 }],
      [100, {}],
    ] as [number, ResponseParserOptions][]) {
      const head = ok("a:\r\n".repeat(limit));
      const more = ok("a:\r\n".repeat(limit + 1));
      for (const pieces of splitsOf(bytesOf(head))) assert.equal(parse(pieces, options).headSize, head.length);
      for (const pieces of splitsOf(bytesOf(more))) assert.equal(parse(pieces, options).code, "http.field_limit");
    }
  });
});

describe("ResponseParser", () => {
  it("says 0 while more is needed, and then the size of the head", () => {
    const parser = new ResponseParser();
    const bytes = bytesOf(ok("a: b\r\n"));
    assert.equal(parser.put(new Uint8Array(0)), 0);
    assert.equal(parser.gotSome, false);
    assert.equal(parser.put(bytes.subarray(0, 9)), 0);
    assert.equal(parser.isDone, false);
    assert.equal(parser.response, undefined);
    assert.equal(parser.put(bytes), bytes.length);
    assert.equal(parser.isDone, true);
  });

  it("keeps nothing of its bytes", () => {
    const parser = new ResponseParser();
    const bytes = bytesOf(ok("Server: a\r\n"));
    parser.put(bytes);
    bytes.fill(0xdb);
    assert.equal(parser.response?.fields.get("server"), "a");
    assert.equal(parser.response?.reason, "OK");
  });

  it("throws the same error again once it has failed", () => {
    const parser = new ResponseParser();
    const caught = (text: string): unknown => {
      try {
        return parser.put(bytesOf(text));
      } catch (error) {
        return error;
      }
    };
    const error = caught("\0");
    assert.ok(error instanceof Error);
    assert.equal(caught(ok("")), error);
  });

  it("takes one message", () => {
    const parser = new ResponseParser();
    parser.put(bytesOf(ok("")));
    assert.throws(() => parser.put(bytesOf(ok(""))), { code: "http.stale_parser" });
    assert.equal(parser.response?.status, 200);
  });

  it("does not get slower by looking at bytes again: what it has passed may change", () => {
    const parser = new ResponseParser();
    const bytes = bytesOf(ok("a: b\r\n"));
    for (let at = 1; at < bytes.length; at++) parser.put(bytes.slice(0, at).fill(0, 0, at - 1));
    assert.equal(parser.put(bytes), bytes.length);
    assert.deepEqual(parser.response?.fields.raw, ["a", "b"]);
  });
});

describe("ResponseParser, on anything", () => {
  /** Text that is nearly a head: pieces of one, and junk. */
  const nearly = fc
    .array(
      fc.oneof(
        fc.constantFrom("HTTP/1.1", "HTTP/1.0", " ", "200", "101", "OK", "\r\n", "\r", "\n", "a: b\r\n", "\t", "\0"),
        fc.constantFrom("HTTP/1.1 200 OK\r\n", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "\r\n\r\n"),
        fc.string({ unit: "binary-ascii", maxLength: 4 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => bytesOf(parts.join("")));

  it("gives the same answer for every split", () => {
    fc.assert(
      fc.property(
        fc.oneof(nearly, fc.uint8Array({ maxLength: 64 })),
        fc.array(fc.nat(80), { maxLength: 6 }),
        fc.record({ headerLimit: fc.integer({ min: 1, max: 90 }), fieldLimit: fc.nat(3) }),
        (bytes, cuts, options) => {
          const at = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
          const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          const { given: _, ...whole } = parse([bytes], options);
          const { given: __, ...split } = parse(pieces, options);
          const single = parse(
            Array.from(bytes, (byte) => Uint8Array.of(byte)),
            options,
          );
          const { given, ...rest } = single;
          assert.deepEqual(split, { ...whole, gotSome: split.gotSome });
          assert.deepEqual(rest, { ...whole, gotSome: single.gotSome });
          // And for whatever follows.
          if (whole.code !== undefined) assert.equal(parse([bytes.subarray(0, given)], options).code, whole.code);
          else if (whole.headSize > 0) assert.equal(given, whole.headSize);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("gets back every response that is written down", () => {
    const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
    const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
    const line = fc.tuple(
      token.filter((name) => !/^(content-length|transfer-encoding)$/i.test(name)),
      value,
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,30}$/),
        fc.constantFrom(10, 11),
        fc.array(line, { maxLength: 8 }),
        (status, reason, version, fields) => {
          const head = fields.map(([name, text]) => `${name}: ${text}\r\n`).join("");
          const bytes = bytesOf(`HTTP/1.${version - 10} ${status} ${reason}\r\n${head}\r\n`);
          const { response, headSize } = parse([bytes]);
          assert.deepEqual(response, { status, reason, version, fields: fields.flat() });
          assert.equal(headSize, bytes.length);
        },
      ),
    );
  });
});
