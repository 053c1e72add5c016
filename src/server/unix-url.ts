import { resolve } from "node:path";

/**
 * The URL of a WebSocket server at a Unix socket, in the form that `connect` takes: `ws+unix:/path/to.sock:`, or
 * `wss+unix:` with TLS. The target may be appended.
 */
export function unixUrl(unix: string, isSecure: boolean): string {
  // An abstract name has no folder. Encoded except for "/"; a colon would end the path.
  const path = unix.startsWith("\0") ? unix : resolve(unix);
  return `${isSecure ? "wss" : "ws"}+unix:${encodeURIComponent(path).replaceAll("%2F", "/")}:`;
}
