import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { RequestParser, type RequestParserOptions } from "../../src/http/index.ts";
import { bytesOf, chrome, parse, splitsOf, type Outcome } from "./samples.ts";

type Parsed = Partial<Omit<Outcome, "given" | "headSize" | "gotSome">>;

const get = (fields: string): string => `GET / HTTP/1.1\r\n${fields}\r\n`;
const parsed = (fields: string[], more: Parsed = {}): Parsed => ({
  request: { method: "GET", target: "/", version: 11, fields },
  ...more,
});

/** Heads, and what is to become of them. */
const heads: [name: string, head: string, parsed: Parsed][] = [
  ["no fields", get(""), parsed([])],
  ["HTTP/1.0", "HEAD /a HTTP/1.0\r\n\r\n", { request: { method: "HEAD", target: "/a", version: 10, fields: [] } }],
  [
    "any token as a method",
    "m-Search~1 * HTTP/1.1\r\n\r\n",
    { request: { method: "m-Search~1", target: "*", version: 11, fields: [] } },
  ],
  [
    "any visible characters as a target",
    'GET /?"<>[]{}|\\^`#% HTTP/1.1\r\n\r\n',
    { request: { method: "GET", target: '/?"<>[]{}|\\^`#%', version: 11, fields: [] } },
  ],
  ["an empty line first", `\r\n${get("a: b\r\n")}`, parsed(["a", "b"])],
  ["space around values", get("a: \t b \t\r\nb:c\r\n"), parsed(["a", "b", "b", "c"])],
  ["empty values", get("a:\r\nb: \t \r\nc:\r\n"), parsed(["a", "", "b", "", "c", ""])],
  ["values with colons, space and tabs", get("a: b: c\td :\r\n"), parsed(["a", "b: c\td :"])],
  ["bytes above 0x7f in values", get("a: \x80\xe9\xff\r\n"), parsed(["a", "\x80\xe9\xff"])],
  ["repeats, in order, case kept", get("A: 1\r\nb: 2\r\na: 3\r\n"), parsed(["A", "1", "b", "2", "a", "3"])],
  [
    "Content-Length",
    get("content-length: 5\r\n"),
    parsed(["content-length", "5"], { contentLength: 5, hasBody: true }),
  ],
  ["Content-Length: 0", get("Content-Length: 0\r\n"), parsed(["Content-Length", "0"], { contentLength: 0 })],
  [
    "Transfer-Encoding",
    get("Transfer-Encoding: chunked\r\n"),
    parsed(["Transfer-Encoding", "chunked"], { hasBody: true }),
  ],
  ["an empty Transfer-Encoding", get("transfer-encoding:\r\n"), parsed(["transfer-encoding", ""], { hasBody: true })],
];

