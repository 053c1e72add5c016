import { serve, type Server } from "../../server/index.ts";
import type { StreamOptions } from "../../websocket/index.ts";
import type { EchoSettings, Where } from "./server-options.ts";

/** Starts a server that sends every message back, at every path. */
export function echo(where: Where, settings: EchoSettings): Promise<Server> {
  // There is nothing to get from it: any page may try it, as fast as it can.
  return serve({ ...where, ...settings, ...echoing, origins: "*", rate: false });
}

/** The options of an echo. */
export const echoing: StreamOptions = {
  // Ctrl-C waits no longer than this for a peer that is gone.
  timeouts: { handshake: 5_000 },
  // Where the peer sends faster than it reads, this waits, and the next message waits for it.
  message: (ws, message) => ws.write(message),
};
