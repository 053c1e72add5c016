import type { BufferSource } from "../../core/index.ts";
import { bytesOf as viewOf, encodeUtf8, invalidArgument, isPairs, notSendable, piecesOf } from "../../core/internal.ts";
import type { FieldsInit } from "./fields.ts";

/**
 * A streamed body: any async iterable of bytes, such as a Node `Readable`, a Web `ReadableStream`, an async generator,
 * or the body of a received message. It is asked for its next part when there is room, so the recipient sets the pace.
 */
export interface BodyStream extends AsyncIterable<Uint8Array> {
  /** The size in bytes, a whole number, if it is known in advance. */
  readonly size?: number | undefined;
  /**
   * The trailers (RFC 9110 6.5), read at the end of the body and sent if it is chunked: `Fields`, a record or pairs.
   * Node's `IncomingMessage` has those it received; fields that must not be trailers are left out.
   */
  readonly trailers?: FieldsInit | Readonly<Record<string, string | undefined>> | undefined;
}

/** The body of a message: bytes, possibly none, or a stream of them. */
export type Body = Uint8Array | BodyStream;

/** Of a streamed body that may be there already: takes it whole, with memory of its own; undefined if more of it is to come. */
export const takeWhole: unique symbol = Symbol("serval.takeWhole");

/** A body whose parts are read on demand, but that may be there already. */
export interface ReadyBody {
  [takeWhole](): Uint8Array | undefined;
}

/** No bytes. */
export const emptyBody: Uint8Array = new Uint8Array(0);

/**
 * The size of a body in bytes; undefined if it is unknown. Throws `core.invalid_argument` for a size that is not a
 * number of bytes, since it would go into the head unchanged.
 */
export function sizeOf(body: Body): number | undefined {
  if (body instanceof Uint8Array) return body.length;
  const { size } = body;
  if (size === undefined || (Number.isSafeInteger(size) && size >= 0)) return size;
  throw invalidArgument("The size of a body must be a number of bytes, or undefined");
}

/**
 * What a body can be made from: text, sent as UTF-8; bytes; a `Blob`, read as it is sent; an iterable, sync or async,
 * of text and bytes, of which a list has a known size; a {@link BodyStream}. `toFetch` takes no stream of text, as fetch
 * does not.
 */
export type BodyInit =
  | string
  | BufferSource
  | Blob
  | Iterable<string | BufferSource>
  | AsyncIterable<string | BufferSource>
  | BodyStream;

/** Makes a body; bytes and streams are used as they are. Throws `core.invalid_argument` for anything else. */
export function toBody(body: BodyInit | undefined): Body {
  if (body === undefined) return emptyBody;
  if (typeof body === "string") return encodeUtf8(body);
  if (body instanceof Uint8Array || isStream(body)) return body;
  return viewOf(body) ?? bodyOf(body);
}

/** A function of its own, since {@link toBody} would otherwise allocate at each call what its closures capture. */
function bodyOf(body: BodyInit): Body {
  if (body instanceof Blob) return { size: body.size, [Symbol.asyncIterator]: () => piecesOf(body) };
  if (Array.isArray(body)) return bodyOfList(body);
  if (isIterable(body)) return { [Symbol.asyncIterator]: () => partsOf(body) };
  throw notSendable("A body must be a string, bytes, a Blob or an iterable of strings and bytes", body);
}

function bodyOfList(list: readonly unknown[]): BodyStream {
  const parts = Array.from(list, (part) => partOf(part));
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  return { size, [Symbol.asyncIterator]: () => partsOf(parts) };
}

function partsOf(parts: Iterable<string | BufferSource>): AsyncIterator<Uint8Array> {
  return ReadableStream.from(eachOf(parts))[Symbol.asyncIterator]();
}

function* eachOf(parts: Iterable<string | BufferSource>): Generator<Uint8Array, undefined> {
  for (const part of parts) yield partOf(part);
}

function isIterable(body: unknown): body is Iterable<string | BufferSource> {
  return typeof body === "object" && body !== null && Symbol.iterator in body && !isPairs(body);
}

function isStream(body: unknown): body is BodyStream {
  return typeof (body as BodyStream | null)?.[Symbol.asyncIterator] === "function";
}

/** A part of a streamed body, as bytes. Throws `core.invalid_argument` if it is invalid. */
export function partOf(part: unknown): Uint8Array {
  const bytes = typeof part === "string" ? encodeUtf8(part) : viewOf(part);
  if (bytes !== undefined) return bytes;
  throw notSendable("The parts of a body must be strings, ArrayBuffers or views of them", part);
}
