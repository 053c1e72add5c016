// The table of the contract: requests, and what each is answered with.
import { concat, utf8 } from "./frames.ts";
import { answer, key, latin1, requestBytes, requestOfSize, type Changes } from "./requests.ts";

/** A request, and what becomes of it. */
export interface AcceptCase {
  name: string;
  bytes: Uint8Array;
  /** The error; undefined where the stream opens. */
  code?: string;
  /** The status of the response; undefined where there is none. */
  status?: number;
  /** Fields of the response, besides those that all of its kind have. */
  headers?: Record<string, string>;
  /** The peer ends behind the bytes. */
  ends?: boolean;
  /** The bytes cannot be made a request of: the parser's own rules refuse them. */
  unparsed?: boolean;
}

const good = (name: string, changes: Changes = {}, line?: string): AcceptCase => ({
  name,
  bytes: requestBytes(changes, line),
  status: 101,
});

const bad = (code: string, changes: Changes, line?: string, more: Partial<AcceptCase> = {}): AcceptCase => ({
  name: `${code}: ${line ?? JSON.stringify(changes)}`,
  bytes: requestBytes(changes, line),
  code: code.includes(".") ? code : `websocket.${code}`,
  status: 400,
  ...more,
});

const malformed = (code: string, bytes: string, status = 400): AcceptCase => ({
  name: `http.${code}: ${JSON.stringify(bytes.slice(0, 60))}`,
  bytes: latin1(bytes),
  code: `http.${code}`,
  status,
  unparsed: true,
});

const head = (headers: string): string => `GET /chat HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
const tooMany = { a: Array.from({ length: 2000 }, () => "") };
const version426 = { Upgrade: "websocket", "Sec-WebSocket-Version": "13" };

export const acceptCases: AcceptCase[] = [
  good("a plain request"),
  good("an absolute target", {}, "GET http://example.com/chat HTTP/1.1"),
  good("lists in Connection and Upgrade", { Connection: "keep-alive, UPGRADE", Upgrade: "h2c, WebSocket" }),
  good("repeated Connection and Upgrade are joined", {
    Connection: ["keep-alive", "Upgrade"],
    Upgrade: ["h2c", "websocket"],
  }),
  good("repeated protocols and extensions are joined", {
    "Sec-WebSocket-Protocol": ["a", "b"],
    "Sec-WebSocket-Extensions": ["x", "permessage-deflate"],
  }),
  good("Content-Length: 0", { "Content-Length": "0" }),
  good("Expect is ignored", { Expect: "100-continue" }),
  { ...good("an empty line before the request"), bytes: concat(utf8("\r\n"), requestBytes()) },
  { ...good("a head of 16,384 bytes"), bytes: requestOfSize(16_384) },

  bad("bad_http_version", {}, "GET /chat HTTP/1.0"),
  bad("bad_method", {}, "POST /chat HTTP/1.1", { status: 405, headers: { Allow: "GET" } }),
  bad("bad_method", {}, "get /chat HTTP/1.1", { status: 405, headers: { Allow: "GET" } }),
  bad("no_host", { Host: undefined }),
  bad("bad_host", { Host: "a b" }),
  bad("bad_host", { Host: ["a", "a"] }),
  bad("no_connection", { Connection: undefined }),
  bad("no_connection_upgrade", { Connection: "keep-alive" }),
  bad("no_upgrade", { Upgrade: undefined }),
  bad("no_upgrade_websocket", { Upgrade: "h2c" }),
  bad("no_sec_key", { "Sec-WebSocket-Key": undefined }),
  bad("bad_sec_key", { "Sec-WebSocket-Key": "AAAA" }),
  bad("bad_sec_key", { "Sec-WebSocket-Key": [key, key] }),
  bad("no_sec_version", { "Sec-WebSocket-Version": undefined }),
  bad("bad_sec_version", { "Sec-WebSocket-Version": "8" }, undefined, { status: 426, headers: version426 }),
  bad("bad_sec_version", { "Sec-WebSocket-Version": ["13", "13"] }),
  bad("bad_sec_protocol", { "Sec-WebSocket-Protocol": "a b" }),
  bad("http.unexpected_body", { "Content-Length": "5" }),
  bad("http.unexpected_body", { "Transfer-Encoding": "chunked" }),
  bad("http.unexpected_body", { "Content-Length": "5" }, "POST /chat HTTP/1.0"),
  {
    ...bad("buffer_overflow", {}),
    name: "a head of 16,385 bytes",
    bytes: requestOfSize(16_385),
    status: 431,
    unparsed: true,
  },
  {
    ...bad("buffer_overflow", {}),
    name: "a head that has no end by 16,384 bytes",
    bytes: requestOfSize(20_000).subarray(0, 16_384),
    status: 431,
    unparsed: true,
  },

  malformed("bad_version", "GET / HTTP/2.0\r\n", 505),
  malformed("bad_version", "GET / HTTP/1.2\r\n", 505),
  malformed("bad_start_line", "GET / HTTP/1.1x\r\n"),
  malformed("bad_start_line", "GET /pa th HTTP/1.1\r\n"),
  malformed("bad_start_line", "GET / http/1.1\r\n"),
  malformed("target_limit", `GET /${"a".repeat(16_384)}`, 414),
  malformed("method_limit", "A".repeat(16_384), 501),
  malformed("bad_method", "\x16\x03\x01\x02\x00\x01"),
  malformed("bad_method", "G@T / HTTP/1.1\r\n"),
  malformed("bad_target", "GET  HTTP/1.1\r\n"),
  malformed("bad_line_ending", "GET / HTTP/1.1\n"),
  malformed("bad_field", head("A b: c\r\n")),
  malformed("bad_value", head("A: b\0\r\n")),
  malformed("bad_obs_fold", head("A: b\r\n c\r\n")),
  malformed("bad_content_length", head("Content-Length: x\r\n")),
  malformed("multiple_content_length", head("Content-Length: 0\r\nContent-Length: 0\r\n")),
  malformed("bad_transfer_encoding", head("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n")),
  { ...bad("http.field_limit", tooMany), name: "more than 2,000 headers", status: 431, unparsed: true },

  { name: "the end before the first byte", bytes: new Uint8Array(0), code: "websocket.closed", ends: true },
  { name: "the end behind an empty line", bytes: utf8("\r\n"), code: "websocket.closed", ends: true, unparsed: true },
  { ...malformed("partial_message", "G"), ends: true },
  { ...malformed("partial_message", head("").slice(0, -1)), ends: true },
  {
    ...malformed("partial_message", head("")),
    name: "http.partial_message: one byte is missing",
    bytes: requestBytes().subarray(0, -1),
    ends: true,
  },
];

/** The fields that every response of a kind has. */
export function fieldsOfAll(status: number): Record<string, string> {
  if (status !== 101) return { Connection: "close", "Content-Type": "text/plain; charset=utf-8" };
  return { Upgrade: "websocket", Connection: "Upgrade", "Sec-WebSocket-Accept": answer };
}
