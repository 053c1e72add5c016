import type { Server } from "node:net";
import { isStreamHandle, type StreamHandle } from "./stream-handle.ts";

interface ListeningHandle {
  onconnection?: (this: unknown, status: number, handle: unknown) => void;
}

/**
 * Takes over a listening server's new connections: `accept` gets each handle before a socket is built from it, unless it
 * returns false, which leaves the connection to Node.js. Returns whether it could; if not, nothing has changed. The
 * property that the handle of a server calls is undocumented.
 */
export function takeConnections(server: Server, accept: (handle: StreamHandle) => boolean): boolean {
  const listening = (server as Server & { _handle?: ListeningHandle | null })._handle;
  const original = listening?.onconnection;
  if (typeof original !== "function") return false;
  listening!.onconnection = function (status, handle) {
    if (status !== 0 || !isStreamHandle(handle) || !accept(handle)) original.call(this, status, handle);
  };
  return true;
}
