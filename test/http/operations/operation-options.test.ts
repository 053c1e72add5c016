import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer } from "../../../src/core/index.ts";
import {
  FinalResponseParser,
  read,
  readHeader,
  readResponse,
  readSome,
  Request,
  request,
  RequestParser,
  Response,
  Serializer,
  serve,
  write,
  writeHeader,
  writeSome,
} from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";

/** What a function that takes options is called with, on a stream that has nothing to do with it otherwise. */
type Call = (options: never) => unknown;

const [stream] = pair();
const buffer = new FlatBuffer();
const begun = (): RequestParser => {
  const parser = new RequestParser();
  parser.put(new TextEncoder().encode("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"));
  return parser;
};
const serializer = (): Serializer => new Serializer(new Response());
const asked = new Request({ headers: { Host: "a" } });

const calls: [taker: string, call: Call][] = [
  ["http.read", (options) => read(stream, buffer, new RequestParser(), options)],
  ["http.readHeader", (options) => readHeader(stream, buffer, new RequestParser(), options)],
  ["http.readSome", (options) => readSome(stream, buffer, begun(), options)],
  ["http.readResponse", (options) => readResponse(stream, buffer, new FinalResponseParser(), options)],
  ["http.write", (options) => write(stream, new Response(), options)],
  ["http.writeHeader", (options) => writeHeader(stream, serializer(), options)],
  ["http.writeSome", (options) => writeSome(stream, serializer(), options)],
  ["http.request", (options) => request(stream, asked, options)],
  ["http.serve", (options) => serve(stream, () => undefined, options)],
];

describe("the options of single operations", () => {
  const { signal } = new AbortController();
  for (const [taker, call] of calls) {
    it(`of ${taker} must be known, in a plain object`, async () => {
      const cases: [options: unknown, message: RegExp][] = [
        [{ signal, timeoutt: 1 }, new RegExp(`^${taker} has no option "timeoutt": `)],
        [{ Signal: signal }, new RegExp(`^${taker} has no option "Signal": did you mean signal\\?$`)],
        [signal, new RegExp(`^${taker} takes a plain object, such as \\{ .* \\}, not an AbortSignal$`)],
        [5000, new RegExp(`^${taker} takes a plain object, such as \\{ .* \\}, not 5000$`)],
        [null, new RegExp(`^${taker} takes a plain object, such as \\{ .* \\}, not null$`)],
      ];
      for (const [options, message] of cases) {
        await assert.rejects(async () => call(options as never), { code: "core.invalid_argument", message });
      }
      // Nothing was begun.
      assert.deepEqual([stream.operations, stream.closed], [0, false]);
    });
  }
});