/** Heads that are refused: the code, and the part up to and with the byte at which that is known. */
const refusals: [code: string, head: string, rest: string][] = [
  // A TLS ClientHello, and other things that are no HTTP.
  ["http.bad_method", "\x16", "\x03\x01\x02\0\x01\0\x01\xfc"],
  ["http.bad_method", "\0", ""],
  ["http.bad_method", "SSH-2.0-OpenSSH_9.2\r", "\n"],
  ["http.bad_method", "{", '"a":1}'],
  ["http.bad_method", "\n", "GET / HTTP/1.1\r\n\r\n"],
  ["http.bad_method", " ", "GET / HTTP/1.1\r\n\r\n"],
  ["http.bad_method", "\r\n\r", "\nGET / HTTP/1.1\r\n\r\n"],
  ["http.bad_method", "\r\n ", "/ HTTP/1.1\r\n\r\n"],
  ["http.bad_method", "G(", "ET / HTTP/1.1\r\n\r\n"],
  ["http.bad_method", "GET\t", "/ HTTP/1.1\r\n\r\n"],
  ["http.bad_method", "G\xc9", "T / HTTP/1.1\r\n\r\n"],
  ["http.bad_line_ending", "\rG", "ET / HTTP/1.1\r\n\r\n"],

  ["http.bad_target", "GET  ", "/ HTTP/1.1\r\n\r\n"],
  ["http.bad_target", "GET \r", "\n\r\n"],
  ["http.bad_target", "GET /\r", "\n\r\n"],
  ["http.bad_target", "GET /\n", "\n"],
  ["http.bad_target", "GET /a\t", "HTTP/1.1\r\n\r\n"],
  ["http.bad_target", "GET /\xe9", " HTTP/1.1\r\n\r\n"],
  ["http.bad_target", "GET /\x7f", " HTTP/1.1\r\n\r\n"],
  ["http.bad_target", "GET /\0", " HTTP/1.1\r\n\r\n"],

  ["http.bad_version", "GET /  ", "HTTP/1.1\r\n\r\n"],
  ["http.bad_version", "GET / \r", "\n\r\n"],
  ["http.bad_version", "GET / h", "ttp/1.1\r\n\r\n"],
  ["http.bad_version", "GET / HTTPS", "/1.1\r\n\r\n"],
  ["http.bad_version", "PRI * HTTP/2", ".0\r\n\r\nSM\r\n\r\n"],
  ["http.bad_version", "GET / HTTP/0", ".9\r\n\r\n"],
  ["http.bad_version", "GET / HTTP/1.2", "\r\n\r\n"],
  ["http.bad_version", "GET / HTTP/1.10", "\r\n\r\n"],
  ["http.bad_version", "GET / HTTP/1,", "1\r\n\r\n"],
  ["http.bad_version", "GET / HTTP/1\r", "\n\r\n"],
  ["http.bad_version", "GET / HTTP/1.1 ", "\r\n\r\n"],
  ["http.bad_version", "GET /a b", " HTTP/1.1\r\n\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\n", "\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\r", "\n\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\rH", "ost: a\r\n\r\n"],

  ["http.bad_field", "GET / HTTP/1.1\r\n:", " a\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\n ", "a: b\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\n\t", "a: b\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\na ", ": b\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\na\t", ": b\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\na\r", "\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\na\n", "\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\na(", "): b\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\n\xe9", ": b\r\n\r\n"],
  ["http.bad_field", "GET / HTTP/1.1\r\na: b\r\n\0", "\r\n\r\n"],

  ["http.bad_value", "GET / HTTP/1.1\r\na: b\0", "c\r\n\r\n"],
  ["http.bad_value", "GET / HTTP/1.1\r\na: \x1b", "[0m\r\n\r\n"],
  ["http.bad_value", "GET / HTTP/1.1\r\na: b\x7f", "\r\n\r\n"],
  ["http.bad_value", "GET / HTTP/1.1\r\na:\x0b", "b\r\n\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\na: b\n", "\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\na: b\rc", "\r\n\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\na:\n", "\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\n\n", "\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\na: b\r\n\n", "\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\n\rX", "\r\n"],

  ["http.bad_obs_fold", "GET / HTTP/1.1\r\na: b\r\n ", "c\r\n\r\n"],
  ["http.bad_obs_fold", "GET / HTTP/1.1\r\na: b\r\n\t", "c\r\n\r\n"],
  ["http.bad_obs_fold", "GET / HTTP/1.1\r\na:\r\n ", "\r\n\r\n"],

  ["http.bad_content_length", get("Content-Length: 5, 5\r\n"), "hello"],
  ["http.bad_content_length", get("Content-Length: -1\r\n"), ""],
  ["http.bad_content_length", get("Content-Length:\r\n"), ""],
  ["http.multiple_content_length", get("Content-Length: 5\r\nContent-Length: 5\r\n"), "hello"],
  ["http.multiple_content_length", get("Content-Length: 5\r\ncontent-length: 6\r\n"), "hello"],
  ["http.bad_transfer_encoding", get("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"],
  ["http.bad_transfer_encoding", get("Transfer-Encoding: x\r\nContent-Length: 0\r\n"), ""],
];

/** Frames, another request, and a byte that no head can have. */
const trailers = ["", "\x81\x85\x01\x02\x03\x04abcde", "GET /second HTTP/1.1\r\n\r\n", "\0"];

describe("RequestParser parses, whole, at every split, byte by byte and with bytes behind", () => {
  for (const [name, head, expected] of heads) {
    it(name, () => {
      for (const trailer of trailers) {
        for (const pieces of splitsOf(bytesOf(head + trailer))) {
          const { given, ...outcome } = parse(pieces);
          assert.deepEqual(outcome, {
            contentLength: undefined,
            hasBody: false,
            gotSome: true,
            headSize: head.length,
            ...expected,
          });
          if (pieces.length === head.length + trailer.length) assert.equal(given, head.length);
        }
      }
    });
  }

  it("a request as Chrome sends it", () => {
    const lines = chrome.trimEnd().split("\r\n").slice(1);
    for (const pieces of splitsOf(bytesOf(chrome))) {
      const { request } = parse(pieces);
      assert.equal(request?.target, "/chat?room=1");
      assert.deepEqual(
        request.fields,
        lines.flatMap((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
    }
  });
});

describe("RequestParser refuses with the same code however the bytes come, and at the byte that shows it", () => {
  for (const [code, head, rest] of refusals) {
    it(`${code}: ${JSON.stringify(head)}`, () => {
      assert.equal(parse([bytesOf(head)]).code, code);
      assert.equal(parse([bytesOf(head.slice(0, -1))]).code, undefined);
      for (const pieces of splitsOf(bytesOf(head + rest))) {
        const outcome = parse(pieces);
        assert.equal(outcome.code, code);
        assert.equal(outcome.request, undefined);
        assert.equal(outcome.headSize, 0);
        if (pieces.length === head.length + rest.length) assert.equal(outcome.given, head.length);
      }
    });
  }
});

describe("RequestParser's limits", () => {
  /** A head of exactly this many bytes. */
  const sized = (size: number): string => get(`a: ${"b".repeat(size - get("a: \r\n").length)}\r\n`);

  it("headerLimit: as many bytes pass, one more does not; those behind the head never count", () => {
    for (const [size, options] of [
      [64, { headerLimit: 64 }],
      [16_384, {}],
    ] as [number, RequestParserOptions][]) {
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

  it("headerLimit: an empty line before the request counts", () => {
    assert.equal(parse([bytesOf(`\r\n${get("")}`)], { headerLimit: get("").length + 2 }).code, undefined);
    assert.equal(parse([bytesOf(`\r\n${get("")}`)], { headerLimit: get("").length + 1 }).code, "http.header_limit");
  });

  it("headerLimit: what is wrong within it comes first, what is wrong behind it never", () => {
    const head = `${get("").slice(0, -2)}\0`;
    assert.equal(parse([bytesOf(head)], { headerLimit: head.length }).code, "http.bad_field");
    assert.equal(parse([bytesOf(head)], { headerLimit: head.length - 1 }).code, "http.header_limit");
  });

  it("headerLimit can be without end", () => {
    assert.equal(parse([bytesOf(sized(100_000))], { headerLimit: Infinity }).headSize, 100_000);
  });

  it("fieldLimit: as many fields pass, one more does not", () => {
    for (const [limit, options] of [
      [0, { fieldLimit: 0 }],
      [3, { fieldLimit: 3 }],
      [100, {}],
    ] as [number, RequestParserOptions][]) {
      const head = get("a:\r\n".repeat(limit));
      const more = get("a:\r\n".repeat(limit + 1));
      for (const pieces of splitsOf(bytesOf(head))) assert.equal(parse(pieces, options).headSize, head.length);
      for (const pieces of splitsOf(bytesOf(more))) assert.equal(parse(pieces, options).code, "http.field_limit");
    }
  });
});

describe("RequestParser", () => {
  it("says 0 while more is needed, and then the size of the head", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(get("a: b\r\n"));
    assert.equal(parser.put(new Uint8Array(0)), 0);
    assert.equal(parser.put(bytes.subarray(0, 9)), 0);
    assert.equal(parser.isDone, false);
    assert.equal(parser.request, undefined);
    assert.equal(parser.hasBody, false);
    assert.equal(parser.put(bytes.subarray(0, 9)), 0);
    assert.equal(parser.put(bytes), bytes.length);
    assert.equal(parser.isDone, true);
  });

  it("keeps nothing of its bytes", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(chrome);
    parser.put(bytes);
    bytes.fill(0xdb);
    assert.equal(parser.request?.fields.get("host"), "localhost:8080");
  });

  it("throws the same error again once it has failed", () => {
    const parser = new RequestParser();
    const caught = (text: string): unknown => {
      try {
        return parser.put(bytesOf(text));
      } catch (error) {
        return error;
      }
    };
    const error = caught("\0");
    assert.ok(error instanceof Error);
    assert.equal(caught(get("")), error);
  });

  it("takes one message", () => {
    const parser = new RequestParser();
    parser.put(bytesOf(get("")));
    assert.throws(() => parser.put(bytesOf(get(""))), { code: "http.stale_parser" });
    assert.equal(parser.request?.method, "GET");
  });

  it("does not get slower by looking at bytes again: what it has passed may change", () => {
    const parser = new RequestParser();
    const bytes = bytesOf(get("a: b\r\n"));
    for (let at = 1; at < bytes.length; at++) {
      parser.put(bytes.slice(0, at).fill(0, 0, at - 1));
    }
    assert.equal(parser.put(bytes), bytes.length);
    assert.deepEqual(parser.request?.fields.raw, ["a", "b"]);
  });
});

describe("RequestParser, on anything", () => {
  /** Text that is nearly a head: pieces of one, and junk. */
  const nearly = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          "GET ",
          "/ ",
          "/",
          " ",
          "HTTP/1.1",
          "HTTP/1.0",
          "\r\n",
          "\r",
          "\n",
          ":",
          "a: b\r\n",
          "\t",
          "\0",
        ),
        fc.constantFrom("GET / HTTP/1.1\r\n", "Content-Length: 1\r\n", "Transfer-Encoding: chunked\r\n", "\r\n\r\n"),
        fc.string({ unit: "binary-ascii", maxLength: 4 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => bytesOf(parts.join("")));
  const anything = fc.oneof(nearly, fc.uint8Array({ maxLength: 64 }));

  it("gives the same answer for every split", () => {
    fc.assert(
      fc.property(
        anything,
        fc.array(fc.nat(80), { maxLength: 6 }),
        fc.record({ headerLimit: fc.integer({ min: 1, max: 90 }), fieldLimit: fc.nat(3) }),
        (bytes, cuts, options) => {
          const at = [0, ...cuts.filter((cut) => cut < bytes.length).toSorted((a, b) => a - b), bytes.length];
          const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          const { given: _, ...whole } = parse([bytes], options);
          const { given: __, ...split } = parse(pieces, options);
          const { given, ...single } = parse(
            Array.from(bytes, (byte) => Uint8Array.of(byte)),
            options,
          );
          assert.deepEqual(split, { ...whole, gotSome: split.gotSome });
          assert.deepEqual(single, { ...whole, gotSome: single.gotSome });
          // And for whatever follows.
          if (whole.code !== undefined) assert.equal(parse([bytes.subarray(0, given)], options).code, whole.code);
          else if (whole.headSize > 0) assert.equal(given, whole.headSize);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("gets back every request that is written down", () => {
    const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
    const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
    const space = fc.stringMatching(/^[ \t]{0,3}$/);
    const line = fc.tuple(
      token.filter((name) => !/^(content-length|transfer-encoding)$/i.test(name)),
      value,
      space,
      space,
    );
    fc.assert(
      fc.property(
        token,
        fc.stringMatching(/^[\x21-\x7e]{1,30}$/),
        fc.constantFrom(10, 11),
        fc.array(line, { maxLength: 8 }),
        (method, target, version, lines) => {
          const head = lines.map(([name, text, before, after]) => `${name}:${before}${text}${after}\r\n`).join("");
          const bytes = bytesOf(`${method} ${target} HTTP/1.${version - 10}\r\n${head}\r\n`);
          const { request, headSize } = parse([bytes]);
          const fields = lines.flatMap(([name, text]) => [name, text]);
          assert.deepEqual(request, { method, target, version, fields });
          assert.equal(headSize, bytes.length);
        },
      ),
    );
  });
});
