import { httpError } from "./errors.ts";
import type { Fields } from "./fields.ts";

/**
 * The Content-Length of a message in bytes, undefined where it has none. Throws where its framing cannot be trusted:
 * `http.multiple_content_length` for more than one, even if they agree, `http.bad_content_length` for anything but
 * digits or a length above 2^53 - 1, `http.bad_transfer_encoding` for both framings at once (RFC 9112 6.1 and 6.3: the
 * way to smuggle a request).
 */
export function contentLength(fields: Fields): number | undefined {
  const value = fields.get("Content-Length");
  if (value === undefined) return undefined;
  if (fields.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
  if (fields.count("Content-Length") > 1) throw httpError("http.multiple_content_length");
  // RFC 9110 8.6: 1*DIGIT. Number() alone would take signs, exponents and space.
  const length = /^[0-9]+$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(length)) throw httpError("http.bad_content_length");
  return length;
}
