import { STATUS_CODES, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { extension } from "./extension.ts";
import { acceptOf } from "./opening.ts";
import { PerMessageDeflate, type PerMessageDeflateOptions } from "./permessage-deflate.ts";
import { subprotocol } from "./subprotocol.ts";

const validKey = /^[+/0-9A-Za-z]{22}==$/;

/** A refusal of an opening handshake. */
export interface Refusal {
  readonly status: number;
  readonly message?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a client asks for in an opening handshake. */
export interface Asked {
  readonly key: string;
  readonly version: 8 | 13;
  /** The subprotocols, in the order of preference. */
  readonly protocols: Set<string>;
  /** The accepted compression. */
  readonly deflate: PerMessageDeflate | undefined;
}

const refused = (message: string, status = 400, headers: Record<string, string> = {}): Refusal => ({
  status,
  message,
  headers,
});

/** Why a request is no opening handshake (RFC 6455 section 4.2.1); undefined if it is one. */
export function whyNoHandshake({ method, headers }: IncomingMessage): Refusal | undefined {
  const key = headers["sec-websocket-key"];
  const version = Number(headers["sec-websocket-version"]);
  if (method !== "GET") return refused("Invalid HTTP method", 405);
  if (headers.upgrade?.toLowerCase() !== "websocket") return refused("Invalid Upgrade header");
  if (key === undefined || !validKey.test(key)) return refused("Missing or invalid Sec-WebSocket-Key header");
  if (version === 13 || version === 8) return undefined;
  return refused("Missing or invalid Sec-WebSocket-Version header", 400, { "Sec-WebSocket-Version": "13, 8" });
}

/** What the client asks for; or why not, if that is invalid or can't be accepted. */
export function askedBy(
  { headers }: IncomingMessage,
  options: PerMessageDeflateOptions | false | undefined,
  maxPayload: number | undefined,
): Asked | Refusal {
  const key = headers["sec-websocket-key"] as string;
  const version = Number(headers["sec-websocket-version"]) as 8 | 13;
  const { "sec-websocket-protocol": names, "sec-websocket-extensions": offered } = headers;
  let protocols = new Set<string>();
  try {
    if (names !== undefined) protocols = subprotocol.parse(names);
  } catch {
    return refused("Invalid Sec-WebSocket-Protocol header");
  }
  if (!options || offered === undefined) return { key, version, protocols, deflate: undefined };
  try {
    const limit = maxPayload === undefined ? {} : { maxPayload };
    const deflate = new PerMessageDeflate({ ...options, isServer: true, ...limit });
    const offers = extension.parse(offered)[PerMessageDeflate.extensionName];
    if (offers === undefined) return { key, version, protocols, deflate: undefined };
    deflate.accept(offers);
    return { key, version, protocols, deflate };
  } catch {
    return refused("Invalid or unacceptable Sec-WebSocket-Extensions header");
  }
}

/** The lines of the response that accepts a handshake (RFC 6455 section 4.2.2). */
export function acceptance(key: string, protocol: string | false | undefined, deflate?: PerMessageDeflate): string[] {
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${acceptOf(key)}`,
  ];
  if (protocol) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  if (deflate !== undefined) {
    const value = extension.format({ [PerMessageDeflate.extensionName]: [deflate.params!] });
    lines.push(`Sec-WebSocket-Extensions: ${value}`);
  }
  return lines;
}

/** Answers with a refusal, and ends the socket. */
export function refuse(socket: Duplex, { status, message, headers }: Refusal): void {
  const reason = STATUS_CODES[status];
  const body = message || (reason ?? "");
  const fields = {
    Connection: "close",
    "Content-Type": "text/html",
    "Content-Length": Buffer.byteLength(body),
    ...headers,
  };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  socket.once("finish", () => socket.destroy());
  socket.end([`HTTP/1.1 ${status} ${reason}`, ...lines, "", body].join("\r\n"));
}
