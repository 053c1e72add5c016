import { byteLength } from "../../core/index.ts";
import { copyOf, dropFront, encodeLatin1, invalidArgument } from "../../core/internal.ts";
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
import type { Response } from "../messages/response.ts";
import { isStatus } from "../messages/status.ts";
import { hasToken } from "../messages/token-list.ts";
import { isTrailerField } from "./trailer.ts";

/** Options of a {@link Serializer}. */
export interface SerializerOptions {
  /**
   * What a response answers: nothing follows the head of the answer to HEAD (RFC 9110 9.3.2), and to HTTP/1.0 nothing is
   * chunked. Default a GET of HTTP/1.1.
   */
  request?: Answered | undefined;
  /**
   * Adds to the message what Connection has to say about that, unless it does already: `close`, or `keep-alive` to
   * HTTP/1.0. A body that ends with the connection does not keep it, also if this is true. Default: leaves it as it is.
   */
  keepAlive?: boolean | undefined;
  /** More field lines for the head, each with its CR LF; they are not checked. @internal */
  more?: string;
  /** Whether head and body are given out apart: `next` stops after the head until all of that is consumed. Default false. */
  split?: boolean;
  /** The most bytes that `next` gives out at once, at least 1. Default Infinity. */
  limit?: number;
}

const anyGet: Answered = { method: "GET", version: 11 };
const crlf: Uint8Array = encodeLatin1("\r\n");

/**
 * Turns one message into bytes: head, body, and after a chunked body its trailers. Bytes in, bytes out, no I/O.
 *
 * A body that is bytes needs nothing more. The parts of one that comes in parts are handed over with {@link put},
 * and says with {@link end} that there are no more.
 *
 * It can't be made to begin a second message: all that goes into the head, the extensions of chunks and the trailer is
 * checked, however it got there, and the body is as long as the head says or the message fails.
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
  /** How many bytes of the head are still to go. */
  #head: number;
  /** How many bytes of the body have been put in. */
  #put = 0;
  #hasEnded = false;
  #isUnwanted = false;

  /**
   * Throws `http.bad_method`, `http.bad_target`, `http.bad_version`, `http.bad_status`, `http.bad_reason`,
   * `http.bad_field`, `http.bad_value`; `http.multiple_content_length`, `http.bad_content_length` for one that is not the
   * body's or may not be there, `http.bad_transfer_encoding` for any but `chunked`; `core.invalid_argument` for a body
   * that the method or the status does not allow.
   */
  constructor(message: Request | Response<Body>, options: SerializerOptions = {}) {
    this.limit = options.limit ?? Infinity;
    if (!(this.limit >= 1)) throw invalidArgument("The limit of a serializer is at least 1 byte");
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

  /** Whether all that was put in is consumed, and more of the body is to come: {@link put} or {@link end} is next. */
  get needsBody(): boolean {
    return !this.#hasEnded && this.#queue.length === 0;
  }

  /** Whether the message ends with the connection: it has to be ended after it. */
  get needsEof(): boolean {
    return this.#framing === "eof";
  }

  /** The body, if it is one that comes in parts, and any of them are to be put in. */
  get source(): BodyStream | undefined {
    return this.#hasEnded || this.#body instanceof Uint8Array ? undefined : this.#body;
  }

  /** A body that comes in parts and is not sent, since the head alone is. */
  get unwanted(): BodyStream | undefined {
    return this.#isUnwanted ? (this.#body as BodyStream) : undefined;
  }

  /**
   * The bytes that are next, in one buffer or more: none where the serializer is done or {@link needsBody}. They are the
   * same, and more, until {@link consume} says that they are written. Buffers of the body are those that were put in,
   * and must stay untouched until then.
   */
  next(): readonly Uint8Array[] {
    const most = this.split && this.#head > 0 ? Math.min(this.limit, this.#head) : this.limit;
    return most === Infinity ? this.#queue : firstOf(this.#queue, most);
  }

  /** Drops the first `size` bytes of the next ones. */
  consume(size: number): void {
    this.#queue = dropFront(this.#queue, size);
    this.#head = Math.max(0, this.#head - size);
  }

  /**
   * Takes a part of the body; where that is chunked, it becomes a chunk, with these extensions. An empty part is nothing
   * (a chunk of size 0 would be the last). Throws `http.bad_content_length` for more than the head has announced,
   * `http.bad_chunk_extension`, and `core.invalid_argument` for extensions where there are no chunks and for a part
   * after the end.
   */
  put(part: Uint8Array, extensions?: ChunkExtensions): void {
    if (this.#hasEnded) throw invalidArgument("The body has ended already");
    const chunked = this.#framing === "chunked";
    if (extensions !== undefined && !chunked) throw noExtensions();
    const line = extensions === undefined ? "" : formatChunkExtensions(extensions);
    if (typeof this.#framing === "number" && this.#isBodySent && this.#put + part.length > this.#framing) {
      throw httpError("http.bad_content_length", {
        message: `The body has more than the ${this.#framing} bytes that were announced`,
      });
    }
    if (part.length === 0 || !this.#isBodySent) return;
    this.#put += part.length;
    if (!chunked) this.#queue.push(part);
    else this.#queue.push(encodeLatin1(`${part.length.toString(16)}${line}\r\n`), part, crlf);
  }

  /**
   * The body is complete. The trailers follow a chunked one; elsewhere there is no place for them, and they are left
   * out (RFC 9110 6.5.1). Throws `http.bad_content_length` for less than the head has announced, and for the trailer
   * `http.bad_field`, `http.bad_value`, and `http.bad_trailer` for a field that must not stand there.
   */
  end(trailers?: Fields, extensions?: ChunkExtensions): void {
    if (this.#hasEnded) throw invalidArgument("The body has ended already");
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
        message: `The body has ${this.#put} bytes, and ${this.#framing} were announced`,
      });
    } else {
      this.#hasEnded = true;
    }
  }
}

/**
 * The head of a message as bytes to write, through its empty line: the headers in order and what has to be added to frame
 * its body. A response goes out as HTTP/1.1, a request in the version that it has. Throws as {@link Serializer} does.
 */
export function serializeHead(message: Request | Response<Body>, options: SerializerOptions = {}): Uint8Array {
  const departure = departureOf(message, options.request);
  return encodeLatin1(headText(message, departure, connectionField(message, departure, options)));
}

/** A message with its body, of which all is there, as bytes of their own. Throws as {@link Serializer} does. */
export function serialize(message: Request | Response, options: SerializerOptions = {}): Uint8Array {
  const serializer = new Serializer(message, options);
  if (serializer.source !== undefined) throw invalidArgument("A body that comes in parts has to be written, by write");
  const parts = serializer.next();
  return copyOf(parts, byteLength(parts));
}

/** How a message is to be sent. */
export function departureOf(message: Request | Response<Body>, answered: Answered = anyGet): Departure {
  if (message instanceof Request) return requestDeparture(message.method, message);
  return responseDeparture(message.status, message, answered);
}

/** The text of a head, through its empty line, with more field lines after its own. Checks all but those. */
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

/** What is to be added about the connection. */
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

function statusLine({ status, reason }: Response<Body>): string {
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

/** The first `most` bytes of a list of buffers, or all of them where there are fewer. */
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
