import type { BufferSource } from "../../core/index.ts";
import {
  bytesOf,
  checkOptions,
  encodeUtf8,
  invalidArgument,
  show,
  utf8Length,
  type OptionSet,
} from "../../core/internal.ts";
import { closeCode, isValidCloseCode } from "../frames/close-code.ts";
import { maxControlSize } from "../frames/frame.ts";
import { closeOptions } from "./of-operations.ts";
import type { CloseOptions } from "./options.ts";

// What a caller can't put into a control frame: `core.invalid_argument`, with what would do.

/** The payload of a ping or pong, if it can be one. */
export function checkControl(payload: string | BufferSource): Uint8Array {
  const bytes = typeof payload === "string" ? encodeUtf8(payload) : bytesOf(payload);
  if (bytes !== undefined && bytes.length <= maxControlSize) return bytes;
  throw invalidArgument(
    "The payload of a ping or pong is a string, an ArrayBuffer or a view of one, of at most 125 bytes",
  );
}

/** A close code and reason, if they can be sent; the code 1005 stands for none. `set` has the names of all options. */
export function checkClose(options: CloseOptions, set: OptionSet = closeOptions): { code: number; reason: string } {
  checkOptions(set, options);
  const { code = closeCode.normal, reason = "" } = options;
  const noCode = code === closeCode.noStatus;
  if (typeof reason !== "string") throw invalidArgument("A close reason is a string");
  if (noCode && reason !== "") throw invalidArgument("A close reason needs a close code");
  if (!noCode) checkCloseCode(code, ", and 1005 stands for none");
  if (utf8Length(reason) > maxControlSize - 2) throw invalidArgument("A close reason takes at most 123 bytes of UTF-8");
  return { code, reason };
}

/** A close code that can be sent (RFC 6455 section 7.4). */
export function checkCloseCode(code: number, more = ""): number {
  if (typeof code !== "number") throw invalidArgument(`A close code is a number, not ${show(code)}`);
  if (Number.isInteger(code) && isValidCloseCode(code)) return code;
  throw invalidArgument(
    `${code} can't be sent as a close code: 1000 to 1003, 1007 to 1014 and 3000 to 4999 can${more}`,
  );
}
