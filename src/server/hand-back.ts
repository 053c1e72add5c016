import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { Fields, parseTokenList } from "../http/index.ts";

/** What is used of an HTTP server of Node's to have it answer what is no WebSocket. */
export interface AnsweringServer {
  /** Takes a connection as if it had just been accepted. */
  emit?(event: "connection" | "secureConnection", socket: Duplex): boolean;
  /** Of newer releases of Node.js: which requests that offer an upgrade become one. */
  shouldUpgradeCallback?: ((incoming: IncomingMessage) => boolean) | undefined;
}

/** Has a server of a newer Node.js answer by itself what is not taken. Returns what undoes it. */
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
 * Gives a request back to a server of an older Node.js, without the offer of another protocol, such as the `h2c` of curl's
 * and Java's clients: a server that does not speak it ignores it, and answers (RFC 9110 7.8). Returns false where that can't be.
 */
export function handBack(
  server: AnsweringServer,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Uint8Array,
): boolean {
  // A newer one may have read the body by now, and wanted no upgrade but those that are taken.
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
  // Node.js has let go of the connection, and takes it as a new one that says this first.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"), head]));
  return server.emit((socket as Partial<TLSSocket>).encrypted === true ? "secureConnection" : "connection", socket);
}
