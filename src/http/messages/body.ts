import { bytesOf as viewOf, encodeUtf8, invalidArgument, isPromise } from "../../core/internal.ts";
import type { Fields } from "./fields.ts";

/**
 * A body that comes in parts: any async iterable of bytes, such as a Node `Readable`, a Web `ReadableStream`, an async
 * generator, or what a server's request and a client's response carry. Nothing is asked of it before there is room, so
 * it is held back by whoever reads the message.
 */
export interface BodyStream extends AsyncIterable<Uint8Array> {
  /** How many bytes there are in all, where that is known before they are there: a whole number. */
  readonly size?: number | undefined;
  /** The fields that go behind the body (RFC 9110 6.5), asked for at its end. They are sent where it is chunked. */
  readonly trailers?: Fields | undefined;
}

/** The body of a message: bytes, possibly none, or what gives them in parts. Text becomes bytes when a message is made. */
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

/** What can be given as a body, as one; text becomes UTF-8. Throws `core.invalid_argument` for anything else. */
export function toBody(body: string | Body | undefined): Body {
  if (body === undefined) return emptyBody;
  if (typeof body === "string") return encodeUtf8(body);
  if (body instanceof Uint8Array || isStream(body)) return body;
  throw invalidArgument(`A body must be a string, a Uint8Array or an async iterable of Uint8Arrays${adviceOn(body)}`);
}

/** Refuses what no message is made from: a body alone, another library's message (fetch's and Node's have a `url`), its words. */
export function checkInit(message: "Request" | "Response", init: object): void {
  if (typeof init === "object" && !("fields" in init) && !("url" in init)) return;
  throw invalidArgument(
    `A ${message} is made from an object, such as { headers: { … }, body: "text" }; it has headers, not fields. ` +
      `${message}.from makes one of fetch's or Node's`,
  );
}

/** What may have been meant by something that is no body. */
function adviceOn(body: unknown): string {
  if (isPromise(body)) return ", not a promise: is an await missing?";
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
  throw invalidArgument(`The parts of a body must be Uint8Arrays or strings, not ${typeof part}`);
}
