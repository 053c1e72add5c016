import { ServalError, type ResponseLike } from "../../core/index.ts";
import { invalidArgument, show } from "../../core/internal.ts";
import { statusText } from "../../http/internal.ts";
import {
  Fields,
  hasToken,
  isHost,
  isToken,
  parseTokenList,
  Request,
  type FieldsInit,
  type Response,
} from "../../http/index.ts";
import { acceptKey } from "./accept-key.ts";
import { websocketError, type WebsocketCode } from "../frames/errors.ts";
import { agreedDeflate, offerDeflate, type DeflateParameters, type DeflateSettings } from "./permessage-deflate.ts";

// The rules of the opening handshake for the client (RFC 6455 section 4.1). Pure.

/** The parts of a client's request. */
export interface UpgradeWish {
  /** The value of Host: `example.com`, `[::1]:8080`. */
  readonly host: string;
  /** The request target: `/chat?room=1`. */
  readonly target: string;
  /** The Sec-WebSocket-Key. */
  readonly key: string;
  /** The subprotocols offered, in order of preference. */
  readonly protocols: readonly string[];
  /** The offer of permessage-deflate. */
  readonly deflate: DeflateSettings | undefined;
  /** More headers: Origin, Cookie, Authorization, … */
  readonly headers?: FieldsInit | undefined;
}

/** What the server agreed to. */
export interface Agreement {
  /** The subprotocol; empty if none. */
  readonly protocol: string;
  readonly deflate: DeflateParameters | undefined;
}

/** Headers of the request that belong to the handshake: no option or hook can set them. */
const ownFields: readonly string[] = [
  "Host",
  "Upgrade",
  "Connection",
  "Sec-WebSocket-Key",
  "Sec-WebSocket-Version",
  "Sec-WebSocket-Accept",
  "Sec-WebSocket-Extensions",
  "Sec-WebSocket-Protocol",
  "Content-Length",
  "Transfer-Encoding",
];

/**
 * The upgrade request (RFC 6455 section 4.1). Throws `core.invalid_argument` for an invalid part, and for a header that
 * belongs to the handshake; `http.bad_field` and `http.bad_value` for an invalid header.
 */
export function upgradeRequest({ host, target, key, protocols, deflate, headers }: UpgradeWish): Request {
  checkHost(host);
  checkTarget(target);
  checkProtocols(protocols);
  const request = new Request({
    target,
    headers: [
      ["Host", host],
      ["Upgrade", "websocket"],
      ["Connection", "Upgrade"],
      ["Sec-WebSocket-Key", key],
      ["Sec-WebSocket-Version", "13"],
    ],
  });
  if (protocols.length > 0) request.headers.append("Sec-WebSocket-Protocol", protocols.join(", "));
  if (deflate !== undefined) request.headers.append("Sec-WebSocket-Extensions", offerDeflate(deflate));
  if (headers !== undefined) addFields(request, new Fields(headers));
  return request;
}

/**
 * The text of {@link upgradeRequest}'s head, which takes a tenth of the time of an object and its serializer. Throws as
 * that does.
 */
export function upgradeHead(
  { host, target, protocols, deflate, headers }: Omit<UpgradeWish, "key">,
  key: string,
): string {
  checkHost(host);
  checkTarget(target);
  checkProtocols(protocols);
  let head =
    `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n`;
  if (protocols.length > 0) head += `Sec-WebSocket-Protocol: ${protocols.join(", ")}\r\n`;
  if (deflate !== undefined) head += `Sec-WebSocket-Extensions: ${offerDeflate(deflate)}\r\n`;
  if (headers !== undefined) head += fieldLines(new Fields(headers));
  return `${head}\r\n`;
}

/** The lines of more headers. */
function fieldLines(headers: Fields): string {
  if (headers.size === 0) return "";
  checkHeaders(headers);
  // Fields that a parser made are not checked yet.
  const { list } = headers.isChecked ? headers : new Fields([...headers]);
  let lines = "";
  for (let i = 0; i < list.length; i += 2) lines += `${list[i]}: ${list[i + 1]}\r\n`;
  return lines;
}

function checkHost(host: string): void {
  if (typeof host === "string" && isHost(host)) return;
  throw invalidArgument(`The host must be written as in a URL, such as example.com or [::1]:8080, not ${quoted(host)}`);
}

