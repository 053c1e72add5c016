// Handshakes that agree on permessage-deflate, in the words of the peer.
import type { Role } from "../../../src/core/index.ts";
import type { DeflateOptions, StreamOptions } from "../../../src/websocket/index.ts";
import type { Window } from "./deflate.ts";
import type { EndpointSetup } from "./endpoint.ts";

/** Windows of the two directions: of what the peer sends, and of what we send. */
export interface Windows {
  theirs?: Window | undefined;
  ours?: Window | undefined;
}

const largest: Window = { bits: 15, takeover: true };

/**
 * What makes a handshake agree on these windows: our options allow everything, and the peer says what is wanted. Without
 * any window nothing is agreed on.
 */
export function compressed(
  role: Role,
  { theirs, ours }: Windows,
  options: DeflateOptions & StreamOptions = {},
): EndpointSetup {
  if (theirs === undefined && ours === undefined) return {};
  const [server, client] =
    role === "server" ? [ours ?? largest, theirs ?? largest] : [theirs ?? largest, ours ?? largest];
  const { level = 6, memLevel = 8, threshold = 0, ...stream } = options;
  const extension = [
    "permessage-deflate",
    ...(server.takeover ? [] : ["server_no_context_takeover"]),
    ...(client.takeover ? [] : ["client_no_context_takeover"]),
    `server_max_window_bits=${server.bits}`,
    `client_max_window_bits=${client.bits}`,
  ].join("; ");
  const deflate = { serverNoContextTakeover: false, clientNoContextTakeover: false, level, memLevel, threshold };
  return { options: { ...stream, deflate }, headers: { "Sec-WebSocket-Extensions": extension } };
}
