// What both parsers do alike; what their start lines and framings have of their own is in the tests of each.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import type { ResponseParserOptions } from "../../../src/http/index.ts";
import { feed, parses, refuses, requests, responses, type AnyParser } from "../support/feed.ts";
import { chunked, length, messages, refusals } from "../support/message-cases.ts";
import { bytesOf, piecesOf } from "../support/samples.ts";
import { fc, runs } from "../../support/property.ts";

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);

/** Start lines of a role: as they are written in HTTP/1.x, and what is to become of them. */
type StartLines = fc.Arbitrary<{ write: (minor: number) => string; line: string }>;
const requestLines: StartLines = fc.tuple(token, fc.stringMatching(/^[\x21-\x7e]{1,30}$/)).map(([method, target]) => ({
  write: (minor) => `${method} ${target} HTTP/1.${minor}\r\n`,
  line: `${method} ${target}`,
}));
const statusLines: StartLines = fc
  .tuple(fc.integer({ min: 100, max: 999 }), fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,30}$/))
  .map(([status, reason]) => ({
    write: (minor) => `HTTP/1.${minor} ${status} ${reason}\r\n`,
    line: `${status} ${reason}`,
  }));

for (const [role, startLines] of [
  [requests, requestLines],
  [responses, statusLines],
] as const) {
  const { name, start, make } = role;
  const message = (rest: string): Uint8Array => bytesOf(start + rest);
  const wholeOf = (rest: string, options?: ResponseParserOptions): AnyParser => {
    const parser = make({ eager: true, ...options });
    parser.put(message(rest));
    return parser;
  };

  describe(`${name} parses, whole, at every split, byte by byte, eager or not, with bytes after the message`, () => {
    for (const { name, rest, ...sample } of messages) it(name, () => parses(role, { ...sample, text: start + rest }));
  });

  describe(`${name} refuses with the same code at every split, at the first wrong byte`, () => {
    for (const [code, text, rest, options] of refusals) {
      it(`${code}: ${JSON.stringify(text)}`, () => refuses(role, [code, start + text, rest, options ?? {}]));
    }
  });

  describe(`${name}'s limits`, () => {
    const sized = (size: number): string => `a: ${"b".repeat(size - start.length - 7)}\r\n\r\n`;

    it("maxHeaderSize: as many bytes pass, one more does not; bytes after the head never count", () => {
      for (const [size, options] of [
        [64, { maxHeaderSize: 64 }],
        [16_384, {}],
        [100_000, { maxHeaderSize: Infinity }],
      ] as const) {
        for (const extra of ["", "x".repeat(size)]) {
          const parser = make(options);
          assert.equal(parser.put(message(sized(size) + extra)), size);
          assert.equal(parser.isHeaderDone, true);
          if (size === 100_000) continue;
          assert.throws(() => make(options).put(message(sized(size + 1) + extra)), { code: "http.header_limit" });
        }
      }
      // Known as soon as the head can't end in time.
      refuses(role, ["http.header_limit", (start + sized(65)).slice(0, 64), "\n", { maxHeaderSize: 64 }]);
    });

    it("maxHeaderSize: an error within the limit comes first, one beyond it never", () => {
      const head = message("\0");
      assert.throws(() => make({ maxHeaderSize: head.length }).put(head), { code: "http.bad_field" });
      assert.throws(() => make({ maxHeaderSize: head.length - 1 }).put(head), { code: "http.header_limit" });
    });

    it("maxHeadersCount: as many fields pass, one more does not", () => {
      for (const [limit, options] of [
        [0, { maxHeadersCount: 0 }],
        [3, { maxHeadersCount: 3 }],
        [100, {}],
      ] as const) {
        const parser = make(options);
        parser.put(message(`${"a:\r\n".repeat(limit)}\r\n`));
        assert.equal(parser.message?.headers.size, limit);
        assert.throws(() => make(options).put(message(`${"a:\r\n".repeat(limit + 1)}\r\n`)), {
          code: "http.field_limit",
        });
      }
    });

    it("maxBodySize: by default 1 MiB of a request and 8 MiB of a response; Infinity for none", () => {
      const most = role === requests ? 2 ** 20 : 2 ** 23;
      assert.equal(wholeOf(`Content-Length: ${most}\r\n\r\n`).contentLengthRemaining, most);
      assert.throws(() => wholeOf(`Content-Length: ${most + 1}\r\n\r\n`), { code: "http.body_limit" });
      const endless = wholeOf(`Content-Length: 9007199254740991\r\n\r\n`, { maxBodySize: Infinity });
      assert.equal(endless.contentLengthRemaining, Number.MAX_SAFE_INTEGER);
    });

    it("maxBodySize may be changed after the head", () => {
      const parser = make({ maxBodySize: 1 });
      parser.put(message(length("hello") + "\r\n"));
      parser.maxBodySize = 5;
      assert.equal(parser.put(bytesOf("hello")), 5);
      const strict = make();
      strict.put(message(length("hello") + "\r\n"));
      strict.maxBodySize = 4;
      assert.throws(() => strict.put(bytesOf("h")), { code: "http.body_limit" });
    });

    it("maxChunkExtensionSize: 4,096 bytes, and one more for each byte of data", () => {
      const extension = `;${"a".repeat(4095)}`;
      const text = `${chunked}\r\n1000${extension}\r\n${"d".repeat(4096)}\r\n1${extension}\r\nd\r\n`;
      assert.equal(wholeOf(`${text}0\r\n\r\n`).isDone, true);
      assert.throws(() => wholeOf(`${text}0;a`), { code: "http.chunk_extension_limit" });
      assert.throws(() => wholeOf(`${chunked}\r\n1;${"a".repeat(4096)}`), { code: "http.chunk_extension_limit" });
    });
  });

  describe(name, () => {
    it("shows its progress step by step", () => {
      const parser = make();
      const state = (): unknown[] => [parser.gotSome, parser.isHeaderDone, parser.isDone, parser.contentLength];
      assert.deepEqual(state(), [false, false, false, undefined]);
      assert.equal(parser.put(bytesOf("")), 0);
      assert.equal(parser.gotSome, false);
      assert.equal(parser.put(message("").subarray(0, 3)), 0);
      assert.deepEqual(state(), [true, false, false, undefined]);
      assert.deepEqual([parser.message, parser.hasBody, parser.keepAlive], [undefined, false, false]);
      const head = message(`${length("hello")}\r\n`);
      assert.equal(parser.put(message(`${length("hello")}\r\nhel`)), head.length);
      assert.deepEqual(state(), [true, true, false, 5]);
      assert.deepEqual([parser.hasBody, parser.keepAlive], [true, true]);
      assert.deepEqual([parser.chunked, parser.needsEof, parser.contentLengthRemaining], [false, false, 5]);
      assert.equal(parser.put(bytesOf("hel")), 3);
      assert.deepEqual([parser.isDone, parser.contentLengthRemaining, parser.message?.body.length], [false, 2, 0]);
      assert.equal(parser.put(bytesOf("lo and more")), 2);
      assert.deepEqual([parser.isDone, parser.contentLengthRemaining], [true, 0]);
    });

    it("does not know the length of a chunked body before its end", () => {
      const told: unknown[] = [];
      const parser = make({ chunk: (size, extensions) => told.push([size, extensions]) });
      const head = message(`${chunked}\r\n`);
      assert.equal(parser.put(head), head.length);
      assert.deepEqual(
        [parser.chunked, parser.contentLength, parser.contentLengthRemaining],
        [true, undefined, undefined],
      );
      const body = bytesOf('5;a="b;"\r\nhello\r\n0;c\r\nd: e\r\n\r\nbehind');
      assert.equal(parser.put(body), 15);
      const { part } = parser;
      assert.equal(decodeLatin1(part), "hello");
      assert.equal(part.buffer, body.buffer);
      assert.deepEqual(told, [[5, [["a", "b;"]]]]);
      assert.equal(parser.trailers.size, 0);
      assert.equal(parser.put(body.subarray(15)), body.length - 15 - "behind".length);
      assert.equal(parser.part.length, 0);
      assert.deepEqual(told[1], [0, [["c"]]]);
      assert.equal(parser.trailers.get("D"), "e");
      assert.equal(parser.isDone, true);
    });

    it("stops after the head, and continues once it is eager", () => {
      const parser = make();
      const bytes = message(`${length("hello")}\r\nhello`);
      const size = parser.put(bytes);
      assert.equal(size, bytes.length - "hello".length);
      parser.eager = true;
      assert.equal(parser.put(bytes.subarray(size)), 5);
      assert.equal(decodeLatin1(parser.message!.body), "hello");
    });

    it("parses messages that arrive together one by one", () => {
      const texts = [`${length("hello")}\r\nhello`, `${chunked}\r\n1\r\na\r\n0\r\nb: c\r\n\r\n`, `${length("")}\r\n`];
      let rest = message(texts.join(start));
      const bodies: string[] = [];
      for (let i = 0; i < texts.length; i++) {
        const parser = make({ eager: true });
        rest = rest.subarray(parser.put(rest));
        bodies.push(decodeLatin1(parser.message!.body));
      }
      assert.deepEqual([bodies, rest.length], [["hello", "a", ""], 0]);
    });

    it("keeps no reference to its bytes", () => {
      for (const rest of [`a: b\r\n${length("hello")}\r\nhello`, `a: b\r\n${chunked}\r\n5;c\r\nhello\r\n0\r\n\r\n`]) {
        const parser = make({ eager: true });
        const bytes = message(rest);
        parser.put(bytes);
        bytes.fill(0xdb);
        assert.equal(parser.message?.headers.get("a"), "b");
        assert.equal(decodeLatin1(parser.message!.body), "hello");
      }
    });

    it("does not look at a byte twice", () => {
      const parser = make();
      const bytes = message("a: b\r\n\r\n");
      for (let at = 1; at < bytes.length; at++) parser.put(bytes.slice(0, at).fill(0, 0, at - 1));
      assert.equal(parser.put(bytes), bytes.length);
      assert.deepEqual([...parser.message!.headers], [["a", "b"]]);
    });

    it("throws the same error again after it has failed, also at the end of the stream", () => {
      for (const rest of ["\0", `${chunked}\r\ng`]) {
        const parser = make({ eager: true });
        const caught = (act: () => unknown): unknown => {
          try {
            return act();
          } catch (error) {
            return error;
          }
        };
        const error = caught(() => parser.put(message(rest)));
        assert.ok(error instanceof ServalError);
        assert.equal(
          caught(() => parser.put(message(length("")))),
          error,
        );
        assert.equal(
          caught(() => parser.end()),
          error,
        );
      }
    });

    it("parses one message", () => {
      const parser = wholeOf(`${length("")}\r\n`);
      assert.throws(() => parser.put(bytesOf("")), { code: "http.stale_parser", condition: "misuse" });
      parser.end();
      assert.equal(parser.isDone, true);
    });

    it("fails with an exception of its chunk handler", () => {
      const parser = make({
        eager: true,
        chunk: () => {
          throw new RangeError("no");
        },
      });
      for (let i = 0; i < 2; i++) {
        assert.throws(() => parser.put(message(`${chunked}\r\n0\r\n\r\n`)), { name: "RangeError", message: "no" });
      }
      assert.equal(parser.isDone, false);
    });

    it("keeps the connection according to version and Connection", () => {
      for (const [version, fields, keeps] of [
        ["1.1", "", true],
        ["1.1", "Connection: x\r\n", true],
        ["1.1", "Connection: close\r\n", false],
        ["1.1", "Connection: x, Close\r\n", false],
        ["1.0", "", false],
        ["1.0", "Connection: x\r\n", false],
        ["1.0", "Connection: Keep-Alive\r\n", true],
      ] as const) {
        const parser = make();
        parser.put(bytesOf(`${start.replace("1.1", version)}Content-Length: 0\r\n${fields}\r\n`));
        assert.equal(parser.keepAlive, keeps, `${version} ${fields}`);
      }
    });

    it("parses every serialized message", () => {
      const value = fc.stringMatching(
        /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/,
      );
      const space = fc.stringMatching(/^[ \t]{0,3}$/);
      const field = fc.tuple(
        token.filter((name) => !/^(content-length|transfer-encoding)$/i.test(name)),
        value,
        space,
        space,
      );
      fc.assert(
        fc.property(
          startLines,
          fc.constantFrom(0, 1),
          fc.array(field, { maxLength: 8 }),
          fc.array(fc.nat(200), { maxLength: 5 }),
          ({ write, line }, minor, fields, cuts) => {
            const head = fields.map(([name, text, before, after]) => `${name}:${before}${text}${after}\r\n`).join("");
            const bytes = bytesOf(`${write(minor)}${head}\r\n`);
            const outcome = feed(make(), piecesOf(bytes, cuts), true);
            assert.equal(outcome.line, `${line} ${10 + minor}`);
            assert.deepEqual(
              outcome.headers,
              fields.flatMap(([name, text]) => [name, text]),
            );
            assert.deepEqual([outcome.end, outcome.used], [true, bytes.length]);
          },
        ),
      );
    });

    it("says the same of itself and has handed out the same bytes at every split, for any input", () => {
      const known = [
        "a: b\r\n",
        length("x"),
        chunked,
        "\r\n",
        "\r\n\r\n",
        "0\r\n\r\n",
        "5\r\nhello\r\n",
        "5;a\r\n",
        "x",
        "\r",
        "\n",
        ":",
        "\t",
        "\0",
      ];
      const piece = fc.oneof(fc.constantFrom(...known, start), fc.string({ unit: "binary-ascii", maxLength: 4 }));
      const nearly = fc.array(piece, { maxLength: 12 }).map((parts) => bytesOf(parts.join("")));
      const options = fc.record({
        maxHeaderSize: fc.integer({ min: 1, max: 120 }),
        maxHeadersCount: fc.nat(3),
        maxBodySize: fc.nat(8),
        maxChunkExtensionSize: fc.nat(4),
        skipBody: fc.boolean(),
      });
      fc.assert(
        fc.property(
          fc.oneof(
            nearly.map((bytes) => Uint8Array.from([...message(""), ...bytes])),
            nearly,
            fc.uint8Array({ maxLength: 64 }),
          ),
          fc.array(fc.nat(120), { maxLength: 6 }),
          options,
          fc.boolean(),
          (bytes, cuts, limits, ends) => {
            const wholes = [true, false].map((eager) => feed(make({ ...limits, eager }), [bytes], ends));
            const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
            for (const pieces of [[bytes], piecesOf(bytes, cuts), single]) {
              for (const eager of [true, false]) {
                const { given: _, used, ...whole } = wholes[eager ? 0 : 1]!;
                const { given, used: other, ...outcome } = feed(make({ ...limits, eager }), pieces, ends);
                assert.deepEqual(outcome, whole);
                assert.equal(whole.end, wholes[0]!.end);
                if (whole.end === true) assert.equal(other, used);
                // And for whatever follows.
                if (pieces === single && typeof whole.end === "string" && !ends) {
                  assert.equal(feed(make({ ...limits, eager }), [bytes.subarray(0, given)]).end, whole.end);
                }
              }
            }
          },
        ),
        { numRuns: runs(1000) },
      );
    });
  });
}
