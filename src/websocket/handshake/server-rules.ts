import { ServalError } from "../../core/index.ts";
import { Fields, hasToken, isHost, parseTokenList, Response, type Request } from "../../http/index.ts";
import { httpError, pathOf, refusalStatus } from "../../http/internal.ts";
import { acceptKey } from "./accept-key.ts";
import { websocketError, type WebsocketCode } from "../frames/errors.ts";
import { parseExtensions, type Extension } from "./extensions.ts";
import { acceptDeflate, type DeflateParameters, type DeflateSettings } from "./permessage-deflate.ts";

// The rules of the opening handshake for the server (RFC 6455 section 4.2). Pure.

/** The offers in a valid upgrade request. */
export interface UpgradeRequest {
  readonly key: string;
  /** The subprotocols that the client offers, in order of preference. */
  readonly protocols: readonly string[];
  /** The extensions that the client offers, in order of preference. */
  readonly extensions: readonly Extension[];
}

/** Sixteen bytes in base64. The four unused bits of the last digit may be set, as in the example of RFC 6455 section 4.1. */
const sixteenBytes = /^[A-Za-z\d+/]{22}==$/;

const none: readonly never[] = [];

/** Checks an upgrade request; the first broken rule decides. */
export function checkUpgrade(request: Request): UpgradeRequest | ServalError {
  const headers = request.headers;
  if (hasBody(headers)) return httpError("http.unexpected_body");
  if (request.version < 11) return websocketError("websocket.bad_http_version");
  if (request.method !== "GET") return websocketError("websocket.bad_method");
  if (!isPath(request)) return websocketError("websocket.bad_target");

  const hosts = headers.count("Host");
  if (hosts === 0) return websocketError("websocket.no_host");
  if (hosts > 1 || !isHost(headers.first("Host")!)) return websocketError("websocket.bad_host");

  const connection = headers.get("Connection");
  if (connection === undefined) return websocketError("websocket.no_connection");
  if (!hasToken(connection, "upgrade")) return websocketError("websocket.no_connection_upgrade");

  const upgrade = headers.get("Upgrade");
  if (upgrade === undefined) return websocketError("websocket.no_upgrade");
  if (!hasToken(upgrade, "websocket")) return websocketError("websocket.no_upgrade_websocket");

  const key = headers.get("Sec-WebSocket-Key");
  if (key === undefined) return websocketError("websocket.no_sec_key");
  // A repeated key contains a comma.
  if (!sixteenBytes.test(key)) return websocketError("websocket.bad_sec_key");

  const version = headers.get("Sec-WebSocket-Version");
  if (version === undefined) return websocketError("websocket.no_sec_version");
  if (version !== "13") return websocketError("websocket.bad_sec_version");

  const offered = headers.get("Sec-WebSocket-Protocol");
  const protocols = offered === undefined ? none : parseTokenList(offered);
  if (protocols === undefined) return websocketError("websocket.bad_sec_protocol");

  // Section 9.1: a malformed value fails the connection, even if no extension is used.
  const extended = headers.get("Sec-WebSocket-Extensions");
  const extensions = extended === undefined ? none : parseExtensions(extended);
  if (extensions === undefined) return websocketError("websocket.bad_sec_extensions");
  return { key, protocols, extensions };
}

/** Whether the target is a path, or a URL that has one (section 4.2.1), which `*` and `example.com:80` are not. */
export function isPath({ target }: Pick<Request, "target">): boolean {
  return target.startsWith("/") || pathOf(target).startsWith("/");
}

function hasBody(headers: Fields): boolean {
  if (headers.has("Transfer-Encoding")) return true;
  const length = headers.get("Content-Length");
  return length !== undefined && !/^0+$/.test(length);
}

/** What the server agrees to, for its response. */
export interface Agreed {
  /** The client's key. */
  readonly key: string;
  readonly protocol: string | undefined;
  readonly deflate: DeflateParameters | undefined;
  /** The value of Sec-WebSocket-Extensions. */
  readonly extensions: string | undefined;
}

