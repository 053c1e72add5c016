import { hasToken, type Request } from "../../http/index.ts";

/**
 * Whether a request asks for a WebSocket, valid or not: its Upgrade (RFC 9110 section 7.8; HTTP/1.0 has none) names
 * `websocket`, or it has a Sec-WebSocket-Key besides. If it is invalid, `accept` tells the client why.
 */
export function isUpgrade({ version, headers }: Pick<Request, "version" | "headers">): boolean {
  const upgrade = headers.get("Upgrade");
  if (version < 11 || upgrade === undefined) return false;
  return hasToken(upgrade, "websocket") || headers.has("Sec-WebSocket-Key");
}
