// What the serializer writes, the parser reads: whatever the message, however its bytes are cut on the way.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  Fields,
  Request,
  RequestParser,
  Response,
  ResponseParser,
  serialize,
  Serializer,
  type Body,
  type ChunkExtensions,
  type SerializerOptions,
} from "../../../../src/http/index.ts";
import { decodeLatin1 } from "../../../../src/core/text.ts";
import { isBodiless } from "../../../../src/http/messages/status.ts";
import { isTrailerField } from "../../../../src/http/codec/trailer.ts";
import { feed, type AnyParser } from "../../support/feed.ts";
import { bytesOf, piecesOf } from "../../support/samples.ts";
import { fc, runs } from "../../../support/property.ts";

const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,12}$/);
const value = fc.stringMatching(/^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?)?$/);
const isFraming = (name: string): boolean => /^(content-length|transfer-encoding|connection)$/i.test(name);
const headers = fc.array(
  fc.tuple(
    token.filter((name) => !isFraming(name)),
    value,
  ),
  { maxLength: 6 },
);
const trailers = fc.array(fc.tuple(token.filter(isTrailerField), value), { maxLength: 3 });
const quotable = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,8}$/);
const extensions = fc.array(fc.oneof(fc.tuple(token), fc.tuple(token, quotable)), { maxLength: 3 });
const part = fc.record({ bytes: fc.uint8Array({ maxLength: 40 }), extensions });

/** How the body is given: as bytes, or in parts, with what may stand beside them. */
interface Given {
  readonly inParts: boolean;
  readonly knowsSize: boolean;
  readonly parts: readonly { bytes: Uint8Array; extensions: ChunkExtensions }[];
  readonly trailers: readonly (readonly [string, string])[];
}
const given: fc.Arbitrary<Given> = fc.record({
  inParts: fc.boolean(),
  knowsSize: fc.boolean(),
  parts: fc.array(part, { maxLength: 4 }),
  trailers,
});
const wire = fc.record({
  limit: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(Infinity)),
  split: fc.boolean(),
  written: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 6 }),
  cuts: fc.array(fc.nat(400), { maxLength: 6 }),
  eager: fc.boolean(),
});
type Wire = typeof wire extends fc.Arbitrary<infer Value> ? Value : never;

const bytesIn = ({ parts }: Given): Uint8Array => Uint8Array.from(parts.flatMap(({ bytes }) => [...bytes]));

function bodyOf(of: Given): Body {
  const bytes = bytesIn(of);
  if (!of.inParts) return bytes;
  return { size: of.knowsSize ? bytes.length : undefined, async *[Symbol.asyncIterator]() {} };
}

/** All that a message becomes, its parts put in whenever there is room. */
function written(message: Request | Response<Body>, of: Given, options: SerializerOptions, wire: Wire): Uint8Array {
  const serializer = new Serializer(message, { ...options, limit: wire.limit, split: wire.split });
  const chunked = serializer.source !== undefined && serializer.source.size === undefined && !serializer.needsEof;
  const parts = [...of.parts];
  const out: number[] = [];
  for (let turn = 0; !serializer.isDone; turn++) {
    if (serializer.needsBody) {
      const next = parts.shift();
      if (next === undefined) serializer.end(new Fields(of.trailers));
      else serializer.put(next.bytes, chunked ? next.extensions : undefined);
      continue;
    }
    const next = serializer.next().flatMap((buffer) => [...buffer]);
    assert.ok(next.length > 0 && next.length <= wire.limit);
    // The stream may take less than it is given.
    const count = Math.min(next.length, wire.written[turn % wire.written.length]!);
    out.push(...next.slice(0, count));
    serializer.consume(count);
  }
  return Uint8Array.from(out);
}

interface Expected {
  readonly line: string;
  readonly body: Uint8Array;
  readonly isChunked: boolean;
  readonly ends?: boolean;
}

/** The bytes are this message and nothing else; what is behind them is left. */
function isRead(
  bytes: Uint8Array,
  make: (chunks: unknown[]) => AnyParser,
  headers: readonly (readonly [string, string])[],
  of: Given,
  { cuts }: Wire,
  { line, body, isChunked, ends = false }: Expected,
): void {
  const told: unknown[] = [];
  const pieces = piecesOf(ends ? bytes : Uint8Array.from([...bytes, ...bytesOf("\0behind")]), cuts);
  const outcome = feed(make(told), pieces, ends);
  assert.deepEqual([outcome.end, outcome.line, outcome.used], [true, line, bytes.length]);
  assert.deepEqual(outcome.headers!.slice(0, headers.length * 2), headers.flat());
  assert.equal(outcome.body, decodeLatin1(body));
  assert.deepEqual(outcome.trailers, isChunked ? of.trailers.flat() : []);
  const chunks = of.parts.filter(({ bytes }) => bytes.length > 0).map((part) => [part.bytes.length, part.extensions]);
  assert.deepEqual(told, isChunked ? [...chunks, [0, []]] : []);
}

/** Tells a parser's handler of chunks to remember. */
const into = (told: unknown[]) => (size: number, extensions: ChunkExtensions) => void told.push([size, extensions]);