/**
 * What to answer a valid request with, for the application's subprotocol and the `settings` of permessage-deflate.
 * Throws `websocket.bad_upgrade_result` for a subprotocol that was not offered.
 */
export function agree(
  { key, protocols, extensions }: UpgradeRequest,
  protocol: string | undefined,
  settings: DeflateSettings | undefined,
): Agreed {
  if (protocol !== undefined && !protocols.includes(protocol)) {
    throw websocketError("websocket.bad_upgrade_result", {
      message: `The upgrade hook chose the subprotocol "${protocol}", which the client did not offer`,
    });
  }
  const deflate = settings && acceptDeflate(settings, extensions);
  return { key, protocol, deflate: deflate?.parameters, extensions: deflate?.response };
}

/** The response that opens the connection (RFC 6455 section 4.2.2). */
export function switchingProtocols({ key, protocol, extensions }: Omit<Agreed, "deflate">): Response {
  const headers = Fields.fromRaw([
    "Upgrade",
    "websocket",
    "Connection",
    "Upgrade",
    "Sec-WebSocket-Accept",
    acceptKey(key),
  ]);
  if (protocol !== undefined) headers.append("Sec-WebSocket-Protocol", protocol);
  if (extensions !== undefined) headers.append("Sec-WebSocket-Extensions", extensions);
  return new Response({ status: 101, headers });
}

/** The same as text to send, if no hook adds anything. All its parts are known to be valid. */
export function switchingHead({ key, protocol, extensions }: Omit<Agreed, "deflate">): string {
  let head = `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n`;
  if (protocol !== undefined) head += `Sec-WebSocket-Protocol: ${protocol}\r\n`;
  if (extensions !== undefined) head += `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  return `${head}\r\n`;
}

/** Headers of the response that belong to the handshake: no hook can set them. */
const ownFields: readonly string[] = [
  "Upgrade",
  "Connection",
  "Sec-WebSocket-Accept",
  "Sec-WebSocket-Extensions",
  "Sec-WebSocket-Protocol",
  "Content-Length",
  "Transfer-Encoding",
];

/** The parts of the response that belong to the handshake, to check that hooks do not change them. */
export function ownValues({ status, body, headers }: Response): unknown[] {
  return [status, body.length, ...ownFields.map((name) => headers.get(name))];
}

/** What {@link ownValues} has at an index, in words. */
export function ownName(index: number): string {
  return ["its status", "its body", ...ownFields.map((name) => `the header ${name}`)][index]!;
}

/** The response that tells the peer why its request was refused. The request may be incomplete or missing. */
export function refusal(error: ServalError, request?: Request): Response {
  const response = new Response({ status: statusOf(error, request), body: `${error.message}\n` });
  // RFC 9110 section 15.5.6: a 405 names the allowed methods. Section 15.5.22: a 426 names the protocol.
  if (response.status === 405) response.headers.set("Allow", "GET");
  if (response.status === 426) {
    response.headers.set("Upgrade", "websocket");
    response.headers.set("Sec-WebSocket-Version", "13");
  }
  return response;
}

/** The response to a request that can't be upgraded, which says what is wrong with it. */
export function refuseUpgrade(request: Request): Response {
  const upgrade = checkUpgrade(request);
  return refusal(upgrade instanceof ServalError ? upgrade : websocketError("websocket.upgrade_declined"), request);
}

function statusOf(error: ServalError, request: Request | undefined): number {
  switch (error.code as WebsocketCode) {
    case "websocket.bad_method":
      return 405;
    case "websocket.bad_sec_version":
      // A client with another version learns the supported one; several versions are a bad request.
      return (request?.headers.count("Sec-WebSocket-Version") ?? 1) > 1 ? 400 : 426;
    case "websocket.buffer_overflow":
      return 431;
    default:
      return refusalStatus(error) ?? 400;
  }
}
