import { Response as HttpResponse, type Request as HttpRequest } from "../../http/index.ts";
import { serve, type Server } from "../../server/index.ts";
import type { EchoSettings, Where } from "./server-options.ts";
import { Connections } from "./connections.ts";
import { echoing } from "./echo.ts";
import { Handshakes } from "./handshakes.ts";
import { loadPage, type Page } from "../page/page.ts";

/** What the HTTP responses are made from. */
interface State {
  readonly page: Page;
  readonly handshakes: Handshakes;
  readonly connections: Connections;
}

/** Starts the server of the page, at `/`, and of the echo that it uses, at `/echo`. */
export function servePage(where: Where, settings: EchoSettings): Promise<Server> {
  const handshakes = new Handshakes();
  const connections = new Connections();
  const state = { page: loadPage(), handshakes, connections };
  return serve({
    ...where,
    ...settings,
    ...echoing,
    upgrade(request) {
      if (request.path === "/echo") return { protocol: firstProtocol(request) };
      return new HttpResponse({ status: 404, body: "The WebSocket is at /echo\n" });
    },
    decorate(response, request) {
      if (request !== undefined && response.status === 101) handshakes.add(request, response);
    },
    open: (ws) => connections.add(ws),
    close: (ws) => connections.remove(ws),
    fetch: (request) => answer(request, state),
  });
}

/**
 * Chooses the first subprotocol offered: an echo works with any, and a browser fails the connection if none is chosen.
 */
function firstProtocol({ headers }: HttpRequest): string | undefined {
  return /[^\s,]+/.exec(headers.get("Sec-WebSocket-Protocol") ?? "")?.[0];
}

function answer(request: Request, state: State): Response {
  const { pathname, searchParams } = new URL(request.url);
  const respond = paths.get(pathname);
  if (respond === undefined) return text(404, "There is nothing here; the page is at /\n");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "Use GET or HEAD\n", { Allow: "GET, HEAD" });
  }
  return respond(state, searchParams.get("id") ?? "");
}

type Answer = (state: State, id: string) => Response;

const paths: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["/", ({ page: { body, headers } }) => new Response(body, { headers })],
  [
    "/echo",
    () => text(426, "This is a WebSocket: connect with ws: or wss:\n", { Upgrade: "websocket", Connection: "Upgrade" }),
  ],
  ["/handshake", ({ handshakes }, id) => json(handshakes.take(id))],
  ["/stats", ({ connections }, id) => json(connections.look(id))],
]);

function json(found: object | undefined): Response {
  if (found === undefined) return text(404, "No recent connection has this id\n");
  return Response.json(found, { headers: { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" } });
}

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers } });
}
