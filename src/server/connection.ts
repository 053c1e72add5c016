import type { ByteStream, ServalError } from "../core/index.ts";
import { IncomingBody, type Body, type Exchange, type IncomingRequest, type Response } from "../http/index.ts";
import { isAbandoned, serveBy, type ServeSettings } from "../http/internal.ts";
import { isUpgrade } from "../websocket/index.ts";
import { isPath, refuseUpgrade } from "../websocket/internal.ts";
import { uncounted, type Place } from "./admission.ts";
import type { Hub } from "./hub.ts";
import { RequestInfo } from "./fetch-info.ts";
import type { FetchHandler } from "./options.ts";
import { notFound } from "./path.ts";
import { answer, upgradeRequired } from "./plain-http.ts";
import { tooManyFromAddress } from "./refuse.ts";

/** What a connection needs from its server, and reports to it. */
export interface ConnectionOwner<Data> {
  readonly hub: Hub<Data>;
  readonly http: ServeSettings;
  readonly fetch: FetchHandler | undefined;
  /** The path whose upgrades are accepted; undefined for all. */
  readonly path: string | undefined;
  /** When it aborts, a connection ends after the request being answered. */
  readonly stopping: AbortSignal;
  /** When it aborts, a connection ends at once. */
  readonly ending: AbortSignal;
  /** The connection has ended, or has become a WebSocket. */
  connectionLeft(isUpgraded: boolean, error: ServalError | undefined): void;
}

/** Answers the requests of a connection in order, until one becomes a WebSocket or the connection ends. */
export function serveConnection<Data>(
  stream: ByteStream,
  owner: ConnectionOwner<Data>,
  place: Place = uncounted,
): void {
  const { hub, http, fetch, path, stopping, ending } = owner;
  const { peer } = stream;
  let isUpgraded = false;
  let last: Exchange | undefined;
  let info: RequestInfo | undefined;

  const onRequest = (
    request: IncomingRequest,
    exchange: Exchange,
  ): Response<Body> | Promise<Response<Body>> | undefined => {
    last = exchange;
    // The response before is sent by now.
    info?.end();
    const client = hub.clientOf(request, peer);
    const isElsewhere = path !== undefined && request.path !== path;
    // A proxy may have removed Upgrade but left the key. Then the refusal says what is missing.
    const isWebSocket = isUpgrade(request) || request.headers.has("Sec-WebSocket-Key");
    // Where no path is asked for, no path is elsewhere.
    if (!isWebSocket || (isElsewhere && isPath(request))) {
      hub.counters.requests++;
      if (isElsewhere && fetch === undefined) return notFound();
      if (fetch === undefined) return upgradeRequired();
      info = new RequestInfo(client, stream, hub.drainSignals);
      return ask(fetch, info, request, exchange, hub);
    }
    // A request that does not ask for an upgrade, or that has a body, counts as malformed.
    if (isElsewhere || !request.headers.has("Upgrade") || request.body instanceof IncomingBody) {
      hub.refused("malformed", client, request);
      return refuseUpgrade(request);
    }
    const refusal = hub.refusal(request, client);
    if (refusal !== undefined) return refusal;
    // Only the request shows which client of a proxy is to be counted.
    const own = client === peer ? place : hub.enter(client, request);
    if (own === undefined) return tooManyFromAddress();
    isUpgraded = true;
    const buffered = exchange.release();
    hub.upgrade(stream, request, buffered, client === peer ? undefined : client, own);
    return undefined;
  };

  serveBy(stream, onRequest, http, { stop: stopping, signal: ending }, (error) => {
    if (error !== undefined && isMalformed(error)) hub.refused("malformed", peer, undefined, undefined, error);
    if (last !== undefined && isAbandoned(last)) hub.counters.abandoned++;
    info?.end();
    if (!isUpgraded) place.leave();
    owner.connectionLeft(isUpgraded, error);
  });
}

/** Answers a plain request by the application. A handler that stops since the server drains is answered 503. */
function ask<Data>(
  fetch: FetchHandler,
  info: RequestInfo,
  request: IncomingRequest,
  exchange: Exchange,
  hub: Hub<Data>,
): Response<Body> | Promise<Response<Body>> {
  return answer(
    (standard) => fetch(standard, info),
    request,
    exchange,
    (error) => (info.hasGivenUp(error) ? hub.drainingResponse(request, info.peer) : undefined),
  );
}

/** The limits of a head: one over them is counted as malformed. */
const headLimits: ReadonlySet<string> = new Set([
  "http.header_limit",
  "http.field_limit",
  "http.method_limit",
  "http.target_limit",
]);

/** Whether a connection ended because of a malformed request. */
function isMalformed({ code, condition }: ServalError): boolean {
  if (headLimits.has(code)) return true;
  // A client that ends inside a request gets no answer.
  return condition === "protocol_violation" && code !== "http.partial_message";
}
