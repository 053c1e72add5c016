import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { FinalResponseParser, type FinalResponseParserOptions, type Response } from "../../../src/http/index.ts";
import { everySplit } from "../../../src/testing/index.ts";
import { bytesOf, piecesOf } from "../support/samples.ts";
import { fc, runs } from "../../support/property.ts";

/** What a parser made of its bytes, in a form to compare. */
interface Outcome {
  /** The code it failed with; else whether it is done. */
  end: string | boolean;
  response: string | undefined;
  /** How many bytes were used up. */
  used: number;
}

const described = (response: Response | undefined): string | undefined =>
  response && `${response.version} ${response.status} ${response.reason}: ${decodeLatin1(response.body)}`;

/** Feeds a new parser piece by piece, until it is done or fails; then, if that is asked for, ends the stream. */
function parse(pieces: readonly Uint8Array[], options?: FinalResponseParserOptions, ends = false): Outcome {
  const parser = new FinalResponseParser(options);
  let rest = new Uint8Array(0);
  let used = 0;
  let code: string | undefined;
  try {
    for (const piece of pieces) {
      // In memory of their own, which is gone behind the call.
      const bytes = Uint8Array.from([...rest, ...piece]);
      const count = parser.put(bytes);
      used += count;
      rest = bytes.slice(count);
      bytes.fill(0xdb);
      if (parser.isDone) break;
    }
    if (ends && !parser.isDone) parser.end();
  } catch (error) {
    if (!(error instanceof ServalError)) throw error;
    code = error.code;
  }
  return { end: code ?? parser.isDone, response: described(parser.response), used };
}

const ok = (headers: string, body = ""): string => `HTTP/1.1 200 OK\r\n${headers}\r\n${body}`;
const interim = "HTTP/1.1 100 Continue\r\n\r\n";
const chunked = "Transfer-Encoding: chunked\r\n";
const hello = "5\r\nhello\r\n0\r\n\r\n";

interface Case {
  name: string;
  bytes: string;
  response: string;
  options?: FinalResponseParserOptions;
  /** Whether it takes the end of the stream. */
  ends?: boolean;
}

const answers: Case[] = [
  { name: "Content-Length", bytes: ok("Content-Length: 5\r\n", "hello"), response: "11 200 OK: hello" },
  { name: "Content-Length: 0", bytes: ok("Content-Length: 0\r\n"), response: "11 200 OK: " },
  { name: "chunked", bytes: ok(chunked, hello), response: "11 200 OK: hello" },
  { name: "Chunked", bytes: ok("transfer-encoding: Chunked\r\n", "0\r\n\r\n"), response: "11 200 OK: " },
  {
    name: "chunked, with extensions and a trailer",
    bytes: ok(chunked, "1;a=b\r\nh\r\n4\r\nello\r\n0\r\nC: d\r\n\r\n"),
    response: "11 200 OK: hello",
  },
  { name: "up to the end", bytes: ok("", "hello"), response: "11 200 OK: hello", ends: true },
  { name: "nothing up to the end", bytes: ok(""), response: "11 200 OK: ", ends: true },
  { name: "HTTP/1.0 up to the end", bytes: "HTTP/1.0 403 No\r\n\r\nno", response: "10 403 No: no", ends: true },
  {
    name: "101, whatever it says of a body",
    bytes: "HTTP/1.1 101 S\r\nContent-Length: 5\r\n\r\n",
    response: "11 101 S: ",
  },
  { name: "101, which can't be chunked", bytes: `HTTP/1.1 101 S\r\n${chunked}\r\n`, response: "11 101 S: " },
  { name: "204", bytes: "HTTP/1.1 204 \r\n\r\n", response: "11 204 : " },
  { name: "304", bytes: "HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n", response: "11 304 : " },
  { name: "HEAD", bytes: ok("Content-Length: 5\r\n"), response: "11 200 OK: ", options: { method: "HEAD" } },
  { name: "CONNECT that is let through", bytes: ok(""), response: "11 200 OK: ", options: { method: "CONNECT" } },
  {
    name: "CONNECT that is refused",
    bytes: "HTTP/1.1 407 No\r\nContent-Length: 2\r\n\r\nno",
    response: "11 407 No: no",
    options: { method: "CONNECT" },
  },
  { name: "one interim response", bytes: interim + ok(chunked, hello), response: "11 200 OK: hello" },
  {
    name: "interim responses of several kinds",
    bytes: `${interim}HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 199\r\n\r\n${ok("Content-Length: 1\r\n", "a")}`,
    response: "11 200 OK: a",
  },
  { name: "eight interim responses", bytes: interim.repeat(8) + ok("Content-Length: 0\r\n"), response: "11 200 OK: " },
  {
    name: "a body of the limit, by Content-Length",
    bytes: ok("Content-Length: 5\r\n", "hello"),
    response: "11 200 OK: hello",
    options: { maxBodySize: 5 },
  },
  {
    name: "a larger body, by Content-Length",
    bytes: ok("Content-Length: 500\r\n", "hello"),
    response: "11 200 OK: hello",
    options: { maxBodySize: 5 },
  },
  {
    name: "a larger body, chunked",
    bytes: ok(chunked, "2\r\nhe\r\n9\r\nllo"),
    response: "11 200 OK: hello",
    options: { maxBodySize: 5 },
  },
  {
    name: "a larger body, up to the end",
    bytes: ok("", "hello"),
    response: "11 200 OK: hello",
    options: { maxBodySize: 5 },
  },
  { name: "no body, by the limit", bytes: ok(chunked), response: "11 200 OK: ", options: { maxBodySize: 0 } },
];

