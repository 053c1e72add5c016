// Where our parser and llhttp see an input differently, and why nothing comes of it. docs/strictness.md has the table.
import { hasNoBody } from "../../../src/http/messages/framing.ts";
import type { Aspect, Found } from "./http-compare.ts";
import { untold } from "./http-llhttp-node.ts";
import type { Input } from "./http-seen.ts";

/** A difference that is known. */
export interface Difference {
  /** What is sent, in words. */
  readonly what: string;
  /** An input that shows it. */
  readonly example: Input;
  /** One, or several that come of the same. */
  readonly aspect: Aspect | readonly Aspect[];
  /** What we do, and what llhttp does. */
  readonly we: string;
  readonly they: string;
  /** Why it is so, and where we are the looser ones, why that smuggles nothing. */
  readonly why: string;
  /** Whether a difference is of this kind. Its aspect is. */
  readonly matches: (found: Found) => boolean;
  /** Where we accept what they refuse, or frame it otherwise: the same without that, so that they frame it as we do. */
  readonly mend?: (found: Found) => string;
  /** The first llhttp of Node's that has it, and the first that no longer has it, as a number: 9.04 for 9.4. */
  readonly since?: number;
  readonly until?: number;
  /** The one that has it, if not all have. */
  readonly only?: "undici";
}

const request = (...lines: string[]): Input => ({ kind: "request", text: lines.join("\r\n") });
const response = (...lines: string[]): Input => ({ kind: "response", text: lines.join("\r\n") });
const chunked = (...body: string[]): Input =>
  request("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked", "", ...body);

/** The line that we refused, up to the byte where we did, and that byte. */
function refusedLine({ input: { text }, ours: { at } }: Found): string {
  return text.slice(text.lastIndexOf("\n", at - 1) + 1, at + 1);
}

function firstLine({ input }: Found): string {
  return /^(?:\r\n)?([^\r\n]*)/.exec(input.text)![1]!;
}

/** The values of a field in the text of a head, as far as it goes. */
function valuesOf({ input }: Found, name: string): string[] {
  const head = input.text.split("\r\n\r\n")[0]!;
  return [...head.matchAll(new RegExp(`^${name}:(.*)\\r?$`, "gim"))].map(([, value]) => value!);
}

/** Whether a tab follows the value of a field of this name. */
function hasTabAfter(found: Found, name: string): boolean {
  return valuesOf(found, name).some((value) => /\t[ \t]*$/.test(value));
}

/** The text without the space after the values of the framing fields in its head. */
function withoutSpace({ input: { text } }: Found): string {
  const end = text.indexOf("\r\n\r\n") + 2;
  const head = text.slice(0, end);
  return head.replace(/^((?:content-length|transfer-encoding):.*?)[ \t]+(?=\r$)/gim, "$1") + text.slice(end);
}

/** The codings that a message names, as llhttp takes them: a list without its empty elements. */
function codings(found: Found): string[] {
  return valuesOf(found, "transfer-encoding")
    .join(",")
    .split(",")
    .map((coding) => coding.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase());
}

/** Another protocol, or a version of HTTP, that llhttp knows. */
const otherVersion = /(?:HTTP\/(?:0\.9|2\.0)|(?:RTSP|ICE)\/(?:0\.9|1\.0|1\.1|2\.0))/;

