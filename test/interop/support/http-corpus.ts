// Messages to compare parsers with: ordinary ones, and the known ways to make two parsers disagree.
import { chrome } from "../../http/support/samples.ts";
import type { Input } from "./http-seen.ts";
import {
  before,
  brokenLineEnds,
  chunkedBodies,
  chunkSizes,
  encodings,
  fieldLines,
  lengths,
  requestLines,
  statusLines,
} from "./http-tricks.ts";

const lines = (...all: string[]): string => [...all, "\r\n"].join("\r\n");
const request = (text: string): Input => ({ kind: "request", text });
const response = (text: string, method = "GET"): Input => ({ kind: "response", method, text });
const post = (...all: string[]): string => lines("POST /p HTTP/1.1", "Host: a", ...all);
const ok = (...all: string[]): string => lines("HTTP/1.1 200 OK", ...all);
const chunkedPost = post("Transfer-Encoding: chunked");
const chunkedOk = ok("Transfer-Encoding: chunked");
const smuggled = lines("GET /smuggled HTTP/1.1", "Host: a");

const firefox = lines(
  "GET /index.html?q=a%20b HTTP/1.1",
  "Host: www.example.com",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Language: en-US,en;q=0.5",
  "Accept-Encoding: gzip, deflate, br, zstd",
  "Connection: keep-alive",
  "Upgrade-Insecure-Requests: 1",
);
const curl = `${lines(
  "POST /submit HTTP/1.1",
  "Host: localhost:3000",
  "User-Agent: curl/8.14.1",
  "Accept: */*",
  "Content-Length: 11",
  "Content-Type: application/x-www-form-urlencoded",
)}hello=world`;
const nginx = `${ok(
  "Server: nginx/1.26.3",
  "Date: Sun, 06 Nov 1994 08:49:37 GMT",
  "Content-Type: text/html",
  "Content-Length: 5",
  "Last-Modified: Sat, 05 Nov 1994 08:49:37 GMT",
  "Connection: keep-alive",
  'ETag: "3147526947"',
  "Accept-Ranges: bytes",
)}hello`;

const ordinaryRequests: readonly string[] = [
  firefox,
  curl,
  chrome,
  lines("GET / HTTP/1.0"),
  lines("GET / HTTP/1.0", "Connection: keep-alive"),
  lines("HEAD / HTTP/1.1", "Host: a", "Connection: close"),
  lines("OPTIONS * HTTP/1.1", "Host: a"),
  lines("GET http://a/b?c HTTP/1.1", "Host: a"),
  lines("CONNECT a:443 HTTP/1.1", "Host: a:443"),
  lines("DELETE /p HTTP/1.1", "Host: a"),
  `${post("Content-Length: 3")}abc`,
  `${post("Content-Length: 0")}${smuggled}`,
  `${post("Content-Length: 3", "Expect: 100-continue")}abc`,
  `${post("Content-Length: 3", "Connection: Upgrade", "Upgrade: h2c")}abc`,
  `${lines("GET / HTTP/1.1", "Host: a", "Content-Length: 3")}abc${smuggled}`,
  `${chunkedPost}3\r\nabc\r\n0\r\n\r\n`,
  `${chunkedPost}3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n${smuggled}`,
  `${chunkedPost}3;a\r\nabc\r\n3;a=b;c="d e"\r\nabc\r\n0;last\r\n\r\n${smuggled}`,
  `${chunkedPost}3\r\nabc\r\n0\r\nX-Sum: 900150983cd24fb0\r\nX-Empty:\r\n\r\n${smuggled}`,
  `${firefox}${curl}${smuggled}`,
];

const ordinaryResponses: readonly Input[] = [
  response(nginx),
  response(`${nginx}${nginx}`),
  response(`${chunkedOk}3\r\nabc\r\n0\r\n\r\n${nginx}`),
  response(`${chunkedOk}3;a=b\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n${nginx}`),
  response(`${ok("Server: a")}up to the end`),
  response(`${lines("HTTP/1.0 200 OK", "Server: a")}up to the end`),
  response(lines("HTTP/1.1 404 Not Found", "Content-Length: 0")),
  response(lines("HTTP/1.1 200", "Content-Length: 0")),
  response(lines("HTTP/1.1 200 ", "Content-Length: 0")),
  response(lines("HTTP/1.1 299 Fine \xe9", "Content-Length: 0")),
  ...["GET", "HEAD", "CONNECT"].flatMap((method) => [
    response(`${ok("Content-Length: 5")}hello`, method),
    response(`${chunkedOk}3\r\nabc\r\n0\r\n\r\n`, method),
    response(`${ok("Connection: close")}abc`, method),
    response(`${lines("HTTP/1.1 204 No Content")}${nginx}`, method),
    response(`${lines("HTTP/1.1 204 No Content", "Content-Length: 0")}${nginx}`, method),
    response(`${lines("HTTP/1.1 304 Not Modified", 'ETag: "a"')}${nginx}`, method),
    response(`${lines("HTTP/1.1 407 Who Are You", "Content-Length: 3")}abc`, method),
  ]),
  response(`${lines("HTTP/1.1 304 Not Modified", "Content-Length: 5")}${nginx}`),
  response(`${lines("HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked")}0\r\n\r\n${nginx}`),
  response(`${lines("HTTP/1.1 204 No Content", "Content-Length: 5")}${nginx}`),
  response(`${lines("HTTP/1.1 204 No Content", "Transfer-Encoding: chunked")}0\r\n\r\n${nginx}`),
  response(`${lines("HTTP/1.1 205 Reset Content", "Content-Length: 0")}${nginx}`),
  response(`${lines("HTTP/1.1 100 Continue")}${nginx}`),
  response(`${lines("HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload")}${nginx}`),
  response(`${lines("HTTP/1.1 100 Continue", "Content-Length: 5")}${nginx}`),
  response(`${lines("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: websocket")}\x81\x01a`),
  response(`${lines("HTTP/1.1 101 Switching Protocols", "Connection: Upgrade", "Upgrade: a", "Content-Length: 3")}abc`),
  response(`${lines("HTTP/1.1 101 Switching Protocols")}${nginx}`),
  response(`${ok("Connection: Upgrade", "Upgrade: h2c", "Content-Length: 3")}abc`),
];

