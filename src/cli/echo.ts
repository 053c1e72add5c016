import { serve, type Server } from "../server/index.ts";
import type { Where } from "./arguments.ts";

/** Starts a server that sends every message back, at every path. */
export function echo(where: Where): Promise<Server> {
  return serve({ ...where, ...echoing });
}

/** The handlers of an echo. */
export const echoing = {
  // `write` waits where the peer sends faster than it reads, and the next message waits for that.
  message: (ws: { write(message: string | Uint8Array): Promise<void> }, message: string | Uint8Array): Promise<void> =>
    ws.write(message),
};
