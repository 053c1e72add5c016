import { byteLength } from "../../core/index.ts";
import {
  checkBoolean,
  checkNumber,
  checkObject,
  checkOptions,
  copyOf,
  dropFront,
  encodeLatin1,
  invalidArgument,
  ownOptions,
  show,
} from "../../core/internal.ts";
import type { Body, BodyStream } from "../messages/body.ts";
import { formatChunkExtensions, type ChunkExtensions } from "./chunk-extensions.ts";
import { httpError } from "../messages/errors.ts";
import type { Fields } from "../messages/fields.ts";
import {
  requestDeparture,
  responseDeparture,
  type Answered,
  type Departure,
  type Framing,
} from "../messages/framing.ts";
import { isTarget, isToken, isValue } from "../messages/grammar.ts";
import { Request } from "../messages/request.ts";
import { Response } from "../messages/response.ts";
import { isStatus, statuses } from "../messages/status.ts";
import { hasToken } from "../messages/token-list.ts";
import { isTrailerField } from "./trailer.ts";

/** Options of a {@link Serializer}. */
export interface SerializerOptions {
  /**
   * The request that a response answers: the response to HEAD is only a head (RFC 9110 9.3.2), and HTTP/1.0 has no
   * chunks. Default: a GET of HTTP/1.1.
   */
  request?: Answered | undefined;
  /**
   * Adds `Connection: close`, or `keep-alive` for HTTP/1.0, unless the message already says so. A body that ends with
   * the connection closes it even if this is true. Default: changes nothing.
   */
  keepAlive?: boolean | undefined;
  /** More field lines for the head, each with its CR LF. They are not checked. @internal */
  more?: string;
  /**
   * Whether `next` returns head and body apart: it stops after the head until all of that is consumed. Default false.
   */
  split?: boolean;
  /** The most bytes that `next` returns at once, at least 1. Default Infinity. */
  limit?: number;
}

const serializerOptions = ownOptions("Serializer", ["request", "keepAlive", "more", "split", "limit"], "{ request }");
const none: SerializerOptions = {};

function checkSerialized(message: unknown, options: SerializerOptions): void {
  if (!(message instanceof Request || message instanceof Response)) {
    throw invalidArgument(`Serializing takes an http.Request or an http.Response, not ${show(message)}`);
  }
  if (options === none) return;
  checkOptions(serializerOptions, options);
  checkBoolean("keepAlive", options.keepAlive, false);
  checkBoolean("split", options.split, false);
  checkNumber("limit", options.limit, Infinity, { least: 1, unit: "bytes" });
  checkObject("request", options.request, "the http.Request that is answered");
}

const anyGet: Answered = { method: "GET", version: 11 };
const crlf: Uint8Array = encodeLatin1("\r\n");

/**
 * Turns one message into bytes: head, body, and after a chunked body its trailers. Bytes in, bytes out, no I/O.
 *
 * A body of bytes needs nothing more. The parts of a streamed body are passed to {@link put}, and {@link end} follows
 * the last one.
 *
 * The output can't contain a second message: everything that goes into the head, the extensions of chunks and the
 * trailer is checked, and the body has the announced length or the message fails.
 */
export class Serializer {
  /** As in {@link SerializerOptions}; may be changed at any time. */
  limit: number;
  /** As in {@link SerializerOptions}; may be changed at any time. */
  split: boolean;
  readonly #framing: Framing;
  readonly #isBodySent: boolean;
  readonly #body: Body;
  #queue: Uint8Array[];
  /** How many bytes of the head are still to be consumed. */
  #head: number;
  /** How many bytes of the body have been passed to `put`. */
  #put = 0;
  #hasEnded = false;
  #isUnwanted = false;

  /**
   * Throws `http.bad_method`, `http.bad_target`, `http.bad_version`, `http.bad_status`, `http.bad_reason`,
   * `http.bad_field`, `http.bad_value`; `http.multiple_content_length`; `http.bad_content_length` if it is not the
   * body's length or is not allowed; `http.bad_transfer_encoding` for any but `chunked`; `core.invalid_argument` for a
   * body that the method or the status does not allow.
   */
  constructor(message: Request | Response<Body>, options: SerializerOptions = none) {
    // A server's own, made for each response, are not checked again.
    if (options.more === undefined) checkSerialized(message, options);
    this.limit = options.limit ?? Infinity;
    this.split = options.split ?? false;
    this.#body = message.body;
    const departure = departureOf(message, options.request);
    const more = connectionField(message, departure, options) + (options.more ?? "");
    const head = encodeLatin1(headText(message, departure, more));
    this.#framing = departure.framing;
    this.#isBodySent = message instanceof Request || options.request?.method !== "HEAD";
    this.#head = head.length;
    this.#queue = [head];
    if (message.body instanceof Uint8Array) {
      this.put(message.body);
      this.end();
    } else if (!this.#isBodySent || this.#framing === 0) {
      this.#hasEnded = this.#isUnwanted = true;
    }
  }

