import { isHost } from "./grammar.ts";

/**
 * The path of a request target, not decoded, without its query. A target may be a whole URL (RFC 9112 3.2.2). Of any
 * other target, such as `*` or a malformed URL, it is the part before the query, which does not begin with a slash.
 */
export function pathOf(target: string): string {
  if (!target.startsWith("/")) {
    // A URL parser reads `http:///chat` and `http://a\b/chat` in surprising ways, so these have no path here.
    const [, host, path] = /^(?:https?|wss?):\/\/([^/?]*)([^?]*)/i.exec(target) ?? [];
    if (host !== undefined && isHost(host)) return path === "" ? "/" : path!;
  }
  const mark = target.indexOf("?");
  return mark < 0 ? target : target.slice(0, mark);
}
