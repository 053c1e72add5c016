// What a request has of its own; fields, bodies and limits are in message-parser.test.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestParser } from "../../../src/http/index.ts";
import { everySplit } from "../../../src/testing/index.ts";
import { feed, parses, refuses, requests, type Case, type Refusal } from "../support/feed.ts";
import { bytesOf, chrome } from "../support/samples.ts";

const get = (headers: string): string => `GET / HTTP/1.1\r\n${headers}\r\n`;

const messages: Case[] = [
  { name: "no fields and no body", text: get(""), line: "GET / 11" },
  { name: "HTTP/1.0", text: "HEAD /a HTTP/1.0\r\n\r\n", line: "HEAD /a 10" },
  { name: "any token as a method", text: "m-Search~1 * HTTP/1.1\r\n\r\n", line: "m-Search~1 * 11" },
  {
    name: "any visible characters as a target",
    text: 'GET /?"<>[]{}|\\^`#% HTTP/1.1\r\n\r\n',
    line: 'GET /?"<>[]{}|\\^`#% 11',
  },
  { name: "an empty line first", text: `\r\n${get("a: b\r\n")}`, line: "GET / 11", headers: ["a", "b"] },
  {
    name: "an empty line before one with a body",
    text: "\r\nPUT / HTTP/1.1\r\nContent-Length: 1\r\n\r\na",
    line: "PUT / 11",
    headers: ["Content-Length", "1"],
    body: "a",
  },
  {
    name: "a body with HTTP/1.0",
    text: "POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\na",
    line: "POST / 10",
    headers: ["Content-Length", "1"],
    body: "a",
  },
  {
    name: "a body with any method",
    text: "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
    line: "GET / 11",
    headers: ["Transfer-Encoding", "chunked"],
    body: "a",
  },
  { name: "CONNECT", text: "CONNECT a:80 HTTP/1.1\r\n\r\n", line: "CONNECT a:80 11" },
];

/** What is refused: the code, the part up to and with the byte at which that is known, and what follows. */
const refusals: Refusal[] = [
  // A TLS ClientHello, and other things that are no HTTP.
  ["http.bad_method", "\x16", "\x03\x01\x02\0\x01\0\x01\xfc"],
  ["http.bad_method", "\0", ""],
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
  ["http.bad_target", "GET /a\t", "HTTP/1.1\r\n\r\n"],
  ["http.bad_target", "GET /\xe9", " HTTP/1.1\r\n\r\n"],
  ["http.bad_target", "GET /\x7f", " HTTP/1.1\r\n\r\n"],
  ["http.bad_target", "GET /\0", " HTTP/1.1\r\n\r\n"],

  // RFC 9112 3: a line of another form has no version that could be the wrong one.
  ["http.bad_start_line", "SSH-2.0-OpenSSH_9.2\r", "\n"],
  ["http.bad_start_line", "GET\n", "\n"],
  ["http.bad_start_line", "GET /\r", "\n\r\n"],
  ["http.bad_start_line", "GET /\n", "\n"],
  ["http.bad_start_line", "GET /  ", "HTTP/1.1\r\n\r\n"],
  ["http.bad_start_line", "GET / \r", "\n\r\n"],
  ["http.bad_start_line", "GET / h", "ttp/1.1\r\n\r\n"],
  ["http.bad_start_line", "GET / HTTPS", "/1.1\r\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/ ", "1.1\r\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/1\r", "\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/1,", "1\r\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/1.\r", "\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/1.10", "\r\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/11", ".1\r\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/2\r", "\n\r\n"],
  ["http.bad_start_line", "GET / HTTP/1.1 ", "\r\n\r\n"],
  ["http.bad_start_line", "GET /pa t", "h HTTP/1.1\r\n\r\n"],

  ["http.bad_version", "PRI * HTTP/2.0\r", "\n\r\nSM\r\n\r\n"],
  ["http.bad_version", "GET / HTTP/0.9\r", "\n\r\n"],
  ["http.bad_version", "GET / HTTP/1.2\r", "\n\r\n"],
  ["http.bad_version", "GET / HTTP/9.9\r", "\n\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\n", "\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\r\r", "\n\r\n"],
  ["http.bad_line_ending", "GET / HTTP/1.1\rH", "ost: a\r\n\r\n"],

  // RFC 9112 3: a method or a target that alone is longer than the head may be.
  ["http.method_limit", "A".repeat(64), "A", { maxHeaderSize: 64 }],
  ["http.target_limit", `GET /${"a".repeat(59)}`, "a", { maxHeaderSize: 64 }],
  ["http.target_limit", `GET /${"a".repeat(49)} HTTP/1.1\r`, "\n\r\n", { maxHeaderSize: 64 }],
  ["http.header_limit", `GET /${"a".repeat(48)} HTTP/1.1\r\n`, "\r\n", { maxHeaderSize: 64 }],

  ["http.bad_transfer_encoding", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"],
  ["http.bad_transfer_encoding", get("Transfer-Encoding: identity\r\n"), ""],
  ["http.bad_transfer_encoding", get("Transfer-Encoding: gzip\r\n"), ""],
];

describe("RequestParser parses, whole, at every split, byte by byte, eager or not, with bytes after the request", () => {
  for (const { name, ...sample } of messages) it(name, () => parses(requests, sample));

  it("a request of Chrome", () => {
    const lines = chrome.trimEnd().split("\r\n").slice(1);
    everySplit(bytesOf(chrome), (pieces) => {
      const { line, headers } = feed(new RequestParser(), pieces);
      assert.equal(line, "GET /chat?room=1 11");
      const expected = lines.flatMap((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]);
      assert.deepEqual(headers, expected);
    });
  });
});

describe("RequestParser refuses with the same code at every split, at the first wrong byte", () => {
  for (const refusal of refusals) {
    it(`${refusal[0]}: ${JSON.stringify(refusal[1])}`, () => refuses(requests, refusal));
  }
});

describe("RequestParser", () => {
  it("counts an empty line before the request in the head's size, but not in gotSome", () => {
    const bytes = bytesOf(`\r\n${get("")}`);
    assert.equal(new RequestParser({ maxHeaderSize: bytes.length }).put(bytes), bytes.length);
    assert.throws(() => new RequestParser({ maxHeaderSize: bytes.length - 1 }).put(bytes), {
      code: "http.header_limit",
    });
    const parser = new RequestParser();
    parser.put(bytes.subarray(0, 2));
    assert.equal(parser.gotSome, false);
    parser.put(bytes.subarray(0, 3));
    assert.equal(parser.gotSome, true);
  });

  it("has no body without a framing, and never one up to the end of the stream", () => {
    const parser = new RequestParser();
    parser.put(bytesOf("POST / HTTP/1.1\r\nConnection: close\r\n\r\nbehind"));
    assert.deepEqual(
      [parser.isDone, parser.hasBody, parser.needsEof, parser.contentLength, parser.keepAlive],
      [true, false, false, 0, false],
    );
    assert.equal(parser.request, parser.message);
  });
});