/** RFC 6455 section 3: a path and query, or an absolute URI, where "#" must be escaped. */
const requestTarget = /^(?:\/|https?:\/\/)[!-"$-~]*$/;

function checkTarget(target: string): void {
  if (typeof target === "string" && requestTarget.test(target)) return;
  throw invalidArgument(
    `The target must begin with "/" and have no space, "#" or characters that are not ASCII, unlike ${quoted(target)}`,
  );
}

/** RFC 6455 section 4.1, request item 10: tokens, each only once. Throws `core.invalid_argument`. */
export function checkProtocols(protocols: readonly string[]): void {
  for (const [i, protocol] of protocols.entries()) {
    if (typeof protocol !== "string" || !isToken(protocol)) {
      throw invalidArgument(`${quoted(protocol)} can't be offered as a subprotocol: it is not a token`);
    }
    if (protocols.indexOf(protocol) !== i)
      throw invalidArgument(`The subprotocol ${quoted(protocol)} is offered twice`);
  }
}

/** Throws `core.invalid_argument` for a header that belongs to the handshake. */
export function checkHeaders(headers: Fields): void {
  for (const name of ownFields) {
    if (!headers.has(name)) continue;
    const advice = advices[name] ?? "";
    throw invalidArgument(`The header ${name} belongs to the handshake and can't be set${advice}`);
  }
}

/** How to set what these headers have. */
const advices: Readonly<Record<string, string>> = {
  Host: ": pass it as host",
  "Sec-WebSocket-Protocol": ": pass protocols",
  "Sec-WebSocket-Extensions": ": pass deflate",
};

function addFields(request: Request, headers: Fields): void {
  checkHeaders(headers);
  for (const [name, value] of headers) request.headers.append(name, value);
}

/** The parts of the request that belong to the handshake, to check that a hook does not change them. */
export function ownValues({ method, target, version, body, headers }: Request): unknown[] {
  return [method, target, version, body, ...ownFields.map((name) => headers.get(name))];
}

/**
 * Checks a server's response (RFC 6455 section 4.1, at its end); the first broken rule decides. Every error carries the
 * response.
 */
export function checkUpgradeResponse(
  response: Response,
  { key, protocols, deflate }: Pick<UpgradeWish, "key" | "protocols" | "deflate">,
): Agreement | ServalError {
  const { status, version, headers } = response;
  const failed = (code: WebsocketCode, message?: string): ServalError => failure(code, response, message);

  // 1. A status other than 101 is an ordinary HTTP response.
  if (status !== 101) return declined(response);
  // Section 4.2.2, step 5.1: the status line has HTTP/1.1; Upgrade does not exist before.
  if (version !== 11) return failed("websocket.bad_http_version");

  // 2. Upgrade must be there, and "an ASCII case-insensitive match for the value "websocket"".
  const upgrade = headers.get("Upgrade");
  if (upgrade === undefined) return failed("websocket.no_upgrade");
  const [switched, ...others] = parseTokenList(upgrade) ?? [];
  if (switched?.toLowerCase() !== "websocket" || others.length > 0) return failed("websocket.no_upgrade_websocket");

  // 3. Connection must be there, and "contain a token that is an ASCII case-insensitive match for the value "Upgrade"".
  const connection = headers.get("Connection");
  if (connection === undefined) return failed("websocket.no_connection");
  if (!hasToken(connection, "upgrade")) return failed("websocket.no_connection_upgrade");

  // 4. Sec-WebSocket-Accept must be there and equal the digest of the key; a repeated one contains a comma.
  const accept = headers.get("Sec-WebSocket-Accept");
  if (accept === undefined) return failed("websocket.no_sec_accept");
  if (accept !== acceptKey(key)) return failed("websocket.bad_sec_accept");

  // 5. No "use of an extension that was not present in the client's handshake".
  const agreed = agreedDeflate(deflate, headers.get("Sec-WebSocket-Extensions"));
  if (agreed instanceof ServalError) return failed("websocket.bad_sec_extensions", agreed.message);

  // 6. No "use of a subprotocol that was not present in the client's handshake". None is allowed too (section 4.2.2,
  // step 5.5).
  const protocol = headers.get("Sec-WebSocket-Protocol");
  if (protocol !== undefined && !protocols.includes(protocol)) {
    return failed(
      "websocket.bad_sec_protocol",
      `The server chose a subprotocol that was not offered: ${quoted(protocol)}`,
    );
  }
  return { protocol: protocol ?? "", deflate: agreed };
}

/** The error of a handshake that the server refused: `websocket.upgrade_declined`. `isCut`: its body is not whole. */
export function declined(response: ResponseLike, isCut = false): ServalError {
  const said = statusText(response, isCut);
  return failure("websocket.upgrade_declined", response, `The server declined the WebSocket handshake: ${said}`);
}

function failure(code: WebsocketCode, response: ResponseLike, message?: string): ServalError {
  return websocketError(code, message === undefined ? { response } : { response, message });
}

/** A peer's or caller's text for a message, as JSON, so that a line break in it can't forge a line of a log. */
function quoted(text: unknown): string {
  return typeof text === "string" ? JSON.stringify(text) : show(text);
}
