import { encodeUtf8, utf8Length } from "../core/text.ts";
import { isPlainObject } from "../core/plain-object.ts";
import { invalidArgument } from "../core/errors.ts";
import { closeCode, isValidCloseCode } from "./close-code.ts";
import { maxControlSize } from "./frame.ts";
import type { AcceptInput } from "./accept.ts";
import { Request } from "../http/index.ts";
import type { Message } from "./handlers.ts";
import type { AcceptOptions, AcceptSource, CloseOptions } from "./options.ts";

// What a caller can't send: `core.invalid_argument`, with what would do.

/** What `accept` was given, whichever way. */
export function acceptInput(source: AcceptSource | AcceptOptions | undefined, options?: AcceptOptions): AcceptInput {
  if (source instanceof Request) return { ...options, request: source, buffered: bytesOf(options?.buffered) };
  const isBytes = source instanceof Uint8Array || Array.isArray(source);
  if (isBytes && options?.buffered !== undefined)
    throw invalidArgument("Bytes go into one place: the first, or buffered");
  if (isBytes) return { ...options, buffered: bytesOf(source) };
  if (source !== undefined && options !== undefined) throw invalidArgument("accept takes options once");
  const given = (source ?? options ?? {}) as AcceptOptions;
  if (isPlainObject(given)) return { ...given, buffered: bytesOf(given.buffered) };
  throw invalidArgument(
    "accept takes a Uint8Array, a list of them, an http.Request (http.Request.from makes one of Node's), or options",
  );
}

function bytesOf(buffers: Uint8Array | readonly Uint8Array[] | undefined): readonly Uint8Array[] {
  const list = buffers instanceof Uint8Array ? [buffers] : (buffers ?? []);
  if (Array.isArray(list) && list.every((bytes) => bytes instanceof Uint8Array)) return list;
  throw invalidArgument("Received bytes are a Uint8Array or a list of them");
}

/** A message, if it is one. */
export function checkMessage(data: Message): Message {
  if (typeof data === "string" || data instanceof Uint8Array) return data;
  throw invalidArgument("A message must be a string or a Uint8Array");
}

/** The payload of a ping or pong, if it can be one. */
export function checkControl(payload: Uint8Array | string): Uint8Array {
  const bytes = typeof payload === "string" ? encodeUtf8(payload) : payload;
  if (bytes instanceof Uint8Array && bytes.length <= maxControlSize) return bytes;
  throw invalidArgument("The payload of a ping or pong is a string or Uint8Array of at most 125 bytes");
}

/** A close code and reason, if they can be sent; the code 1005 stands for none. */
export function checkClose(options: CloseOptions): Required<CloseOptions> {
  if (typeof options !== "object" || options === null) throw invalidArgument("close takes { code, reason }");
  const { code = closeCode.normal, reason = "" } = options;
  const noCode = code === closeCode.noStatus;
  if (typeof reason !== "string") throw invalidArgument("A close reason is a string");
  if (noCode && reason !== "") throw invalidArgument("A close reason needs a close code");
  if (!noCode && !(Number.isInteger(code) && isValidCloseCode(code))) {
    throw invalidArgument(`${code} can't be sent as a close code: 1000 to 1003, 1007 to 1014 and 3000 to 4999 can`);
  }
  if (utf8Length(reason) > maxControlSize - 2) throw invalidArgument("A close reason takes at most 123 bytes of UTF-8");
  return { code, reason };
}
