// Fields and bodies that requests and responses have alike.
import type { Case, Refusal } from "./feed.ts";

/** Fields, the empty line and a body. */
export type Rest = Omit<Case, "text"> & { readonly rest: string };

/** The field that says how long this text is. */
export const length = (text: string): string => `Content-Length: ${text.length}\r\n`;
export const chunked = "Transfer-Encoding: chunked\r\n";
const ofFive = { headers: ["Content-Length", "5"], body: "hello" };
const inChunks = { headers: ["Transfer-Encoding", "chunked"], body: "hello" };

/** What follows the start line, and what is to become of it. */
export const messages: readonly Rest[] = [
  {
    name: "space around values",
    rest: `a: \t b \t\r\nb:c\r\n${length("")}\r\n`,
    headers: ["a", "b", "b", "c", "Content-Length", "0"],
  },
  {
    name: "empty values",
    rest: `a:\r\nb: \t \r\n${length("")}\r\n`,
    headers: ["a", "", "b", "", "Content-Length", "0"],
  },
  {
    name: "values with colons, space and tabs",
    rest: `a: b: c\td :\r\n${length("")}\r\n`,
    headers: ["a", "b: c\td :", "Content-Length", "0"],
  },
  {
    name: "bytes above 0x7f in values",
    rest: `a: \x80\xe9\xff\r\n${length("")}\r\n`,
    headers: ["a", "\x80\xe9\xff", "Content-Length", "0"],
  },
  {
    name: "repeats, in order, case kept",
    rest: `A: 1\r\ncontent-length: 0\r\na: 3\r\n\r\n`,
    headers: ["A", "1", "content-length", "0", "a", "3"],
  },
  { name: "a body of known length", rest: `${length("hello")}\r\nhello`, ...ofFive },
  {
    name: "leading zeros in a length",
    rest: `Content-Length: 005\r\n\r\nhello`,
    headers: ["Content-Length", "005"],
    body: "hello",
  },
  { name: "a body that looks like a head", rest: `${length("a\r\n\r\n")}\r\na\r\n\r\n`, ...ofFive, body: "a\r\n\r\n" },
  // RFC 9110 5.5: a tab is space around a value like any other.
  {
    name: "tabs around the values of the framing headers: a length",
    rest: "Content-Length:\t 5 \t\r\n\r\nhello",
    ...ofFive,
  },
  {
    name: "tabs around the values of the framing headers: chunks",
    rest: "Transfer-Encoding:\tchunked\t\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ...inChunks,
  },
  {
    name: "a body with all bytes",
    rest: `${length("\0\r\n\xff\x7f")}\r\n\0\r\n\xff\x7f`,
    ...ofFive,
    body: "\0\r\n\xff\x7f",
  },
  { name: "chunks", rest: `${chunked}\r\n1\r\nh\r\n4\r\nello\r\n0\r\n\r\n`, ...inChunks },
  { name: "one chunk", rest: `${chunked}\r\n5\r\nhello\r\n0\r\n\r\n`, ...inChunks },
  { name: "no chunk but the last", rest: `${chunked}\r\n0\r\n\r\n`, ...inChunks, body: "" },
  { name: "extensions", rest: `${chunked}\r\n5;a=b; c ="\\"d"\r\nhello\r\n0;e\r\n\r\n`, ...inChunks },
  {
    name: "a trailer",
    rest: `${chunked}\r\n5\r\nhello\r\n0\r\nA: b \r\nc:\r\nA: d\r\n\r\n`,
    ...inChunks,
    trailers: ["A", "b", "c", "", "A", "d"],
  },
  {
    name: "fields that must not stand in a trailer",
    rest: `${chunked}\r\n0\r\nContent-Length: 5\r\na: b\r\nhost: c\r\n\r\n`,
    ...inChunks,
    body: "",
    trailers: ["a", "b"],
  },
  {
    name: "chunked in another case",
    rest: `transfer-encoding: CHUNKED\r\n\r\n5\r\nhello\r\n0\r\n\r\n`,
    headers: ["transfer-encoding", "CHUNKED"],
    body: "hello",
  },
  { name: "no body, by skipBody", rest: `${length("hello")}\r\n`, ...ofFive, body: "", options: { skipBody: true } },
  { name: "no chunks, by skipBody", rest: `${chunked}\r\n`, ...inChunks, body: "", options: { skipBody: true } },
  { name: "a body of just the limit", rest: `${length("hello")}\r\nhello`, ...ofFive, options: { maxBodySize: 5 } },
  {
    name: "chunks of just the limit",
    rest: `${chunked}\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
    ...inChunks,
    options: { maxBodySize: 5 },
  },
  {
    name: "nothing, where nothing is allowed",
    rest: `${chunked}\r\n0\r\n\r\n`,
    ...inChunks,
    body: "",
    options: { maxBodySize: 0 },
  },
];

/** What is refused behind the start line: the code, the text up to and with the byte at which that is known, and what follows. */
export const refusals: readonly Refusal[] = [
  ["http.bad_field", ":", " a\r\n\r\n"],
  ["http.bad_field", " ", "a: b\r\n\r\n"],
  ["http.bad_field", "\t", "a: b\r\n\r\n"],
  ["http.bad_field", "a ", ": b\r\n\r\n"],
  ["http.bad_field", "a\t", ": b\r\n\r\n"],
  ["http.bad_field", "a\r", "\n\r\n"],
  ["http.bad_field", "a\n", "\r\n"],
  ["http.bad_field", "a(", "): b\r\n\r\n"],
  ["http.bad_field", "\xe9", ": b\r\n\r\n"],
  ["http.bad_field", "a: b\r\n\0", "\r\n\r\n"],
  ["http.bad_value", "a: b\0", "c\r\n\r\n"],
  ["http.bad_value", "a: \x1b", "[0m\r\n\r\n"],
  ["http.bad_value", "a: b\x7f", "\r\n\r\n"],
  ["http.bad_value", "a:\x0b", "b\r\n\r\n"],
  ["http.bad_line_ending", "a: b\n", "\r\n"],
  ["http.bad_line_ending", "a: b\rc", "\r\n\r\n"],
  ["http.bad_line_ending", "a:\n", "\r\n"],
  ["http.bad_line_ending", "\n", "\r\n"],
  ["http.bad_line_ending", "a: b\r\n\n", "\r\n"],
  ["http.bad_line_ending", "\rX", "\r\n"],
  ["http.bad_obs_fold", "a: b\r\n ", "c\r\n\r\n"],
  ["http.bad_obs_fold", "a: b\r\n\t", "c\r\n\r\n"],
  ["http.bad_obs_fold", "a:\r\n ", "\r\n\r\n"],

  ["http.bad_content_length", "Content-Length: 5, 5\r\n\r\n", "hello"],
  ["http.bad_content_length", "Content-Length: -1\r\n\r\n", ""],
  ["http.bad_content_length", "Content-Length: +5\r\n\r\n", "hello"],
  ["http.bad_content_length", "Content-Length: 0x5\r\n\r\n", "hello"],
  ["http.bad_content_length", "Content-Length:\r\n\r\n", ""],
  ["http.bad_content_length", "Content-Length: 9007199254740992\r\n\r\n", ""],
  ["http.multiple_content_length", "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", "hello"],
  ["http.multiple_content_length", "Content-Length: 5\r\ncontent-length: 6\r\n\r\n", "hello"],
  ["http.bad_transfer_encoding", `Content-Length: 5\r\n${chunked}\r\n`, "0\r\n\r\n"],
  ["http.bad_transfer_encoding", `${chunked}Content-Length: 5\r\n\r\n`, "0\r\n\r\n"],
  ["http.bad_transfer_encoding", "Transfer-Encoding: x\r\nContent-Length: 0\r\n\r\n", ""],
  ["http.bad_transfer_encoding", `${chunked}${chunked}\r\n`, "0\r\n\r\n"],
  ["http.bad_transfer_encoding", "Transfer-Encoding: chunked, gzip\r\n\r\n", "0\r\n\r\n"],
  ["http.bad_transfer_encoding", "Transfer-Encoding:\r\n\r\n", ""],
  ["http.bad_value", "Transfer-Encoding: \x0b", "chunked\r\n\r\n"],
  ["http.unknown_transfer_coding", "Transfer-Encoding: gzip, chunked\r\n\r\n", "0\r\n\r\n"],
  ["http.multiple_content_length", `${length("hello")}content-length: 5\r\n\r\n`, "hello", { skipBody: true }],

  ["http.bad_chunk", `${chunked}\r\n\r`, "\n"],
  ["http.bad_chunk", `${chunked}\r\n5\r\nhello0`, "\r\n"],
  ["http.bad_chunk_extension", `${chunked}\r\n5;=b\r\n`, "hello"],
  ["http.bad_line_ending", `${chunked}\r\n5\n`, "hello"],
  ["http.bad_field", `${chunked}\r\n0\r\na `, ": b\r\n\r\n"],
  ["http.bad_obs_fold", `${chunked}\r\n0\r\na: b\r\n `, "c\r\n\r\n"],

  ["http.field_limit", "a:\r\nb", ":\r\n\r\n", { maxHeadersCount: 1 }],
  ["http.field_limit", `${chunked}\r\n0\r\na:\r\nb`, ":\r\n\r\n", { maxHeadersCount: 1 }],
  ["http.header_limit", `${chunked}\r\n0\r\na: ${"b".repeat(97)}`, "\r\n\r\n", { maxHeaderSize: 100 }],
  ["http.body_limit", "Content-Length: 6\r\n\r\n", "hello.", { maxBodySize: 5 }],
  ["http.body_limit", "Content-Length: 9007199254740991\r\n\r\n", "", {}],
  ["http.body_limit", `${chunked}\r\n6\r\n`, "hello.", { maxBodySize: 5 }],
  ["http.body_limit", `${chunked}\r\n4\r\nhell\r\n2\r\n`, "o.", { maxBodySize: 5 }],
  ["http.chunk_extension_limit", `${chunked}\r\n5;abcd`, "\r\nhello", { maxChunkExtensionSize: 4 }],
];
