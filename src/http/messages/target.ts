import { isHost } from "./grammar.ts";

/**
 * The path of a request target, not decoded, without its query. A target may be a whole URL (RFC 9112 3.2.2); any other
 * that is no path, such as `*` or a malformed URL, is what it is up to its query, and begins with no slash.
 */
export function pathOf(target: string): string {
  if (!target.startsWith("/")) {
    // A URL parser takes `http:///chat` and `http://a\b/chat` for other paths than they seem to have: they have none.
    const [, host, path] = /^(?:https?|wss?):\/\/([^/?]*)([^?]*)/i.exec(target) ?? [];
    if (host !== undefined && isHost(host)) return path === "" ? "/" : path!;
  }
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}