/** What fails: the code, and the response as far as it is known. */
const failures: [code: string, bytes: string, response?: string | undefined, options?: FinalResponseParserOptions][] = [
  ["http.bad_start_line", "\x15\x03\x01"],
  ["http.bad_start_line", `${interim}\r\n${ok("")}`],
  ["http.multiple_content_length", ok("Content-Length: 5\r\nContent-Length: 5\r\n")],
  ["http.bad_transfer_encoding", ok(`${chunked}Content-Length: 5\r\n`)],
  ["http.unknown_transfer_coding", ok("Transfer-Encoding: gzip, chunked\r\n"), "11 200 OK: "],
  ["http.bad_transfer_encoding", ok("Transfer-Encoding: identity\r\n"), "11 200 OK: "],
  ["http.bad_transfer_encoding", ok("Transfer-Encoding:\r\n"), "11 200 OK: "],
  ["http.bad_transfer_encoding", ok(chunked + chunked), "11 200 OK: "],
  ["http.bad_transfer_encoding", `HTTP/1.0 200 OK\r\n${chunked}\r\n`, "10 200 OK: "],
  ["http.bad_chunk", ok(chunked, "5\r\nhello0"), "11 200 OK: hello"],
  ["http.bad_chunk", ok(chunked, "hello"), "11 200 OK: "],
  ["http.interim_limit", interim.repeat(9)],
  ["http.header_limit", interim + ok(`a: ${"b".repeat(100)}\r\n`), undefined, { maxHeaderSize: 100 }],
  ["http.header_limit", ok(chunked, `0\r\na: ${"b".repeat(100)}`), "11 200 OK: ", { maxHeaderSize: 100 }],
  ["http.field_limit", ok("a:\r\nb:\r\n"), undefined, { maxHeadersCount: 1 }],
];

describe("FinalResponseParser parses, whole, at every split, byte by byte and with bytes after the response", () => {
  for (const { name, bytes, response, options, ends = false } of answers) {
    it(name, () => {
      for (const trailers of ends ? [""] : ["", "\x81\x05hello", "HTTP/1.1 200 OK\r\n\r\n", "\0"]) {
        everySplit(bytesOf(bytes + trailers), (pieces) => {
          const outcome = parse(pieces, options, ends);
          assert.deepEqual(outcome, { end: true, response, used: bytes.length });
        });
      }
    });

    it(`${name}: done at its last byte, not before`, () => {
      for (let size = 0; size < bytes.length; size++) {
        const start = [bytesOf(bytes.slice(0, size))];
        assert.equal(parse(start, options).end, false);
        const cut = name.includes("up to the end") && bytes.slice(0, size).includes("\r\n\r\n");
        const expected = size === 0 ? "http.end_of_stream" : cut || "http.partial_message";
        assert.equal(parse(start, options, true).end, expected, `${size}`);
      }
    });
  }
});

describe("FinalResponseParser fails with the same code at every split, and keeps the response so far", () => {
  for (const [code, bytes, response, options] of failures) {
    it(`${code}: ${JSON.stringify(bytes.slice(0, 80))}`, () => {
      everySplit(bytesOf(bytes), (pieces) => {
        const outcome = parse(pieces, options);
        assert.deepEqual([outcome.end, outcome.response], [code, response]);
      });
    });
  }
});