/** Two framings in one request: what is left behind by one of them is a request. */
const contradictions: readonly string[] = [
  `${post("Content-Length: 4", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
  `${post("Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  `${post("Content-Length: 6", "Transfer-Encoding: chunked")}0\r\n\r\nG`,
  `${post("Content-Length: 0", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
  `${post("Transfer-Encoding: chunked", "Content-Length: 4")}5c\r\n${smuggled}0\r\n\r\n`,
  `${post("Transfer-Encoding: identity", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  `${post("Transfer-Encoding:", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  `${post("Connection: Transfer-Encoding", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
  `${post("Connection: Content-Length", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  `${lines("POST / HTTP/1.0", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
  `${lines("POST / HTTP/1.0", "Transfer-Encoding: chunked", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  `${lines("POST / HTTP/1.0", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  ...["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "FROBNICATE"].flatMap((method) => [
    `${lines(`${method} / HTTP/1.1`, "Host: a", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
    `${lines(`${method} / HTTP/1.1`, "Host: a", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
  ]),
  `${lines("CONNECT a:80 HTTP/1.1", "Host: a", "Content-Length: 0")}${smuggled}`,
  `${lines("CONNECT a:80 HTTP/1.1", "Host: a", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  `${lines("CONNECT a:80 HTTP/1.1", "Host: a", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
  `${lines("GET / HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: a", "Content-Length: 5")}0\r\n\r\n${smuggled}`,
  `${lines("GET / HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: a", "Transfer-Encoding: chunked")}0\r\n\r\n${smuggled}`,
];

/** All of them. */
export const corpus: readonly Input[] = [
  ...[
    ...ordinaryRequests,
    ...encodings.map((line) => `${post(line)}3\r\nabc\r\n0\r\n\r\n${smuggled}`),
    ...encodings.map((line) => `${post("Content-Length: 5", line)}0\r\n\r\n${smuggled}`),
    ...encodings.map((line) => `${post(line, "Content-Length: 5")}0\r\n\r\n${smuggled}`),
    ...lengths.map((line) => `${post(line)}01234${smuggled}`),
    ...chunkSizes.map((size) => `${chunkedPost}${size}\r\nabc\r\n0\r\n\r\n${smuggled}`),
    ...chunkedBodies.map((body) => `${chunkedPost}${body}${smuggled}`),
    ...fieldLines.map((line) => `${lines("GET / HTTP/1.1", "Host: a", line, "Z: z")}${smuggled}`),
    ...fieldLines.map((line) => `${lines("GET / HTTP/1.1", line, "Host: a")}${smuggled}`),
    ...requestLines.map((line) => `${lines(line, "Host: a")}${smuggled}`),
    ...contradictions,
    ...before.map((text) => text + firefox),
    ...before.map((text) => `${curl}${text}${smuggled}`),
    ...brokenLineEnds(`${chunkedPost}3\r\nabc\r\n0\r\nA: b\r\n\r\n${smuggled}`),
    ...brokenLineEnds(`${chunkedPost}0\r\n\r\n`),
  ].map(request),
  ...ordinaryResponses,
  ...[
    ...encodings.map((line) => `${ok(line)}3\r\nabc\r\n0\r\n\r\n${nginx}`),
    ...encodings.map((line) => `${ok("Content-Length: 5", line)}0\r\n\r\n${nginx}`),
    ...lengths.map((line) => `${ok(line)}01234${nginx}`),
    ...chunkSizes.map((size) => `${chunkedOk}${size}\r\nabc\r\n0\r\n\r\n${nginx}`),
    ...chunkedBodies.map((body) => `${chunkedOk}${body}${nginx}`),
    ...fieldLines.map((line) => `${ok("Content-Length: 0", line)}${nginx}`),
    ...statusLines.map((line) => `${lines(line, "Content-Length: 0")}${nginx}`),
    ...before.map((text) => text + nginx),
    ...before.map((text) => `${nginx}${text}${nginx}`),
    ...brokenLineEnds(`${chunkedOk}3\r\nabc\r\n0\r\nA: b\r\n\r\n${nginx}`),
  ].map((text) => response(text)),
];
