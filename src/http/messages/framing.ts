import { invalidArgument } from "../../core/internal.ts";
import { sizeOf, type Body } from "./body.ts";
import { httpError } from "./errors.ts";
import type { Fields } from "./fields.ts";
import type { ParsedFields } from "./parsed-fields.ts";
import { isBodiless } from "./status.ts";
import { parseTokenList } from "./token-list.ts";

// Where a body ends: RFC 9112 6. One framing for each message, and no doubt about it: two parties that disagree here are
// how a request is smuggled.

/** How the end of a body is found: after so many bytes, by chunks, or with the stream. */
export type Framing = number | "chunked" | "eof";

/** What of a request decides how the response to it is framed. */
export interface Answered {
  readonly method: string;
  /** As in `Request.version`. */
  readonly version: number;
}

/**
 * The Content-Length of a message in bytes, undefined where it has none. Throws where its framing cannot be trusted:
 * `http.multiple_content_length` for more than one, even if they agree, `http.bad_content_length` for anything but
 * digits or a length above 2^53 - 1, `http.bad_transfer_encoding` for both framings at once (RFC 9112 6.1 and 6.3: the
 * way to smuggle a request).
 */
export function contentLength(headers: Fields): number | undefined {
  const value = headers.first("Content-Length");
  if (value === undefined) return undefined;
  if (headers.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
  if (headers.count("Content-Length") > 1) throw httpError("http.multiple_content_length");
  // RFC 9110 8.6: 1*DIGIT. Number() alone would take signs, exponents and space.
  const length = /^[0-9]+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(length)) throw httpError("http.bad_content_length");
  return length;
}

/**
 * Whether a message is chunked, and nothing else. Throws `http.bad_transfer_encoding` for a malformed list, for one that
 * does not end with the one chunked in it, and with HTTP/1.0, which has none (RFC 9112 6.1);
 * `http.unknown_transfer_coding` for a sound list with other codings before it.
 */
export function isChunked(headers: Fields, version: number): boolean {
  const value = headers.get("Transfer-Encoding");
  if (value === undefined) return false;
  if (version < 11) throw httpError("http.bad_transfer_encoding");
  const codings = value.toLowerCase();
  // As it stands: an empty element is something that others may see otherwise.
  if (codings === "chunked") return true;
  const list = parseTokenList(codings);
  const sound = list !== undefined && list.length > 1 && list.indexOf("chunked") === list.length - 1;
  throw httpError(sound ? "http.unknown_transfer_coding" : "http.bad_transfer_encoding");
}

/**
 * RFC 9110 5.5 lets a tab stand after any value. But llhttp, and so Node, takes one after `chunked` for a part of the
 * coding, and a response with that for one that ends with the stream. Nobody sends it who means well. Throws
 * `http.bad_transfer_encoding` and `http.bad_content_length`.
 */
export function checkTabs(fields: ParsedFields): void {
  if (fields.hasTabAfter("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
  if (fields.hasTabAfter("Content-Length")) throw httpError("http.bad_content_length");
}

/**
 * How a received request is framed. Throws as {@link contentLength} and {@link isChunked} do, and the same codes for a
 * CONNECT with a body: it has none (RFC 9110 9.3.6), and others take what follows its head for the tunnel's also if its
 * headers say otherwise.
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

/** How a received response to a request of this method is framed. Throws as {@link contentLength} and {@link isChunked} do. */
export function responseFraming(headers: Fields, version: number, status: number, method: string): Framing {
  const length = contentLength(headers);
  if (hasNoBody(status, method)) return 0;
  // RFC 9112 6.3, rule 8: the body of a response can end with the connection.
  return isChunked(headers, version) ? "chunked" : (length ?? "eof");
}

/** RFC 9112 6.3, rules 1 and 2: whether nothing follows the head of a response, also if its headers announce a body. */
export function hasNoBody(status: number, method: string): boolean {
  return isBodiless(status) || method === "HEAD" || isTunnel(status, method);
}

function isTunnel(status: number, method: string): boolean {
  return method === "CONNECT" && status >= 200 && status < 300;
}

/** How a message is sent. */
export interface Departure {
  readonly framing: Framing;
  /** The field that has to be added to say so. */
  readonly add?: "Content-Length" | "Transfer-Encoding";
}

/** A request with its parts that matter here. */
interface Outgoing {
  readonly version: number;
  readonly headers: Fields;
  readonly body: Body;
}

const nothing: Departure = { framing: 0 };
const chunked: Departure = { framing: "chunked" };
const newlyChunked: Departure = { framing: "chunked", add: "Transfer-Encoding" };

/** The methods whose requests have a length also where they have no body: RFC 9110 8.6. */
const withContent: ReadonlySet<string> = new Set(["POST", "PUT", "PATCH"]);

/**
 * How a request is to be sent. Throws `http.multiple_content_length`, `http.bad_content_length` for one that is not the
 * body's, `http.bad_transfer_encoding` for any but `chunked`, and `core.invalid_argument` for a body that can't be sent
 * so: any with TRACE or CONNECT (RFC 9110 9.3.8 and 9.3.6), one of unknown size to HTTP/1.0.
 */
export function requestDeparture(method: string, { version, headers, body }: Outgoing): Departure {
  const size = sizeOf(body);
  if ((method === "TRACE" || method === "CONNECT") && size !== 0) {
    throw invalidArgument(`A ${method} request has no body`);
  }
  // Not even one of no chunks: what takes it for a tunnel would find its end there.
  if (method === "CONNECT" && headers.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
  const given = givenFraming(headers, version, size);
  if (given !== undefined) return given;
  if (size === undefined) {
    if (version < 11) throw invalidArgument("To HTTP/1.0, the size of a body must be known: set Content-Length");
    return newlyChunked;
  }
  return size > 0 || withContent.has(method) ? { framing: size, add: "Content-Length" } : nothing;
}

/**
 * How a response to this request is to be sent. Throws as {@link requestDeparture} does; `core.invalid_argument` for a
 * body that the status does not allow.
 */
export function responseDeparture(status: number, { headers, body }: Outgoing, answered: Answered): Departure {
  const { method, version } = answered;
  const size = sizeOf(body);
  const bodiless = isBodiless(status);
  const tunnel = isTunnel(status, method);
  if ((bodiless || tunnel) && size !== 0) {
    const which = tunnel ? "to a CONNECT that succeeds" : `with status ${status}`;
    throw invalidArgument(`A response ${which} has no body`);
  }
  if (tunnel || (bodiless && status !== 304)) {
    // RFC 9110 8.6 and RFC 9112 6.1: neither, ever.
    if (headers.has("Content-Length")) throw httpError("http.bad_content_length");
    if (headers.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
    return nothing;
  }
  // RFC 9110 8.6: with 304 and the answer to HEAD it tells of a body that is not sent.
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

/** The framing that the headers say, if any; it must be the body's, whose size may be unknown. */
function givenFraming(headers: Fields, version: number, size: number | undefined): Departure | undefined {
  if (headers.has("Transfer-Encoding")) {
    if (headers.has("Content-Length")) throw httpError("http.bad_transfer_encoding");
    // It is, or throws.
    isChunked(headers, version);
    return chunked;
  }
  const length = contentLength(headers);
  if (length === undefined) return undefined;
  if (size !== undefined && length !== size) {
    throw httpError("http.bad_content_length", {
      message: `Content-Length is ${length}, and the body has ${size} bytes`,
    });
  }
  return { framing: length };
}