describe("FinalResponseParser", () => {
  it("shows the final response as it grows", () => {
    const parser = new FinalResponseParser();
    parser.put(bytesOf(interim));
    assert.equal(described(parser.response), undefined);
    parser.put(bytesOf(ok("Content-Length: 5\r\n", "he")));
    const early = parser.response;
    assert.equal(described(early), "11 200 OK: he");
    parser.put(bytesOf("llo"));
    assert.equal(described(parser.response), "11 200 OK: hello");
    assert.equal(described(early), "11 200 OK: he");
    assert.equal(parser.response?.headers.get("content-length"), "5");
  });

  it("shows that the connection can't be kept after a body that ends with it, or a 101", () => {
    for (const [bytes, keepAlive] of [
      [ok("", "hello"), false],
      ["HTTP/1.1 101 Switching Protocols\r\n\r\n", false],
      [ok("Content-Length: 5\r\n", "hello"), true],
    ] as const) {
      const parser = new FinalResponseParser();
      parser.put(bytesOf(bytes));
      assert.equal(parser.response!.keepAlive, keepAlive, bytes);
    }
  });

  it("parses one final response, and fails once", () => {
    const done = new FinalResponseParser();
    done.put(bytesOf(ok("Content-Length: 0\r\n")));
    assert.throws(() => done.put(bytesOf(ok(""))), { code: "http.stale_parser" });
    done.end();
    const failed = new FinalResponseParser();
    const caught = (act: () => unknown): unknown => {
      try {
        return act();
      } catch (error) {
        return error;
      }
    };
    const error = caught(() => failed.put(bytesOf("\0")));
    assert.ok(error instanceof ServalError);
    assert.equal(
      caught(() => failed.put(bytesOf(ok("")))),
      error,
    );
    assert.equal(
      caught(() => failed.end()),
      error,
    );
    const interimly = new FinalResponseParser();
    const tooMany = caught(() => interimly.put(bytesOf(interim.repeat(9))));
    assert.ok(tooMany instanceof ServalError);
    assert.equal(
      caught(() => interimly.end()),
      tooMany,
    );
    const ended = new FinalResponseParser();
    const partial = caught(() => ended.end());
    assert.equal(
      caught(() => ended.put(bytesOf(ok("")))),
      partial,
    );
  });

  it("holds no more of a body than has arrived, and than the limit", () => {
    const parser = new FinalResponseParser({ maxBodySize: 1000 });
    parser.put(bytesOf(ok("Content-Length: 9007199254740991\r\n", "x")));
    assert.equal(parser.response?.body.buffer.byteLength, 1);
    assert.equal(parser.put(new Uint8Array(5000)), 999);
    assert.equal(parser.response?.body.length, 1000);
  });

  it("reads 65,536 bytes of a body by default", () => {
    for (const [options, size] of [
      [{}, 65_536],
      [{ maxBodySize: Infinity }, 100_000],
    ] as [FinalResponseParserOptions, number][]) {
      const parser = new FinalResponseParser(options);
      parser.put(bytesOf(ok("Content-Length: 100000\r\n")));
      parser.put(new Uint8Array(200_000));
      assert.equal(parser.response?.body.length, size);
    }
  });
});

describe("FinalResponseParser, in two steps", () => {
  it("reads the head with a limit of 0, then as much of the body as a larger limit says", () => {
    const bytes = bytesOf(ok("Content-Length: 10\r\n", "0123456789"));
    for (const [limit, body, isCut] of [
      [4, "0123", true],
      [10, "0123456789", false],
      [Infinity, "0123456789", false],
    ] as const) {
      const parser = new FinalResponseParser({ maxBodySize: 0 });
      const head = parser.put(bytes);
      assert.deepEqual([parser.isDone, parser.isCut, parser.response?.body.length], [true, true, 0]);
      parser.maxBodySize = limit;
      assert.equal(parser.isDone, false);
      assert.equal(parser.put(bytes.subarray(head)), body.length);
      assert.deepEqual([parser.isDone, parser.isCut], [true, isCut]);
      assert.equal(Buffer.from(parser.response!.body).toString(), body);
    }
  });

  it("is done with the head of a response that has no body", () => {
    for (const head of ["HTTP/1.1 101 S\r\n\r\n", ok("Content-Length: 0\r\n")]) {
      const parser = new FinalResponseParser({ maxBodySize: 0 });
      parser.put(bytesOf(head));
      parser.maxBodySize = 100;
      assert.deepEqual([parser.isDone, parser.isCut], [true, false]);
    }
  });

  it("says that a body is cut when it failed or has not come whole, and not before there is a head", () => {
    const parser = new FinalResponseParser();
    assert.equal(parser.isCut, false);
    parser.put(bytesOf(ok(chunked, "5\r\nhello")));
    assert.deepEqual([parser.isDone, parser.isCut], [false, true]);
    assert.throws(() => parser.end(), { code: "http.partial_message" });
    assert.equal(parser.isCut, true);
  });
});

describe("FinalResponseParser, on any input", () => {
  const nearly = fc
    .array(
      fc.oneof(
        fc.constantFrom(interim, ok(""), ok(chunked), ok("Content-Length: 5\r\n"), "HTTP/1.1 101 S\r\n\r\n", hello),
        fc.constantFrom("0\r\n\r\n", "5\r\nhello\r\n", "\r\n", "hello", "\0", "a: b\r\n"),
        fc.string({ unit: "binary-ascii", maxLength: 4 }),
      ),
      { maxLength: 12 },
    )
    .map((parts) => bytesOf(parts.join("")));

  it("has the same result at every split", () => {
    fc.assert(
      fc.property(
        nearly,
        fc.array(fc.nat(120), { maxLength: 6 }),
        fc.record({
          maxHeaderSize: fc.integer({ min: 1, max: 90 }),
          maxBodySize: fc.nat(12),
          method: fc.constantFrom("GET", "HEAD", "CONNECT"),
        }),
        fc.boolean(),
        (bytes, cuts, options, ends) => {
          const pieces = piecesOf(bytes, cuts);
          const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
          const { used, ...whole } = parse([bytes], options, ends);
          for (const split of [pieces, single]) {
            const { used: other, ...outcome } = parse(split, options, ends);
            assert.deepEqual(outcome, whole);
            if (whole.end === true) assert.equal(other, used);
          }
        },
      ),
      { numRuns: runs(2000) },
    );
  });
});
