import { isValidCloseCode } from "../websocket/index.ts";

/**
 * The reason of a close frame, as it was given; empty if there is none. Throws a TypeError for a code or reason that can't
 * be sent, and a RangeError for a long reason.
 */
export function givenReason(code: number | undefined, reason: string | Uint8Array | undefined): string | Uint8Array {
  if (code === undefined) return "";
  if (typeof code !== "number" || !Number.isInteger(code) || !isValidCloseCode(code)) {
    throw new TypeError("First argument must be a valid error code number");
  }
  // An Error, a number or an ArrayBuffer has no length, and is no reason in `ws`, where programs pass them.
  if (reason === undefined || !reason.length) return "";
  if (Buffer.byteLength(reason) > 123) throw new RangeError("The message must not be greater than 123 bytes");
  if (typeof reason === "string" || reason instanceof Uint8Array) return reason;
  throw new TypeError("Second argument must be a string or a Uint8Array");
}

/** The same as text. */
export function checkReason(code: number | undefined, reason: string | Uint8Array | undefined): string {
  const given = givenReason(code, reason);
  return typeof given === "string" ? given : Buffer.from(given.buffer, given.byteOffset, given.length).toString();
}
