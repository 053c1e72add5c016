import { invalidArgument } from "../../core/internal.ts";
import { sizeOf, type Body } from "./body.ts";
import { httpError } from "./errors.ts";
import type { Fields } from "./fields.ts";
import { isBodiless } from "./status.ts";
import { parseTokenList } from "./token-list.ts";

// Where a body ends (RFC 9112 6). Each message must have exactly one framing: a disagreement between two parties allows
// request smuggling.

/** How the end of a body is found: by its length in bytes, by chunks, or at the end of the stream. */
export type Framing = number | "chunked" | "eof";

/** The parts of a request that decide how its response is framed. */
export interface Answered {
  readonly method: string;
  /** As in `Request.version`. */
  readonly version: number;
}

/**
 * The Content-Length of a message in bytes, undefined if it has none. Throws if the framing can't be trusted:
 * `http.multiple_content_length` for more than one, even if they agree; `http.bad_content_length` for anything but
 * digits, or a length above 2^53 - 1; `http.bad_transfer_encoding` for both framings at once (RFC 9112 6.1 and 6.3:
 * request smuggling).
 */
export function contentLength(headers: Fields): number | undefined {
  const value = headers.first("Content-Length");
  if (value === undefined) return undefined;
  if (headers.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
  if (headers.count("Content-Length") > 1) throw httpError("http.multiple_content_length");
  // RFC 9110 8.6: 1*DIGIT. Number() alone would accept signs, exponents and space.
  const length = /^[0-9]+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(length)) throw httpError("http.bad_content_length");
  return length;
}

/**
 * Whether a message has the transfer coding chunked and no other. Throws `http.bad_transfer_encoding` for a malformed
 * list, for one that does not end with a single chunked, and with HTTP/1.0, which has none (RFC 9112 6.1);
 * `http.unknown_transfer_coding` for a valid list with other codings before it.
 */
export function isChunked(headers: Fields, version: number): boolean {
  const value = headers.get("Transfer-Encoding");
  if (value === undefined) return false;
  if (version < 11) throw httpError("http.bad_transfer_encoding");
  const codings = value.toLowerCase();
  // Compared exactly: others may read a list with an empty element differently.
  if (codings === "chunked") return true;
  const list = parseTokenList(codings);
  const sound = list !== undefined && list.length > 1 && list.indexOf("chunked") === list.length - 1;
  throw httpError(sound ? "http.unknown_transfer_coding" : "http.bad_transfer_encoding");
}

/**
 * How a received request is framed. Throws as {@link contentLength} and {@link isChunked} do, with the same codes for a
 * CONNECT whose headers announce a body: it has none (RFC 9110 9.3.6), and other implementations take the bytes after
 * its head for the tunnel's.
 */
export function requestFraming(headers: Fields, version: number, method: string = "GET"): Framing {
  const length = contentLength(headers);
  const chunked = isChunked(headers, version);
  if (method === "CONNECT") {
    if (chunked) throw httpError("http.bad_transfer_encoding");
    if (length !== undefined && length > 0) throw httpError("http.bad_content_length");
  }
  return chunked ? "chunked" : (length ?? 0);
}

/**
 * How a received response to a request of this method is framed. Throws as {@link contentLength} and {@link isChunked}
 * do, unless it has no body in any case: then they must be ignored, whatever they say (RFC 9112 6.3, RFC 9110 9.3.6).
 */
export function responseFraming(headers: Fields, version: number, status: number, method: string): Framing {
  if (hasNoBody(status, method)) return 0;
  const length = contentLength(headers);
  // RFC 9112 6.3, rule 8: the body of a response can end with the connection.
  return isChunked(headers, version) ? "chunked" : (length ?? "eof");
}

/** Whether no body follows the head of a response, even if its headers announce one (RFC 9112 6.3, rules 1 and 2). */
export function hasNoBody(status: number, method: string): boolean {
  return isBodiless(status) || method === "HEAD" || isTunnel(status, method);
}

/** Whether a response to a request of this method is the last of HTTP on its connection (RFC 9110 15.2.2 and 9.3.6). */
export function switchesProtocol(status: number, method: string): boolean {
  return status === 101 || isTunnel(status, method);
}

