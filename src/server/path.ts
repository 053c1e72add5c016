import { invalidArgument, show } from "../core/internal.ts";
import { Response } from "../http/index.ts";

/** Patterns of routers: `/chat/:room`, `/chat/*`. A path may contain these, but a WebSocket's hardly does. */
const pattern = /\*|\/:/;
const forSeveral = "Leave it out for all paths, and look at request.path in upgrade";

/**
 * Checks the option `path`. Throws `core.invalid_argument` for a value that is no path, that no client would send, or
 * that looks like a pattern, which would match only itself.
 */
export function checkPath(path: string | undefined): string | undefined {
  if (path === undefined) return path;
  if (Array.isArray(path)) throw invalidArgument(`path is one path, not a list of them. ${forSeveral}`);
  if (typeof path !== "string" || !path.startsWith("/")) {
    throw invalidArgument(`path must begin with a slash, such as "/chat", not ${show(path)}`);
  }
  if (pattern.test(path)) {
    throw invalidArgument(`path is compared literally, but ${show(path)} looks like a pattern. ${forSeveral}`);
  }
  // Joined, since "//chat" alone would name a host.
  const sent = URL.canParse(`ws://localhost${path}`) ? new URL(`ws://localhost${path}`).pathname : undefined;
  if (sent === path) return path;
  const instead = sent === undefined ? "" : `, ${show(sent)}`;
  throw invalidArgument(`path must be written as clients send it, without a query${instead}, not ${show(path)}`);
}

/** The response to an upgrade of a path without a WebSocket. */
export function notFound(): Response {
  return new Response({ status: 404, body: "There is no WebSocket here\n" });
}
