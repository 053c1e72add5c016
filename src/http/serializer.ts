import { coreError } from "../core/errors.ts";
import { encodeLatin1 } from "../core/text.ts";
import { httpError } from "./errors.ts";
import { isTarget, isToken, isValue } from "./grammar.ts";
import { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { isBodiless, isStatus } from "./status.ts";

/**
 * The head of a message as bytes to write, through its empty line: the fields in order and, for a response,
 * Content-Length unless it is there or the status has none (1xx, 204, 304). A response goes out as HTTP/1.1, a request in
 * the version that it has. A request has no body.
 *
 * `omitBody` says that the body will not follow, as in the answer to HEAD: its fields are then what those of GET would
 * be (RFC 9110 9.3.2), and a Content-Length that is there need not be the body's.
 *
 * All is checked, however it got there, so that nobody's input can end the message and begin another: throws
 * `http.bad_method`, `http.bad_target`, `http.bad_version`, `http.bad_status`, `http.bad_reason`, `http.bad_field`,
 * `http.bad_value`; `http.bad_content_length` for one that is not the body's or may not be there,
 * `http.bad_transfer_encoding` for any (the body is sent as it is), and `core.invalid_argument` for a body that the
 * status does not allow.
 */
export function serializeHead(request: Request): Uint8Array;
export function serializeHead(response: Response, omitBody?: boolean): Uint8Array;
export function serializeHead(message: Request | Response, omitBody?: boolean): Uint8Array;
export function serializeHead(message: Request | Response, omitBody = false): Uint8Array {
  let head = message instanceof Request ? requestLine(message) : statusLine(message);
  const raw = message.fields.raw;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i];
    const value = raw[i + 1];
    if (!isToken(name)) throw httpError("http.bad_field");
    if (!isValue(value)) throw httpError("http.bad_value");
    head += `${name}: ${value}\r\n`;
  }
  if (needsContentLength(message, omitBody)) head += `Content-Length: ${message.body.length}\r\n`;
  return encodeLatin1(`${head}\r\n`);
}

/** A response with its body as bytes of their own. Throws as {@link serializeHead} does. */
export function serialize(response: Response): Uint8Array {
  const head = serializeHead(response);
  const bytes = new Uint8Array(head.length + response.body.length);
  bytes.set(head);
  bytes.set(response.body, head.length);
  return bytes;
}

function requestLine({ method, target, version }: Request): string {
  if (!isToken(method)) throw httpError("http.bad_method");
  if (!isTarget(target)) throw httpError("http.bad_target");
  if (version !== 10 && version !== 11) throw httpError("http.bad_version");
  return `${method} ${target} HTTP/1.${version - 10}\r\n`;
}

function statusLine({ status, reason }: Response): string {
  if (!isStatus(status)) throw httpError("http.bad_status");
  if (!isValue(reason)) throw httpError("http.bad_reason");
  return `HTTP/1.1 ${status} ${reason}\r\n`;
}

/** Checks the framing, and says whether Content-Length is to be added. */
function needsContentLength(message: Request | Response, omitBody: boolean): message is Response {
  const { fields } = message;
  if (fields.has("Transfer-Encoding")) throw httpError("http.bad_transfer_encoding");
  const count = fields.count("Content-Length");
  const value = fields.get("Content-Length");
  if (message instanceof Request) {
    if (count > 1 || (count === 1 && value !== "0")) throw httpError("http.bad_content_length");
    return false;
  }
  const { status, body } = message;
  const bodiless = isBodiless(status);
  if (bodiless && body.length > 0) {
    throw coreError("core.invalid_argument", { message: `A response with status ${status} has no body` });
  }
  if (count === 0) return !bodiless;
  // RFC 9110 8.6: never with 1xx or 204; with 304 and the answer to HEAD it tells of a body that is not sent.
  const mayDiffer = omitBody || status === 304;
  const matches = mayDiffer || value === String(body.length);
  if (count > 1 || !matches || (bodiless && status !== 304)) throw httpError("http.bad_content_length");
  return false;
}
