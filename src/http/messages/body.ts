import type { BufferSource } from "../../core/index.ts";
import { bytesOf as viewOf, encodeUtf8, invalidArgument, isPromise, piecesOf } from "../../core/internal.ts";
import type { FieldsInit } from "./fields.ts";

/**
 * A body that comes in parts: any async iterable of bytes, such as a Node `Readable`, a Web `ReadableStream`, an async
 * generator, or the body of a server's request and a client's response. It is asked for its next part once there is room,
 * so the reader of the message sets the pace.
 */
export interface BodyStream extends AsyncIterable<Uint8Array> {
  /** How many bytes there are in all, where that is known before they are there: a whole number. */
  readonly size?: number | undefined;
  /**
   * The trailers (RFC 9110 6.5), asked for at the end of the body. They are sent where it is chunked: `Fields`, a record or
   * pairs. Of Node's `IncomingMessage`, which has any that came, those are left out that must not be trailers.
   */
  readonly trailers?: FieldsInit | Readonly<Record<string, string | undefined>> | undefined;
}

/** The body of a message: bytes, possibly none, or a stream of them. */
export type Body = Uint8Array | BodyStream;

/** No bytes. */
export const emptyBody: Uint8Array = new Uint8Array(0);

/**
 * The size of a body in bytes, if it is known. Throws `core.invalid_argument` for one that is no number of bytes: it would
 * stand in a head as it is.
 */
export function sizeOf(body: Body): number | undefined {
  if (body instanceof Uint8Array) return body.length;
  const { size } = body;
  if (size === undefined || (Number.isSafeInteger(size) && size >= 0)) return size;
  throw invalidArgument("The size of a body must be a number of bytes, or undefined");
}

/**
 * What a body is made from: text, which is sent as UTF-8; bytes; a `Blob`, which is read as it is sent; an iterable of
 * text and bytes, a list with a known size; a {@link BodyStream}.
 */
export type BodyInit = string | BufferSource | Blob | Iterable<string | BufferSource> | BodyStream;

/** Makes a body; bytes and streams are taken as they are. Throws `core.invalid_argument` for anything else. */
export function toBody(body: BodyInit | undefined): Body {
  if (body === undefined) return emptyBody;
  if (typeof body === "string") return encodeUtf8(body);
  if (body instanceof Uint8Array || isStream(body)) return body;
  return viewOf(body) ?? bodyOf(body);
}

/** Apart from {@link toBody}, whose every call would otherwise make room for what these functions hold. */
function bodyOf(body: Exclude<BodyInit, string | BodyStream>): Body {
  if (body instanceof Blob) return { size: body.size, [Symbol.asyncIterator]: () => piecesOf(body) };
  if (Array.isArray(body)) return bodyOfList(Array.from(body, (part) => partOf(part)));
  if (isIterable(body)) return { [Symbol.asyncIterator]: () => partsOf(body) };
  throw invalidArgument(`A body must be a string, bytes, a Blob or an iterable of strings and bytes${adviceOn(body)}`);
}

function bodyOfList(parts: readonly Uint8Array[]): BodyStream {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  return { size, [Symbol.asyncIterator]: () => partsOf(parts) };
}

function partsOf(parts: Iterable<string | BufferSource>): AsyncIterator<Uint8Array> {
  return ReadableStream.from(eachOf(parts))[Symbol.asyncIterator]();
}

function* eachOf(parts: Iterable<string | BufferSource>): Generator<Uint8Array, undefined> {
  for (const part of parts) yield partOf(part);
}

/** Not of pairs, as maps, forms and headers are. */
function isIterable(body: unknown): body is Iterable<string | BufferSource> {
  return typeof body === "object" && body !== null && Symbol.iterator in body && !("get" in body);
}

/** What may have been meant by something that is no body. */
function adviceOn(body: unknown): string {
  if (isPromise(body)) return ", not a promise: is an await missing?";
  if (body instanceof URLSearchParams) return ": String makes a string of a URLSearchParams";
  return typeof body === "object" && body !== null
    ? ": JSON.stringify makes a string of an object"
    : `, not ${typeof body}`;
}

function isStream(body: unknown): body is BodyStream {
  return typeof (body as BodyStream | null)?.[Symbol.asyncIterator] === "function";
}

/** A part that a source gave, as bytes. Throws `core.invalid_argument` for what is none. */
export function partOf(part: unknown): Uint8Array {
  const bytes = typeof part === "string" ? encodeUtf8(part) : viewOf(part);
  if (bytes !== undefined) return bytes;
  throw invalidArgument(`The parts of a body must be strings, ArrayBuffers or views of them, not ${typeof part}`);
}
