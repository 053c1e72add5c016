import { invalidArgument } from "../core/internal.ts";
import { Response } from "../http/index.ts";

/** The option `path`. Throws `core.invalid_argument` for what is no path. */
export function checkPath(path: string | undefined): string | undefined {
  if (path === undefined || (typeof path === "string" && path.startsWith("/"))) return path;
  throw invalidArgument(`path must begin with a slash, such as "/chat", not ${String(path)}`);
}

/** The path of a request target, without its query. A target may be a whole URL (RFC 9112 section 3.2.2). */
export function pathOf(target: string): string {
  const [, path = ""] = /^(?:[a-z][a-z\d+.-]*:\/\/[^/?]*)?([^?]*)/i.exec(target) ?? [];
  return path === "" ? "/" : path;
}

/** The answer to an upgrade of a path at which no WebSocket is. */
export function notFound(): Response {
  return new Response({ status: 404, body: "There is no WebSocket here\n" });
}
