import type { Body } from "../messages/body.ts";
import type { Request } from "../messages/request.ts";
import type { Response } from "../messages/response.ts";
import { hasToken } from "../messages/token-list.ts";
import { mostDrained } from "./bounds.ts";
import type { RequestBody } from "./request-body.ts";

/** Whether a connection can be kept after this response, whose length the client sees: RFC 9112 9.3. `body` is the request's. */
export function keepsAlive(request: Request, response: Response<Body>, body: RequestBody | undefined): boolean {
  if (!request.keepAlive) return false;
  // RFC 9110 9.3.6: bytes that follow may be the tunnel's already: requests to another server.
  if (request.method === "CONNECT") return false;
  // A client that waits for 100 may send its body all the same, or not: that can't be known.
  if (body !== undefined && (body.isAwaited || body.error !== undefined)) return false;
  // A response in parts may come of the body.
  if (response.body instanceof Uint8Array && body?.hasMoreThan(mostDrained) === true) return false;
  return !hasToken(response.headers.get("Connection"), "close");
}
