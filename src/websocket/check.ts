import { encodeUtf8, utf8Length } from "../core/text.ts";
import { coreError, type ServalError } from "../core/index.ts";
import { closeCode, isValidCloseCode } from "./close-code.ts";
import { maxControlSize } from "./frame.ts";
import type { Message } from "./handlers.ts";

// What a caller can't send: `core.invalid_argument`, with what would do.

/** A message, if it is one. */
export function checkMessage(data: Message): Message {
  if (typeof data === "string" || data instanceof Uint8Array) return data;
  throw unusable("A message must be a string or a Uint8Array");
}

/** The payload of a ping or pong, if it can be one. */
export function checkControl(payload: Uint8Array | string): Uint8Array {
  const bytes = typeof payload === "string" ? encodeUtf8(payload) : payload;
  if (bytes instanceof Uint8Array && bytes.length <= maxControlSize) return bytes;
  throw unusable("The payload of a ping or pong is a string or Uint8Array of at most 125 bytes");
}

/** Passes a close code and reason that can be sent; the code 1005 stands for none. */
export function checkClose(code: number, reason: string): void {
  const noCode = code === closeCode.noStatus;
  if (noCode && reason !== "") throw unusable("A close reason needs a close code");
  if (!noCode && !(Number.isInteger(code) && isValidCloseCode(code))) {
    throw unusable(`${code} can't be sent as a close code: 1000 to 1003, 1007 to 1014 and 3000 to 4999 can`);
  }
  if (utf8Length(reason) > maxControlSize - 2) throw unusable("A close reason takes at most 123 bytes of UTF-8");
}

function unusable(message: string): ServalError {
  return coreError("core.invalid_argument", { message });
}
