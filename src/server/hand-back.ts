import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { Fields, parseTokenList } from "../http/index.ts";

/** The part of a Node HTTP server that is used to let it answer requests that are no WebSocket's. */
export interface AnsweringServer {
  /** Handles a connection as if it had just been accepted. */
  emit?(event: "connection" | "secureConnection", socket: Duplex): boolean;
  /** In newer releases of Node.js: decides which requests with Upgrade are upgraded. */
  shouldUpgradeCallback?: ((incoming: IncomingMessage) => boolean) | undefined;
}

/**
 * Makes a server of a newer Node.js answer by itself every request that is not accepted here. Returns a function that
 * undoes it.
 */
export function takeOnly(server: AnsweringServer, isTaken: (incoming: IncomingMessage) => boolean): () => void {
  const before = server.shouldUpgradeCallback;
  if (typeof before !== "function") return () => {};
  const callback = (incoming: IncomingMessage): boolean => before.call(server, incoming) && isTaken(incoming);
  server.shouldUpgradeCallback = callback;
  return () => {
    if (server.shouldUpgradeCallback === callback) server.shouldUpgradeCallback = before;
  };
}

/**
 * Gives a request back to a server of an older Node.js without its offer of another protocol, such as curl's and Java's
 * `h2c`. A server without that protocol ignores the offer, and answers (RFC 9110 7.8). Returns false if that is not
 * possible.
 */
export function handBack(
  server: AnsweringServer,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): boolean {
  // A newer server may have read the body by now; and it upgrades only requests that are accepted here.
  if (server.emit === undefined || server.shouldUpgradeCallback !== undefined) return false;
  let headers: Fields;
  try {
    headers = new Fields([...Fields.fromRaw(incoming.rawHeaders)]);
  } catch {
    return false;
  }
  headers.delete("Upgrade");
  headers.delete("HTTP2-Settings");
  const options = parseTokenList(headers.get("Connection") ?? "") ?? [];
  const others = options.filter((option) => !/^(upgrade|http2-settings)$/i.test(option));
  if (others.length > 0) headers.set("Connection", others.join(", "));
  else headers.delete("Connection");
  const lines = [
    `${incoming.method} ${incoming.url} HTTP/${incoming.httpVersion}`,
    ...[...headers].map(([name, value]) => `${name}: ${value}`),
  ];
  // Node.js has released the connection, so it is passed on as a new one that begins with this request.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  return server.emit((socket as Partial<TLSSocket>).encrypted === true ? "secureConnection" : "connection", socket);
}
