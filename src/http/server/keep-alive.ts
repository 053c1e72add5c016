import type { Body } from "../messages/body.ts";
import type { Request } from "../messages/request.ts";
import type { Response } from "../messages/response.ts";
import { hasToken } from "../messages/token-list.ts";
import { mostDrained } from "./bounds.ts";
import type { RequestBody } from "./request-body.ts";

/**
 * Whether a connection can be kept after this response, whose end the client can find (RFC 9112 9.3). `body` is the
 * request's.
 */
export function keepsAlive(request: Request, response: Response<Body>, body: RequestBody | undefined): boolean {
  if (!request.keepAlive) return false;
  // RFC 9110 9.3.6: later bytes may already be the tunnel's, such as requests to another server.
  if (request.method === "CONNECT") return false;
  // A client that waits for 100 may or may not still send its body.
  if (body !== undefined && (body.isAwaited || body.error !== undefined)) return false;
  // A streamed response may be made from the request's body.
  if (response.body instanceof Uint8Array && body?.hasMoreThan(mostDrained) === true) return false;
  return !hasToken(response.headers.get("Connection"), "close");
}
