// What a response has of its own; fields, bodies and limits are in message-parser.test.ts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { ResponseParser } from "../../../src/http/index.ts";
import { parses, refuses, responses, type Case, type Refusal } from "../support/feed.ts";
import { bytesOf } from "../support/samples.ts";

const status = (line: string): string => `HTTP/1.1 ${line}\r\nContent-Length: 0\r\n\r\n`;
const none = ["Content-Length", "0"];
const five = ["Content-Length", "5"];
const chunks = ["Transfer-Encoding", "chunked"];

const messages: Case[] = [
  { name: "any status of three digits", text: status("999 x"), line: "999 x 11", headers: none },
  { name: "no reason", text: status("404 "), line: "404  11", headers: none },
  { name: "no reason and no space", text: status("404"), line: "404  11", headers: none },
  { name: "space around the reason is part of it", text: status("404  a\tb "), line: "404  a\tb  11", headers: none },
  { name: "bytes above 0x7f in the reason", text: status("404 \x80\xff"), line: "404 \x80\xff 11", headers: none },
  {
    name: "HTTP/1.0 with a length",
    text: "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
    line: "200 OK 10",
    headers: ["Content-Length", "1"],
    body: "a",
  },

  { name: "a body up to the end", text: "HTTP/1.1 200 OK\r\n\r\nhello\r\n\r\n", body: "hello\r\n\r\n", ends: true },
  { name: "no body up to the end", text: "HTTP/1.1 200 OK\r\n\r\n", ends: true },
  {
    name: "HTTP/1.0 up to the end",
    text: "HTTP/1.0 200 OK\r\n\r\nhello",
    line: "200 OK 10",
    body: "hello",
    ends: true,
  },
  {
    name: "just the limit up to the end",
    text: "HTTP/1.1 200 OK\r\n\r\nhello",
    body: "hello",
    ends: true,
    options: { maxBodySize: 5 },
  },

  { name: "the least status", text: "HTTP/1.1 100 x\r\n\r\n", line: "100 x 11" },
  {
    name: "101, whatever it says of a body",
    text: "HTTP/1.1 101 S\r\nContent-Length: 5\r\n\r\n",
    line: "101 S 11",
    headers: five,
  },
  {
    name: "101, which can't be chunked",
    text: "HTTP/1.1 101 S\r\nTransfer-Encoding: chunked\r\n\r\n",
    line: "101 S 11",
    headers: chunks,
  },
  { name: "204", text: "HTTP/1.1 204 \r\n\r\n", line: "204  11" },
  { name: "304", text: "HTTP/1.1 304 \r\nContent-Length: 5\r\n\r\n", line: "304  11", headers: five },
  {
    name: "an answer to HEAD",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    headers: five,
    options: { method: "HEAD" },
  },
  {
    name: "a chunked answer to HEAD",
    text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    headers: chunks,
    options: { method: "HEAD" },
  },
  {
    name: "an answer to HEAD with two lengths",
    text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
    headers: [...five, ...five],
    options: { method: "HEAD" },
  },
  {
    name: "204 with a length that is none",
    text: "HTTP/1.1 204 No\r\nContent-Length: x\r\n\r\n",
    line: "204 No 11",
    headers: ["Content-Length", "x"],
  },
  { name: "an answer to HEAD without a framing", text: "HTTP/1.1 200 OK\r\n\r\n", options: { method: "HEAD" } },
  { name: "a CONNECT that is let through", text: "HTTP/1.1 200 OK\r\n\r\n", options: { method: "CONNECT" } },
  {
    name: "a CONNECT that is let through, whatever it says",
    text: "HTTP/1.1 299 OK\r\nContent-Length: 5\r\n\r\n",
    line: "299 OK 11",
    headers: five,
    options: { method: "CONNECT" },
  },
  {
    name: "a CONNECT that is refused",
    text: "HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nhello",
    line: "407 No 11",
    headers: five,
    body: "hello",
    options: { method: "CONNECT" },
  },
];