/** The list. The first entry that matches is the one. */
export const differences: readonly Difference[] = [
  // Where we are looser.
  {
    what: "a method that llhttp does not know",
    example: request("BREW /pot HTTP/1.1", "Host: a", "", ""),
    aspect: "accepted",
    we: "accept any token",
    they: "refuse",
    why: "RFC 9110 9.1: methods are open-ended. The framing of a request does not depend on its method, except for CONNECT.",
    matches: ({ theirs, ours }) =>
      theirs.head === undefined &&
      ours.head!.start[0] !== "CONNECT" &&
      // The last two are methods that it has for other protocols only, and the preface of HTTP/2.
      ["HPE_INVALID_METHOD", "HPE_INVALID_CONSTANT", "HPE_INVALID_VERSION"].includes(theirs.code!),
    mend: ({ input }) => input.text.replace(/^(\r\n)?\S+/, "$1POST"),
  },
  {
    what: "a target that is neither a path, `*`, an authority nor a URL",
    example: request("GET a HTTP/1.1", "Host: a", "", ""),
    aspect: "accepted",
    we: "accept any visible ASCII",
    they: "refuse",
    why: "The target ends at the one space after it, whatever its form; a router looks at the form itself.",
    matches: ({ theirs }) => theirs.head === undefined && theirs.code === "HPE_INVALID_URL",
    mend: ({ input }) => input.text.replace(/^((?:\r\n)?\S+ )\S+/, "$1/"),
  },
  {
    what: "space around the `;` and `=` of a chunk extension",
    example: chunked("3 ; a = b", "abc", "0", "", ""),
    aspect: "accepted",
    we: "accept",
    they: "refuse",
    why: "RFC 9112 7.1.1 requires recipients to accept it. The size is the same digits; space without an extension after it is refused.",
    matches: ({ theirs, input }) =>
      ["HPE_INVALID_CHUNK_SIZE", "HPE_STRICT", untold].includes(theirs.code!) &&
      /^[\dA-Fa-f]+(?=[ \t;])[^\r\n]*[ \t]/.test(input.text.slice(input.text.lastIndexOf("\n", theirs.at - 1) + 1)),
    mend: ({ input: { text }, theirs }) => {
      const start = text.lastIndexOf("\n", theirs.at - 1) + 1;
      const end = text.indexOf("\r", start);
      return text.slice(0, start) + text.slice(start, end).replace(/[ \t]*([;=])[ \t]*/g, "$1") + text.slice(end);
    },
  },
  {
    what: "Content-Length or Transfer-Encoding in a trailer",
    example: chunked("0", "Content-Length: 5", "", ""),
    aspect: "accepted",
    we: "leave it out of the trailer",
    they: "refuse",
    why: "RFC 9110 6.5.1. The message ends at the same byte: its framing is in its head.",
    matches: ({ theirs, input }) =>
      ["HPE_INVALID_CONTENT_LENGTH", "HPE_INVALID_TRANSFER_ENCODING", untold].includes(theirs.code!) &&
      theirs.head !== undefined &&
      /\r\n0+[^\r\n]*\r\n(?:[^\r\n]+\r\n)*(?:content-length|transfer-encoding):?[^\r\n]*[\r\n]*$/i.test(
        input.text.slice(0, theirs.at),
      ),
    mend: ({ input: { text }, theirs }) => {
      const names = [...text.slice(0, theirs.at).matchAll(/^(?:content-length|transfer-encoding)/gim)];
      const { index } = names.at(-1)!;
      return `${text.slice(0, index)}X-${text.slice(index)}`;
    },
  },
  {
    what: "an empty Transfer-Encoding, in a response without a body",
    example: response("HTTP/1.1 304 Not Modified", "Transfer-Encoding:", "", ""),
    aspect: "accepted",
    we: "accept",
    they: "refuse, from 9.4 on",
    why: "RFC 9112 6.3: nothing follows the head, whatever its headers say.",
    matches: ({ input, ours, theirs }) =>
      theirs.code === "HPE_INVALID_TRANSFER_ENCODING" &&
      input.kind === "response" &&
      ours.end === "whole" &&
      ours.body === "" &&
      /^transfer-encoding:[ \t]*\r$/im.test(input.text.slice(0, ours.at)),
    mend: ({ input }) => input.text.replace(/^transfer-encoding:[ \t]*\r\n/im, ""),
    since: 9.04,
  },
  {
    what: "a Content-Length that is malformed, repeated or beside a Transfer-Encoding, in a response without a body",
    example: response("HTTP/1.1 204 No Content", "Content-Length: 5", "Content-Length: 5", "", ""),
    aspect: "accepted",
    we: "ignore it",
    they: "refuse",
    why: "RFC 9112 6.3, RFC 9110 9.3.6: nothing follows the head of 1xx, 204 and 304, of an answer to HEAD, and of a success of CONNECT, whatever its headers say.",
    matches: ({ input, ours, theirs }) =>
      /^HPE_(?:INVALID|UNEXPECTED)_(?:CONTENT_LENGTH|TRANSFER_ENCODING)$/.test(theirs.code!) &&
      input.kind === "response" &&
      ours.end === "whole" &&
      /^content-length:/im.test(input.text.slice(0, ours.at)) &&
      hasNoBody(Number(ours.head!.start[0]), input.method ?? "GET"),
    mend: ({ input: { text }, ours: { at } }) =>
      text.slice(0, at).replace(/^content-length:.*\r\n/gim, "") + text.slice(at),
  },
  {
    what: "a tab after the value of Content-Length",
    example: request("POST / HTTP/1.1", "Host: a", "Content-Length: 5\t", "", "hello"),
    aspect: "accepted",
    we: "accept",
    they: "refuse, before 9.4",
    why: "RFC 9110 5.5: it is space around the value, as around any other.",
    matches: (found) =>
      ["HPE_INVALID_CONTENT_LENGTH", untold].includes(found.theirs.code!) && hasTabAfter(found, "content-length"),
    mend: withoutSpace,
    until: 9.04,
  },
  {
    what: "a tab after the value of Transfer-Encoding, in a request",
    example: request("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked\t", "", "0", "", ""),
    aspect: "accepted",
    we: "accept",
    they: "refuse",
    why: "RFC 9110 5.5: it is space around the value, as around any other.",
    matches: (found) =>
      ["HPE_INVALID_TRANSFER_ENCODING", untold].includes(found.theirs.code!) &&
      found.input.kind === "request" &&
      hasTabAfter(found, "transfer-encoding"),
    mend: withoutSpace,
  },
  {
    what: "a tab after `chunked`, in a response",
    example: response("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\t", "", "0", "", "", "HTTP/1.1 200 OK"),
    aspect: ["length", "body", "trailers", "refused"],
    we: "read the chunks",
    they: "take it for another coding: the body ends with the stream",
    why: "RFC 9110 5.5: it is space around the value, as around any other. For llhttp it is the last response of its connection, so no byte after it can become another response.",
    matches: (found) =>
      found.input.kind === "response" &&
      hasTabAfter(found, "transfer-encoding") &&
      codings(found).join() === "chunked" &&
      found.theirs.end !== "refused" &&
      // In the chunks, not for another reason in the head.
      found.ours.head !== undefined,
    mend: withoutSpace,
  },
  {
    what: "headers that are not allowed in a trailer",
    example: chunked("0", "Host: b", "A: b", "", ""),
    aspect: "trailers",
    we: "leave them out",
    they: "pass them on",
    why: "RFC 9110 6.5.1: no recipient may trust them, and forwarding them would invite others to.",
    matches: ({ ours, theirs }) => isWithout(ours.trailers, theirs.trailers),
  },

  // Where we are stricter.
  {
    what: "line ends before a message",
    example: request("", "", "GET / HTTP/1.1", "Host: a", "", ""),
    aspect: "refused",
    we: "accept one CR LF before a request",
    they: "skip any number of CR and LF",
    why: "RFC 9112 2.2 asks for one. More of them may be the rest of a body that another parser considered shorter.",
    matches: ({ input, ours: { at } }) =>
      /^[\r\n]*$/.test(input.text.slice(0, at)) && /^[\r\n]/.test(input.text) && at <= 2,
  },
  {
    what: "HTTP/0.9, HTTP/2.0, RTSP and ICE",
    example: request("GET / HTTP/2.0", "Host: a", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept, with the rules of HTTP/1.1",
    why: "The first has no headers, the others are other protocols.",
    matches: (found) =>
      ["http.bad_version", "http.bad_start_line"].includes(found.ours.code!) && otherVersion.test(firstLine(found)),
  },
  {
    what: "a request line without a version",
    example: request("GET /", "Host: a", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept, as HTTP/0.9 that has headers",
    why: "RFC 9112 3: there is no such request.",
    matches: (found) =>
      ["http.bad_target", "http.bad_start_line"].includes(found.ours.code!) &&
      /^\S+ +[^ ]*[\r\n]$/.test(refusedLine(found)),
  },
  {
    what: "more than one space in a request line",
    example: request("GET  /  HTTP/1.1", "Host: a", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept",
    why: "RFC 9112 3: one. With more, a parser that splits at each space sees another target.",
    matches: (found) =>
      ["http.bad_target", "http.bad_start_line"].includes(found.ours.code!) && refusedLine(found).endsWith("  "),
  },
  {
    what: "control characters in a reason",
    example: response("HTTP/1.1 200 O\0K", "Content-Length: 0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept",
    why: "RFC 9112 4. llhttp takes all but CR and LF.",
    matches: ({ input, ours }) => ours.code === "http.bad_reason" && !/[\r\n]/.test(input.text[ours.at]!),
  },
  {
    what: "CR CR after a status line",
    example: response("HTTP/1.1 200 OK\r\r", "", "abc"),
    aspect: "refused",
    we: "refuse",
    they: "accept the second one for the LF, before 9.4",
    why: "RFC 9112 2.2.",
    matches: (found) =>
      found.ours.code === "http.bad_line_ending" && /^HTTP\/1\.[01] \d{3}[^\r\n]*\r\r$/.test(refusedLine(found)),
    until: 9.04,
  },
  {
    what: "a status below 100",
    example: response("HTTP/1.1 099 OK", "Content-Length: 0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept",
    why: "RFC 9110 15: there is none.",
    matches: (found) => found.ours.code === "http.bad_status" && /^HTTP\/1\.[01] 0$/.test(refusedLine(found)),
  },
  {
    what: "a Content-Length of 2^53 and more",
    example: request("POST / HTTP/1.1", "Host: a", "Content-Length: 9007199254740992", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept up to 2^64 - 1",
    why: "It can't be counted exactly.",
    matches: (found) =>
      found.ours.code === "http.bad_content_length" &&
      valuesOf(found, "content-length").some((value) => /^[ \t]*\d+[ \t]*$/.test(value) && Number(value) >= 2 ** 53),
  },
  {
    what: "a chunk size of more than 13 digits",
    example: chunked("00000000000003", "abc", "0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept up to 2^64 - 1, with any number of zeros before it",
    why: "It can't be counted exactly, and endless zeros waste work.",
    matches: (found) => found.ours.code === "http.bad_chunk" && /^[\dA-Fa-f]{14}$/.test(refusedLine(found)),
  },
  {
    what: "a chunk extension without a name or a value, or with a quoted text after a token",
    example: chunked("3;a=", "abc", "0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept",
    why: "RFC 9112 7.1.1.",
    matches: (found) =>
      found.ours.code === "http.bad_chunk_extension" && /;(?:=|;|\r)|=(?:;|\r)|=[^";\r]+"/.test(refusedLine(found)),
  },
  {
    what: "DEL in the quoted text of a chunk extension",
    example: chunked('3;a="\x7f"', "abc", "0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept, in undici alone",
    why: "RFC 9110 5.6.4.",
    matches: ({ input, ours }) => ours.code === "http.bad_chunk_extension" && input.text[ours.at] === "\x7f",
    only: "undici",
  },
  {
    what: "Transfer-Encoding in HTTP/1.0",
    example: request("POST / HTTP/1.0", "Transfer-Encoding: chunked", "", "0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "accept",
    why: "RFC 9112 6.1: its framing is faulty; an HTTP/1.0 proxy may have passed the header on without reading it.",
    matches: (found) =>
      found.ours.code === "http.bad_transfer_encoding" &&
      /HTTP\/1\.0/.test(firstLine(found)) &&
      codings(found).length > 0,
  },
  {
    what: "CONNECT with a body",
    example: request("CONNECT a:80 HTTP/1.1", "Host: a", "Content-Length: 5", "", "hello"),
    aspect: "refused",
    we: "refuse",
    they: "take the body for the tunnel's",
    why: "RFC 9110 9.3.6: it has none. The bytes after the head may be the body's or the tunnel's.",
    matches: (found) =>
      ["http.bad_content_length", "http.bad_transfer_encoding"].includes(found.ours.code!) &&
      firstLine(found).startsWith("CONNECT "),
  },
  {
    what: "an empty Transfer-Encoding",
    example: request("POST / HTTP/1.1", "Host: a", "Transfer-Encoding:", "Content-Length: 5", "", "hello"),
    aspect: "refused",
    we: "refuse",
    they: "ignore it, and use a Content-Length, before 9.4",
    why: "RFC 9112 6.1: the sender is broken, and another parser may see another framing.",
    matches: (found) => found.ours.code === "http.bad_transfer_encoding" && codings(found).join("") === "",
    until: 9.04,
  },
  {
    what: "empty elements in Transfer-Encoding",
    example: request("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: ,chunked", "", "0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "ignore them",
    why: "RFC 9110 5.6.1.2 has recipients ignore them, but other parsers see another coding there.",
    matches: (found) =>
      ["http.bad_transfer_encoding", "http.unknown_transfer_coding"].includes(found.ours.code!) &&
      codings(found).includes(""),
  },
  {
    what: "a response whose codings don't end with the one `chunked`",
    example: response("HTTP/1.1 200 OK", "Transfer-Encoding: gzip", "", "abc"),
    aspect: "refused",
    we: "refuse",
    they: "read it to the end of the stream; `chunked` twice as once",
    why: "RFC 9112 6.3 allows the former. But the coding could not be decoded, and it may be a misspelled `chunked`.",
    matches: (found) => {
      const all = codings(found);
      const isLast = all.indexOf("chunked") === all.length - 1;
      return found.ours.code === "http.bad_transfer_encoding" && found.input.kind === "response" && !isLast;
    },
  },
  {
    what: "a request with Upgrade and codings that don't end with `chunked`",
    example: request(
      "GET / HTTP/1.1",
      "Host: a",
      "Connection: Upgrade",
      "Upgrade: a",
      "Transfer-Encoding: gzip",
      "",
      "",
    ),
    aspect: "refused",
    we: "refuse",
    they: "take the bytes that follow for the other protocol's, but refuse the request without Upgrade",
    why: "RFC 9112 6.3: it has a body, and no rule says where that ends.",
    matches: (found) =>
      found.ours.code === "http.bad_transfer_encoding" &&
      found.input.kind === "request" &&
      valuesOf(found, "upgrade").length > 0 &&
      codings(found).at(-1) !== "chunked",
  },
  {
    what: "codings before `chunked`",
    example: request("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: gzip, chunked", "", "0", "", ""),
    aspect: "refused",
    we: "refuse, with 501",
    they: "hand out the coded body",
    why: "RFC 9112 6.1: a coding that can't be decoded is not implemented. A malformed list gets 400.",
    matches: (found) =>
      ["http.unknown_transfer_coding", "http.bad_transfer_encoding"].includes(found.ours.code!) &&
      codings(found).length > 1 &&
      codings(found).at(-1) === "chunked",
  },
  {
    what: "more headers than the limit",
    example: request("GET / HTTP/1.1", "Host: a", ...Array.from({ length: 100 }, () => "A: b"), "", ""),
    aspect: "refused",
    we: "refuse",
    they: "have no limit",
    why: "`maxHeadersCount`.",
    matches: ({ ours }) => ours.code === "http.field_limit",
  },
  {
    what: "a head or a trailer longer than the limit",
    example: request("GET / HTTP/1.1", "Host: a", `A: ${"a".repeat(16_384)}`, "", ""),
    aspect: "refused",
    we: "refuse",
    they: "have none in undici, and one that counts otherwise in Node.js",
    why: "`maxHeaderSize`.",
    matches: ({ ours }) => ["http.header_limit", "http.method_limit", "http.target_limit"].includes(ours.code!),
    only: "undici",
  },
  {
    what: "chunk extensions longer than the limit",
    example: chunked(`3;a=${"b".repeat(5000)}`, "abc", "0", "", ""),
    aspect: "refused",
    we: "refuse",
    they: "have none, or in Node a higher one",
    why: "`maxChunkExtensionSize`.",
    matches: ({ ours }) => ours.code === "http.chunk_extension_limit",
  },
  {
    what: "several lines of Cookie",
    example: request("GET / HTTP/1.1", "Host: a", "Cookie: a=1", "Accept: */*", "Cookie: b=2", "", ""),
    aspect: "headers",
    we: "take them for one, joined by `; `",
    they: "hand out each",
    why: "RFC 6265 5.4: a client sends one. A program that reads one line would miss the others.",
    matches: ({ ours, theirs }) => String(ours.head!.headers) === String(withOneCookie(theirs.head!.headers)),
  },
];

/** Whether all fields that we have are among theirs, in order. */
function isWithout(ours: readonly string[], theirs: readonly string[]): boolean {
  let at = 0;
  for (let index = 0; index < theirs.length && at < ours.length; index += 2) {
    if (theirs[index] === ours[at] && theirs[index + 1] === ours[at + 1]) at += 2;
  }
  return at === ours.length;
}

/** The fields with all lines of Cookie in the place of the first. */
function withOneCookie(fields: readonly string[]): string[] {
  const joined: string[] = [];
  let first: number | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const isCookie = fields[index]!.toLowerCase() === "cookie";
    if (isCookie && first !== undefined) joined[first] += `; ${fields[index + 1]}`;
    else {
      if (isCookie) first = joined.length + 1;
      joined.push(fields[index]!, fields[index + 1]!);
    }
  }
  return joined;
}
