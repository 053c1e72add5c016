import { serve, type Server } from "../../server/index.ts";
import type { StreamOptions } from "../../websocket/index.ts";
import type { EchoSettings, Where } from "./server-options.ts";

/** Starts a server that echoes every message, at every path. */
export function echo(where: Where, settings: EchoSettings): Promise<Server> {
  // An echo has nothing to protect, so any page may use it, as fast as it can.
  return serve({ ...where, ...settings, ...echoing, origins: "*", rate: false });
}

/** Options of an echo server. */
export const echoing: StreamOptions = {
  // Ctrl-C waits at most this long for a peer that does not close.
  timeouts: { handshake: 5_000 },
  // If the peer sends faster than it reads, `write` waits, and the next message is not read before.
  message: (ws, message) => ws.write(message),
};