/** What is refused: the code, the part up to and with the byte at which that is known, and what follows. */
const refusals: Refusal[] = [
  // A TLS alert, and other things that are no HTTP.
  ["http.bad_start_line", "\x15", "\x03\x01\0\x02\x02\x46"],
  ["http.bad_start_line", "\0", ""],
  ["http.bad_start_line", "S", "SH-2.0-OpenSSH_9.2\r\n"],
  ["http.bad_start_line", "<", "html>"],
  ["http.bad_start_line", "\r", "\nHTTP/1.1 200 OK\r\n\r\n"],
  ["http.bad_start_line", " ", "HTTP/1.1 200 OK\r\n\r\n"],
  ["http.bad_start_line", "h", "ttp/1.1 200 OK\r\n\r\n"],
  ["http.bad_start_line", "I", "CY 200 OK\r\n\r\n"],
  ["http.bad_start_line", "HTTP/ ", "1.1 200 OK\r\n\r\n"],
  ["http.bad_start_line", "HTTP/2 ", "200\r\n\r\n"],
  ["http.bad_start_line", "HTTP/1 ", "200 OK\r\n\r\n"],
  ["http.bad_start_line", "HTTP/1.10", " 200 OK\r\n\r\n"],
  ["http.bad_start_line", "HTTP/1.1\t", "200 OK\r\n\r\n"],
  ["http.bad_start_line", "HTTP/1.1\r", "\n\r\n"],
  ["http.bad_version", "HTTP/0.9 ", "200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/1.2 ", "200 OK\r\n\r\n"],
  ["http.bad_version", "HTTP/2.0 ", "200 OK\r\n\r\n"],

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

  ["http.bad_transfer_encoding", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n"],
  ["http.bad_transfer_encoding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", ""],
  ["http.bad_content_length", "HTTP/1.1 407 No\r\nContent-Length: x\r\n\r\n", "", { method: "CONNECT" }],
  ["http.multiple_content_length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", ""],
  ["http.body_limit", "HTTP/1.1 200 OK\r\n\r\nhello.", "more", { maxBodySize: 5 }],
  ["http.header_limit", `HTTP/1.1 200 ${"x".repeat(51)}`, "x", { maxHeaderSize: 64 }],
];

describe("ResponseParser parses, whole, at every split, byte by byte, eager or not, with bytes after the response", () => {
  for (const { name, ...sample } of messages) it(name, () => parses(responses, sample));
});

describe("ResponseParser refuses with the same code at every split, at the first wrong byte", () => {
  for (const refusal of refusals) {
    it(`${refusal[0]}: ${JSON.stringify(refusal[1])}`, () => refuses(responses, refusal));
  }
});

describe("ResponseParser", () => {
  it("yields a body up to the end in parts, and can't keep the connection", () => {
    const parser = new ResponseParser();
    const head = bytesOf("HTTP/1.1 200 OK\r\n\r\n");
    assert.equal(parser.put(head), head.length);
    assert.deepEqual([parser.hasBody, parser.needsEof, parser.keepAlive], [true, true, false]);
    assert.deepEqual(
      [parser.contentLength, parser.contentLengthRemaining, parser.chunked],
      [undefined, undefined, false],
    );
    for (const part of ["he", "llo"]) {
      assert.equal(parser.put(bytesOf(part)), part.length);
      assert.equal(decodeLatin1(parser.part), part);
      assert.equal(parser.isDone, false);
    }
    parser.end();
    assert.equal(parser.isDone, true);
    assert.equal(parser.response, parser.message);
  });

  it("can't keep the connection if the body ends with it", () => {
    const parser = new ResponseParser();
    parser.put(bytesOf("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n"));
    assert.equal(parser.keepAlive, false);
  });

  it("says of the connection what its response says: whether another response can follow", () => {
    for (const [head, method, keepAlive, skipBody] of [
      ["200 OK\r\nContent-Length: 5", "GET", true],
      ["200 OK\r\nTransfer-Encoding: chunked", "GET", true],
      ["200 OK\r\nContent-Length: 5\r\nConnection: close", "GET", false],
      // The body ends with the connection.
      ["200 OK", "GET", false],
      ["200 OK\r\nConnection: keep-alive", "GET", false],
      ["404 Not Found", "CONNECT", false],
      // These have none.
      ["200 OK", "HEAD", true],
      ["204 No Content", "GET", true],
      ["304 Not Modified", "GET", true],
      ["100 Continue", "GET", true],
      ["200 OK", "GET", true, true],
      // The connection is another protocol's, whether that was asked for or not.
      ["101 Switching Protocols", "GET", false],
      ["200 OK", "CONNECT", false],
    ] as const) {
      const parser = new ResponseParser({ method, skipBody });
      parser.put(bytesOf(`HTTP/1.1 ${head}\r\n\r\n`));
      const { response } = parser;
      assert.deepEqual([parser.keepAlive, response!.keepAlive], [keepAlive, keepAlive], `${method} ${head}`);
      // It is nothing that a header could change.
      response!.keepAlive = true;
      assert.equal(response!.keepAlive, keepAlive || /close/.test(head));
    }
  });
});
