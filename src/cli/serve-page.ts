import { Response as HttpResponse } from "../http/index.ts";
import { serve, type Server } from "../server/index.ts";
import type { EchoSettings, Where } from "./arguments.ts";
import { echoing } from "./echo.ts";
import { Handshakes } from "./handshakes.ts";
import { loadPage, type Page } from "./page.ts";

/** Starts the server of the page, at `/`, and of the echo that it uses, at `/echo`. */
export function servePage(where: Where, settings: EchoSettings): Promise<Server> {
  const page = loadPage();
  const handshakes = new Handshakes();
  return serve({
    ...where,
    ...settings,
    ...echoing,
    upgrade(request) {
      if (request.path === "/echo") return undefined;
      return new HttpResponse({ status: 404, body: "The WebSocket is at /echo\n" });
    },
    decorate(response, request) {
      if (request !== undefined && response.status === 101) handshakes.add(request, response);
    },
    fetch: (request) => answer(request, page, handshakes),
  });
}

function answer(request: Request, page: Page, handshakes: Handshakes): Response {
  const { pathname, searchParams } = new URL(request.url);
  const respond = paths.get(pathname);
  if (respond === undefined) return text(404, "There is nothing here; the page is at /\n");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return text(405, "This can only be read\n", { Allow: "GET, HEAD" });
  }
  return respond(page, handshakes, searchParams);
}

type Answer = (page: Page, handshakes: Handshakes, query: URLSearchParams) => Response;

const paths: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  ["/", ({ body, headers }) => new Response(body, { headers })],
  [
    "/echo",
    () => text(426, "This is a WebSocket: connect with ws: or wss:\n", { Upgrade: "websocket", Connection: "Upgrade" }),
  ],
  [
    "/handshake",
    (_page, handshakes, query) => {
      const handshake = handshakes.take(query.get("id") ?? "");
      if (handshake === undefined) return text(404, "No connection of late has this id\n");
      return Response.json(handshake, {
        headers: { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" },
      });
    },
  ],
]);

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { "Content-Type": "text/plain; charset=utf-8", ...headers } });
}
