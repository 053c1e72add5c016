import { isValidCloseCode } from "../websocket/index.ts";

/** The reason as text. Throws a TypeError for a code or reason that can't be sent, and a RangeError for a long reason. */
export function checkReason(code: number | undefined, reason: string | Uint8Array | undefined): string {
  if (code === undefined) return "";
  if (typeof code !== "number" || !Number.isInteger(code) || !isValidCloseCode(code)) {
    throw new TypeError("First argument must be a valid error code number");
  }
  // An Error, a number or an ArrayBuffer has no length, and is no reason in `ws`, where programs pass them.
  if (reason === undefined || !reason.length) return "";
  if (Buffer.byteLength(reason) > 123) throw new RangeError("The message must not be greater than 123 bytes");
  if (typeof reason === "string") return reason;
  if (reason instanceof Uint8Array) return Buffer.from(reason.buffer, reason.byteOffset, reason.length).toString();
  throw new TypeError("Second argument must be a string or a Uint8Array");
}