describe("the parser reads what the serializer writes, at any limit and any split", () => {
  it("for requests", () => {
    const target = fc.stringMatching(/^[\x21-\x7e]{1,30}$/);
    fc.assert(
      fc.property(
        token,
        target,
        fc.constantFrom(10, 11),
        headers,
        given,
        wire,
        (method, target, version, headers, of, wire) => {
          fc.pre(method !== "TRACE" && !(version === 10 && of.inParts && !of.knowsSize));
          const request = new Request({ method, target, version, headers, body: bodyOf(of) });
          const bytes = written(request, of, {}, wire);
          isRead(bytes, (told) => new RequestParser({ eager: wire.eager, chunk: into(told) }), headers, of, wire, {
            line: `${method} ${target} ${version}`,
            body: bytesIn(of),
            isChunked: of.inParts && !of.knowsSize,
          });
        },
      ),
      { numRuns: runs(1000) },
    );
  });

  it("for responses, to any method and version", () => {
    const status = fc.oneof(fc.integer({ min: 100, max: 999 }), fc.constantFrom(101, 200, 204, 304));
    const reason = fc.stringMatching(/^[\t\x20-\x7e\x80-\xff]{0,12}$/);
    const asked = fc.record({
      method: fc.constantFrom("GET", "HEAD", "CONNECT", "x"),
      version: fc.constantFrom(10, 11),
    });
    fc.assert(
      fc.property(status, reason, headers, given, asked, wire, (status, reason, headers, of, request, wire) => {
        const none = isBodiless(status) || (request.method === "CONNECT" && status >= 200 && status < 300);
        const sent = none ? { ...of, parts: [], inParts: false } : of;
        const isUnknown = sent.inParts && !sent.knowsSize;
        const isHead = request.method === "HEAD";
        const response = new Response<Body>({ status, reason, headers, body: bodyOf(sent) });
        const bytes = written(response, sent, { request }, wire);
        const options = { eager: wire.eager, method: request.method };
        isRead(bytes, (told) => new ResponseParser({ ...options, chunk: into(told) }), headers, sent, wire, {
          line: `${status} ${reason} 11`,
          body: isHead ? new Uint8Array(0) : bytesIn(sent),
          isChunked: isUnknown && !isHead && request.version === 11,
          ends: isUnknown && !isHead && request.version === 10,
        });
      }),
      { numRuns: runs(1000) },
    );
  });
});

it("anything that the serializer accepts becomes exactly one message", () => {
  const text = fc.string({ unit: "binary", maxLength: 8 });
  const odd = fc.oneof(
    text,
    fc.constantFrom(
      "\r\n",
      "\n",
      "\u010a",
      ":",
      " ",
      "\xe9",
      "a",
      "Content-Length",
      "3",
      "Transfer-Encoding",
      "chunked",
      "0",
    ),
  );
  const pairs = fc.array(fc.tuple(odd, odd), { maxLength: 4 });
  const isNamed = (headers: readonly (readonly [string, string])[]): string[] => headers.map(([name]) => name);
  fc.assert(
    fc.property(
      odd,
      odd,
      pairs,
      pairs,
      fc.uint8Array({ maxLength: 5 }),
      fc.boolean(),
      (a, b, raw, behind, bytes, inParts) => {
        for (const isRequest of [true, false]) {
          const body: Body = inParts ? { async *[Symbol.asyncIterator]() {} } : bytes;
          const headers = Fields.fromRaw(raw.flat());
          let text: string;
          let sent = bytes;
          try {
            const message = isRequest
              ? new Request({ method: a, target: b, headers, body })
              : new Response<Body>({ reason: a, headers, body });
            const serializer = new Serializer(message);
            if (serializer.source !== undefined) {
              if (message.headers.has("Content-Length")) serializer.put(bytes);
              else serializer.put(bytes, [[a, b]]);
              serializer.end(Fields.fromRaw(behind.flat()));
            } else if (inParts) {
              // Its Content-Length is 0.
              sent = new Uint8Array(0);
            }
            text = serializer
              .next()
              .map((buffer) => decodeLatin1(buffer))
              .join("");
          } catch (error) {
            assert.match(
              (error as { code: string }).code,
              /^(http\.bad_|http\.unknown_|http\.multiple_|core\.invalid_argument)/,
            );
            continue;
          }
          const parser = isRequest ? new RequestParser({ eager: true }) : new ResponseParser({ eager: true });
          assert.equal(parser.put(bytesOf(text)), text.length);
          assert.equal(parser.isDone, true);
          assert.equal(decodeLatin1(parser.message!.body), decodeLatin1(sent));
          assert.deepEqual(isNamed([...parser.message!.headers]).slice(0, raw.length), isNamed(raw));
        }
      },
    ),
    { numRuns: runs(5000) },
  );
});

it("a message is sent with its body's framing, or not at all, however its framing was set", () => {
  const step = fc.oneof(
    fc.record({ keepAlive: fc.boolean() }),
    fc.record({ chunked: fc.boolean() }),
    fc.record({ contentLength: fc.constantFrom(undefined, 0, 3) }),
    fc.record({ append: fc.constantFrom("Transfer-Encoding", "Content-Length", "Connection") }),
    fc.constant({ prepare: true }),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 6 }),
      fc.constantFrom("", "abc"),
      fc.boolean(),
      (steps, text, isRequest) => {
        const body = bytesOf(text);
        const message = isRequest ? new Request({ body }) : new Response({ body });
        for (const step of steps) {
          if ("append" in step) message.headers.append(step.append, step.append === "Content-Length" ? "3" : "chunked");
          else if ("prepare" in step) message.preparePayload();
          else Object.assign(message, step);
        }
        let bytes: Uint8Array;
        try {
          bytes = serialize(message);
        } catch (error) {
          assert.match((error as { code: string }).code, /content_length$|^http\.bad_transfer_encoding$/);
          return;
        }
        const parser = isRequest ? new RequestParser({ eager: true }) : new ResponseParser({ eager: true });
        assert.equal(parser.put(bytes), bytes.length);
        assert.deepEqual([parser.isDone, parser.keepAlive], [true, message.keepAlive]);
        assert.equal(decodeLatin1(parser.message!.body), text);
      },
    ),
    { numRuns: runs(2000) },
  );
});
