// Feeding the parsers of both roles, and what has to hold however that is done.
import assert from "node:assert/strict";
import { ServalError } from "../../../src/core/index.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import {
  Request,
  RequestParser,
  ResponseParser,
  type MessageParserOptions,
  type Response,
  type ResponseParserOptions,
} from "../../../src/http/index.ts";
import { everySplit } from "../../../src/testing/index.ts";
import { bytesOf } from "./samples.ts";

export type AnyParser = RequestParser | ResponseParser;

/** What a parser made of its bytes, in a form to compare. */
export interface Outcome {
  /** The code it failed with; else whether it is done. */
  end: string | boolean;
  /** The start line: `GET / 11`, `200 OK 11`. */
  line: string | undefined;
  headers: readonly string[] | undefined;
  /** All of the body, once done. */
  body: string | undefined;
  trailers: readonly string[];
  gotSome: boolean;
}

/** What depends on the way. */
export interface Way {
  /** How many bytes had been given when the parser was done or failed. */
  given: number;
  /** How many of them were used up. */
  used: number;
}

/** What a parser says of itself afterwards, and the body as far as it was handed out. */
export interface Told {
  received: string | undefined;
  says: unknown;
}

const nothing = new Uint8Array(0);

/** Feeds a parser piece by piece, until it is done or fails; then, if that is asked for, ends the stream. */
export function feed(parser: AnyParser, pieces: readonly Uint8Array[], ends = false): Outcome & Way & Told {
  let [given, used, parts, rest] = [0, 0, "", nothing];
  let code: string | undefined;
  try {
    for (const piece of pieces) {
      given += piece.length;
      rest = Uint8Array.from([...rest, ...piece]);
      for (let count = -1; count !== 0 && !parser.isDone;) {
        // In memory of their own, which is gone behind the call.
        const bytes = rest.slice();
        count = parser.put(bytes);
        if (!parser.eager) parts += decodeLatin1(parser.part);
        bytes.fill(0xdb);
        used += count;
        rest = rest.slice(count);
      }
      if (parser.isDone) break;
    }
    if (ends) parser.end();
  } catch (error) {
    if (!(error instanceof ServalError)) throw error;
    code = error.code;
  }
  const { message, isDone } = parser;
  const body = parser.eager ? message && decodeLatin1(message.body) : parts;
  return {
    end: code ?? isDone,
    line: message && lineOf(message),
    // Not `raw`, which would make the fields unchecked ones.
    headers: message && [...message.headers].flat(),
    body: isDone && code === undefined ? body : undefined,
    trailers: [...parser.trailers].flat(),
    gotSome: parser.gotSome,
    given,
    used,
    received: parser.eager ? undefined : parts,
    says: saysOf(parser),
  };
}

function saysOf(parser: AnyParser): unknown {
  const { isHeaderDone, isDone, gotSome, chunked, chunkCount, needsEof, hasBody, keepAlive } = parser;
  const { contentLength, contentLengthRemaining } = parser;
  const head = parser.unframed && lineOf(parser.unframed);
  const booleans = { isHeaderDone, isDone, gotSome, chunked, needsEof, hasBody, keepAlive };
  return { ...booleans, chunkCount, contentLength, contentLengthRemaining, head };
}

function lineOf(message: Request<Uint8Array> | Response): string {
  if (message instanceof Request) return `${message.method} ${message.target} ${message.version}`;
  return `${message.status} ${message.reason} ${message.version}`;
}

/** One of the two parsers, and a start line for it. */
export interface Role {
  readonly name: string;
  readonly make: (options?: ResponseParserOptions) => AnyParser;
  readonly start: string;
  readonly line: string;
}

export const requests: Role = {
  name: "RequestParser",
  make: (options?: MessageParserOptions) => new RequestParser(options),
  start: "POST /a HTTP/1.1\r\n",
  line: "POST /a 11",
};

export const responses: Role = {
  name: "ResponseParser",
  make: (options?: ResponseParserOptions) => new ResponseParser(options),
  start: "HTTP/1.1 200 OK\r\n",
  line: "200 OK 11",
};

/** A message, and what is to become of it. */
export interface Case extends Partial<Outcome> {
  readonly name: string;
  /** All of it. */
  readonly text: string;
  readonly options?: ResponseParserOptions;
  /** Whether it takes the end of the stream. */
  readonly ends?: boolean;
}

/** Frames, other messages, and a byte that no message can have. */
const behind = ["", "\x81\x05hello", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "\0"];

/** A message is parsed whole, at every split, byte by byte, with bytes behind it, eager or not; and not before its last byte. */
export function parses(role: Role, { text, options, ends = false, ...expected }: Omit<Case, "name">): void {
  const outcome = { line: role.line, headers: [], body: "", trailers: [], gotSome: true };
  for (const eager of [true, false]) {
    for (const extra of ends ? [""] : behind) {
      everySplit(bytesOf(text + extra), (pieces, way) => {
        const { given, used, received: _, says: __, ...rest } = feed(role.make({ ...options, eager }), pieces, ends);
        assert.deepEqual(rest, { ...outcome, end: true, ...expected });
        assert.equal(used, text.length);
        if (way === "byte by byte" && !ends) assert.equal(given, text.length);
      });
    }
    for (let size = 0; size < text.length; size++) {
      const start = [bytesOf(text.slice(0, size))];
      assert.equal(feed(role.make({ ...options, eager }), start).end, false);
      const parser = role.make({ ...options, eager });
      const cut = feed(parser, start, true);
      if (ends && parser.needsEof) assert.equal(cut.end, true);
      else assert.equal(cut.end, cut.gotSome ? "http.partial_message" : "http.end_of_stream");
    }
  }
}

/** A code, the part of a message up to and with the byte at which it is known, and what follows. */
export type Refusal = readonly [code: string, text: string, rest: string, options?: ResponseParserOptions];

/** A message is refused with the same code however its bytes come, and at the byte that shows it. */
export function refuses(role: Role, [code, text, rest, options]: Refusal): void {
  for (const eager of [true, false]) {
    const make = (): AnyParser => role.make({ ...options, eager });
    assert.equal(feed(make(), [bytesOf(text)]).end, code);
    assert.equal(feed(make(), [bytesOf(text.slice(0, -1))]).end, false);
    everySplit(bytesOf(text + rest), (pieces, way) => {
      const { end, given } = feed(make(), pieces);
      assert.equal(end, code);
      if (way === "byte by byte") assert.equal(given, text.length);
    });
  }
}
