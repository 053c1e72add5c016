import { reportError } from "../core/report.ts";
import { isHost, Response, type Request } from "../http/index.ts";

/** A handler of plain HTTP requests, with the standard types. */
export type Fetch = (request: globalThis.Request) => globalThis.Response | Promise<globalThis.Response>;

/** The answer to a plain request; never fails. */
export async function answer(fetch: Fetch | undefined, request: Request): Promise<Response> {
  if (fetch === undefined) return upgradeRequired();
  const url = urlOf(request);
  if (url === undefined) return new Response({ status: 400, body: "The request's target or Host is malformed\n" });
  let standard: globalThis.Request;
  try {
    standard = new globalThis.Request(url, { method: request.method, headers: [...request.fields] });
  } catch {
    // Methods that the standard forbids: CONNECT, TRACE, TRACK.
    return new Response({ status: 501, body: `The method ${request.method} is not implemented\n` });
  }
  try {
    const response = (await fetch(standard)) as globalThis.Response | undefined;
    if (typeof response?.arrayBuffer !== "function") throw new TypeError("fetch must return a Response");
    return await Response.from(response);
  } catch (error) {
    reportError(error);
    return new Response({ status: 500, body: "The server failed to answer the request\n" });
  }
}

/** RFC 9110 section 15.5.22: a 426 names the protocol. */
function upgradeRequired(): Response {
  return new Response({
    status: 426,
    fields: { Upgrade: "websocket", Connection: "Upgrade" },
    body: "This is a WebSocket server\n",
  });
}

/** The request's URL: its target may be a path or a whole URL (RFC 9112 section 3.2). */
function urlOf(request: Request): URL | undefined {
  const { target, fields } = request;
  const host = fields.get("Host") ?? (request.version === 10 ? "localhost" : undefined);
  if (host === undefined || fields.count("Host") > 1 || !isHost(host)) return undefined;
  try {
    // Joined, not resolved: a target of "//other/" is a path of ours, not another host.
    const url = new URL(target.startsWith("/") ? `http://${host}${target}` : target);
    return /^https?:$/.test(url.protocol) && url.username === "" && url.password === "" ? url : undefined;
  } catch {
    return undefined;
  }
}