function isTunnel(status: number, method: string): boolean {
  return method === "CONNECT" && status >= 200 && status < 300;
}

/** How a message is framed when it is sent. */
export interface Departure {
  readonly framing: Framing;
  /** The framing header to be added. */
  readonly add?: "Content-Length" | "Transfer-Encoding";
}

/** The parts of a request or response that decide its framing. */
interface Outgoing {
  readonly version: number;
  readonly headers: Fields;
  readonly body: Body;
}

const nothing: Departure = { framing: 0 };
const chunked: Departure = { framing: "chunked" };
const newlyChunked: Departure = { framing: "chunked", add: "Transfer-Encoding" };

/** Methods whose requests have a length even without a body (RFC 9110 8.6). */
const withContent: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/**
 * How a request is framed when it is sent. Throws `http.multiple_content_length`; `http.bad_content_length` if it is
 * not the body's length; `http.bad_transfer_encoding` for any but `chunked`; `core.invalid_argument` for a body that
 * can't be sent: any with TRACE or CONNECT (RFC 9110 9.3.8 and 9.3.6), one of unknown size with HTTP/1.0.
 */
export function requestDeparture(method: string, { version, headers, body }: Outgoing): Departure {
  const size = sizeOf(body);
  if ((method === "TRACE" || method === "CONNECT") && size !== 0) {
    throw invalidArgument(`A ${method} request has no body`);
  }
  // Not even an empty chunked body: a recipient would read its last chunk as the tunnel's first bytes.
  if (method === "CONNECT" && headers.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
  const given = givenFraming(headers, version, size);
  if (given !== undefined) return given;
  if (size === undefined) {
    if (version < 11) throw invalidArgument("With HTTP/1.0 the size of a body must be known: set Content-Length");
    return newlyChunked;
  }
  return size > 0 || withContent.has(method) ? { framing: size, add: "Content-Length" } : nothing;
}

/**
 * How the response to this request is framed when it is sent. Throws as {@link requestDeparture} does, and
 * `core.invalid_argument` for a body that the status does not allow.
 */
export function responseDeparture(status: number, { headers, body }: Outgoing, answered: Answered): Departure {
  const { method, version } = answered;
  const size = sizeOf(body);
  const bodiless = isBodiless(status);
  const tunnel = isTunnel(status, method);
  if ((bodiless || tunnel) && size !== 0) {
    const which = tunnel ? "to a successful CONNECT" : `with status ${status}`;
    throw invalidArgument(`A response ${which} has no body`);
  }
  if (tunnel || (bodiless && status !== 304)) {
    // Such a response must have neither (RFC 9110 8.6, RFC 9112 6.1).
    if (headers.has("Content-Length")) throw httpError("http.bad_content_length");
    if (headers.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
    return nothing;
  }
  // With 304, and in a response to HEAD, it is the length of a body that is not sent (RFC 9110 8.6).
  const mayDiffer = status === 304 || method === "HEAD";
  const given = givenFraming(headers, version, mayDiffer ? undefined : size);
  if (given !== undefined) return mayDiffer ? nothing : given;
  if (status === 304) return nothing;
  if (size === undefined) {
    if (version < 11) return { framing: "eof" };
    return method === "HEAD" ? { framing: 0, add: "Transfer-Encoding" } : newlyChunked;
  }
  return { framing: size, add: "Content-Length" };
}

/** The framing that the headers announce, if any. It must fit the body, whose size may be unknown. */
function givenFraming(headers: Fields, version: number, size: number | undefined): Departure | undefined {
  if (headers.has("Transfer-Encoding")) {
    if (headers.has("Content-Length")) throw httpError("http.bad_transfer_encoding");
    // Called for its checks.
    isChunked(headers, version);
    return chunked;
  }
  const length = contentLength(headers);
  if (length === undefined) return undefined;
  if (size !== undefined && length !== size) {
    throw httpError("http.bad_content_length", {
      message: `Content-Length is ${length}, but the body has ${size} bytes`,
    });
  }
  return { framing: length };
}
