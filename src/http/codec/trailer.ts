import type { BodyStream } from "../messages/body.ts";
import { Fields, type FieldsInit } from "../messages/fields.ts";

/**
 * Fields that must not be trailers (RFC 9110 6.5.1). They affect framing, routing or authentication, or otherwise how
 * the message is processed, and a recipient may act on the head alone.
 */
const forbidden: ReadonlySet<string> = new Set([
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "max-forwards",
  "pragma",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
]);

/** Whether a field may be a trailer. */
export function isTrailerField(name: string): boolean {
  return !forbidden.has(name.toLowerCase());
}

/**
 * The trailers of a body to be sent. Those of Node's `IncomingMessage` are filtered, since Node does not filter them.
 */
export function trailersOf(body: BodyStream): Fields | undefined {
  if ("rawTrailers" in body && Array.isArray(body.rawTrailers)) return trailerOf(body.rawTrailers as string[]);
  const { trailers } = body;
  if (trailers === undefined || trailers instanceof Fields) return trailers;
  if (Symbol.iterator in trailers) return new Fields(trailers as FieldsInit);
  const given = Object.entries(trailers).filter(([, value]) => value !== undefined);
  return new Fields(Object.fromEntries(given) as FieldsInit);
}

/** Keeps the fields that may be trailers, since no recipient may trust the others. */
export function trailerOf(raw: readonly string[]): Fields {
  const kept: string[] = [];
  for (let at = 0; at < raw.length; at += 2) {
    if (isTrailerField(raw[at]!)) kept.push(raw[at]!, raw[at + 1]!);
  }
  return Fields.fromRaw(kept);
}