  /** Whether the head is consumed. */
  get isHeaderDone(): boolean {
    return this.#head === 0;
  }

  /** Whether all of the message is consumed. */
  get isDone(): boolean {
    return this.#hasEnded && this.#queue.length === 0;
  }

  /** Whether everything put in is consumed and more of the body is to come: call {@link put} or {@link end} next. */
  get needsBody(): boolean {
    return !this.#hasEnded && this.#queue.length === 0;
  }

  /** Whether the message ends with the connection, which must be ended after it. */
  get needsEof(): boolean {
    return this.#framing === "eof";
  }

  /** The streamed body, if there is one and it is to be sent. */
  get source(): BodyStream | undefined {
    return this.#hasEnded || this.#body instanceof Uint8Array ? undefined : this.#body;
  }

  /** A streamed body that is not sent, since the message is only a head. */
  get unwanted(): BodyStream | undefined {
    return this.#isUnwanted ? (this.#body as BodyStream) : undefined;
  }

  /**
   * The next bytes, in one buffer or more; none if the serializer is done or {@link needsBody}. They stay the same, or
   * become more, until {@link consume} drops them. Buffers of the body are those passed to `put`, and must not change
   * until then.
   */
  next(): readonly Uint8Array[] {
    const most = this.split && this.#head > 0 ? Math.min(this.limit, this.#head) : this.limit;
    return most === Infinity ? this.#queue : firstOf(this.#queue, most);
  }

  /** Drops the first `size` bytes of {@link next}, after they were written. */
  consume(size: number): void {
    this.#queue = dropFront(this.#queue, size);
    this.#head = Math.max(0, this.#head - size);
  }

