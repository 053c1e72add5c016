import { invalidArgument, show } from "../core/internal.ts";
import { Response } from "../http/index.ts";

/** What routers take for a part that varies: `/chat/:room`, `/chat/*`. Paths have these too, but hardly of WebSockets. */
const pattern = /\*|\/:/;
const forSeveral = "Leave it out for all paths, and look at request.path in upgrade";

/**
 * The option `path`. Throws `core.invalid_argument` for what is no path, for one that no client asks for, and for a
 * pattern, which would match nothing but itself.
 */
export function checkPath(path: string | undefined): string | undefined {
  if (path === undefined) return path;
  if (Array.isArray(path)) throw invalidArgument(`path is one path, not a list of them. ${forSeveral}`);
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw invalidArgument(`path must begin with a slash, such as "/chat", not ${show(path)}`);
  }
  if (pattern.test(path)) {
    throw invalidArgument(`path is compared as it is, and ${show(path)} looks like a pattern. ${forSeveral}`);
  }
  // Joined, since "//chat" alone would name a host.
  const sent = URL.canParse(`ws://localhost${path}`) ? new URL(`ws://localhost${path}`).pathname : undefined;
  if (sent === path) return path;
  const instead = sent === undefined ? "" : `, ${show(sent)}`;
  throw invalidArgument(`path must be as clients send it, without a query${instead}, not ${show(path)}`);
}

/** The answer to an upgrade of a path at which no WebSocket is. */
export function notFound(): Response {
  return new Response({ status: 404, body: "There is no WebSocket here\n" });
}
