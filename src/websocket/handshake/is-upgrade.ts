import { hasToken, type Request } from "../../http/index.ts";

/**
 * Whether a request asks to become a WebSocket, well formed or not: its Upgrade (RFC 9110 section 7.8; HTTP/1.0 has none) names
 * `websocket`, or stands beside a Sec-WebSocket-Key. What is wrong with it, `accept` tells the client.
 */
export function isUpgrade({ version, headers }: Pick<Request, "version" | "headers">): boolean {
  const upgrade = headers.get("Upgrade");
  if (version < 11 || upgrade === undefined) return false;
  return hasToken(upgrade, "websocket") || headers.has("Sec-WebSocket-Key");
}