  /**
   * Takes a part of the body; in a chunked body it becomes a chunk with these extensions. An empty part is ignored (a
   * chunk of size 0 would be the last). Throws `http.bad_content_length` for more bytes than announced,
   * `http.bad_chunk_extension`, and `core.invalid_argument` for extensions without chunks and for a part after the end.
   */
  put(part: Uint8Array, extensions?: ChunkExtensions): void {
    if (this.#hasEnded) throw invalidArgument("The body has already ended");
    const chunked = this.#framing === "chunked";
    if (extensions !== undefined && !chunked) throw noExtensions();
    const line = extensions === undefined ? "" : formatChunkExtensions(extensions);
    if (typeof this.#framing === "number" && this.#isBodySent && this.#put + part.length > this.#framing) {
      throw httpError("http.bad_content_length", {
        message: `The body has more than the ${this.#framing} bytes announced`,
      });
    }
    if (part.length === 0 || !this.#isBodySent) return;
    this.#put += part.length;
    if (!chunked) this.#queue.push(part);
    else this.#queue.push(encodeLatin1(`${part.length.toString(16)}${line}\r\n`), part, crlf);
  }

  /**
   * Completes the body. Trailers follow a chunked body; in other messages they are left out, since they have no place
   * there (RFC 9110 6.5.1). Throws `http.bad_content_length` for fewer bytes than announced, and for the trailer
   * `http.bad_field`, `http.bad_value`, and `http.bad_trailer` for a field that is not allowed there.
   */
  end(trailers?: Fields, extensions?: ChunkExtensions): void {
    if (this.#hasEnded) throw invalidArgument("The body has already ended");
    if (extensions !== undefined && this.#framing !== "chunked") throw noExtensions();
    if (!this.#isBodySent || this.#framing === "eof") {
      this.#hasEnded = true;
    } else if (this.#framing === "chunked") {
      const line = extensions === undefined ? "" : formatChunkExtensions(extensions);
      const last = encodeLatin1(`0${line}\r\n${trailers === undefined ? "" : trailerText(trailers)}\r\n`);
      this.#queue.push(last);
      this.#hasEnded = true;
    } else if (this.#put < this.#framing) {
      throw httpError("http.bad_content_length", {
        message: `The body has ${this.#put} bytes, but ${this.#framing} were announced`,
      });
    } else {
      this.#hasEnded = true;
    }
  }
}

/**
 * The bytes of a message's head, with its empty line: the headers in order, and the framing header to be added. A
 * response is HTTP/1.1, a request has its own version. Throws as {@link Serializer} does.
 */
export function serializeHead(message: Request | Response<Body>, options: SerializerOptions = none): Uint8Array {
  checkSerialized(message, options);
  const departure = departureOf(message, options.request);
  return encodeLatin1(headText(message, departure, connectionField(message, departure, options)));
}

/** A message with its whole body, in a new buffer. Throws as {@link Serializer} does. */
export function serialize(message: Request | Response, options: SerializerOptions = none): Uint8Array {
  const serializer = new Serializer(message, options);
  if (serializer.source !== undefined) throw invalidArgument("A streamed body can't be serialized: send it with write");
  const parts = serializer.next();
  return copyOf(parts, byteLength(parts));
}

/** How a message is framed and sent. */
export function departureOf(message: Request | Response<Body>, answered: Answered = anyGet): Departure {
  if (message instanceof Request) return requestDeparture(message.method, message);
  return responseDeparture(message.status, message, answered);
}

/** The text of a head, with its empty line; `more` field lines follow its own. Checks all but `more`. */
export function headText(message: Request | Response<Body>, { framing, add }: Departure, more: string): string {
  const { headers } = message;
  const checked = headers.isChecked;
  const raw = headers.list;
  let head = message instanceof Request ? requestLine(message) : statusLine(message);
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    const value = raw[i + 1];
    if (!checked) checkField(name, value);
    head += `${name}: ${value}\r\n`;
  }
  if (add === "Content-Length") head += `Content-Length: ${String(framing)}\r\n`;
  else if (add === "Transfer-Encoding") head += "Transfer-Encoding: chunked\r\n";
  return `${head}${more}\r\n`;
}

/** The Connection field line to add; empty if none. */
export function connectionField(
  { headers }: { readonly headers: Fields },
  { framing }: Departure,
  { keepAlive, request = anyGet }: SerializerOptions,
): string {
  if (framing === "eof" && keepAlive !== undefined)
    return connectionField({ headers }, { framing: 0 }, { keepAlive: false });
  if (keepAlive === undefined || (keepAlive && request.version >= 11)) return "";
  const option = keepAlive ? "keep-alive" : "close";
  return hasToken(headers.get("Connection"), option) ? "" : `Connection: ${option}\r\n`;
}

function requestLine({ method, target, version }: Request): string {
  if (!isToken(method)) throw httpError("http.bad_method");
  if (!isTarget(target)) throw httpError("http.bad_target");
  if (version !== 10 && version !== 11) throw httpError("http.bad_version");
  return `${method} ${target} HTTP/1.${version - 10}\r\n`;
}

/** The reasons of the registered statuses, and the status lines with these, which need no check. */
const usual = new Map(
  Object.entries(statuses).map(([status, reason]) => [
    Number(status),
    { reason, line: `HTTP/1.1 ${status} ${reason}\r\n` },
  ]),
);

function statusLine({ status, reason }: Response<Body>): string {
  const known = usual.get(status);
  if (known !== undefined && known.reason === reason) return known.line;
  if (!isStatus(status)) throw httpError("http.bad_status");
  if (!isValue(reason)) throw httpError("http.bad_reason");
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

function checkField(name: string, value: string): void {
  if (!isToken(name)) throw httpError("http.bad_field");
  if (!isValue(value)) throw httpError("http.bad_value");
}

function trailerText(trailers: Fields): string {
  let text = "";
  for (const [name, value] of trailers) {
    checkField(name, value);
    if (!isTrailerField(name)) throw httpError("http.bad_trailer", { message: `${name} can't be a trailer` });
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

/** The first `most` bytes of a list of buffers, or all if there are fewer. */
function firstOf(buffers: readonly Uint8Array[], most: number): Uint8Array[] {
  const first: Uint8Array[] = [];
  let left = most;
  for (const buffer of buffers) {
    if (left <= 0) break;
    first.push(buffer.length > left ? buffer.subarray(0, left) : buffer);
    left -= buffer.length;
  }
  return first;
}

function noExtensions(): Error {
  return invalidArgument("Only a chunked body can have extensions");
}
