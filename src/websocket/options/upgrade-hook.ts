import type { Peer } from "../../core/index.ts";
import type { Request } from "../../http/index.ts";
import type { UpgradeResult } from "../handshake/upgrade.ts";

/** What an upgrade hook learns besides the request. */
export interface UpgradeInfo {
  /**
   * Aborts if the handshake ends before the hook has answered, so that the hook can stop its work. The reason is the
   * `ServalError` of the handshake: `core.connection_reset` or `websocket.closed` if the client has gone, `core.timeout`,
   * `core.aborted` if this side gave up.
   */
  readonly signal: AbortSignal;
}

/**
 * Accepts or refuses a valid upgrade request before it is answered, sync or async. If it throws, the peer gets 500, and
 * `accept` fails with the error. While its promise is pending the transport is watched: when the client resets it or ends
 * its side, the handshake ends at once. Half a connection carries no WebSocket, so an end means that the client has gone.
 * After a client has sent frames before the answer, its end may go unseen until the hook has answered.
 */
export type UpgradeHook<Data = unknown> = (
  request: Request,
  peer: Peer | undefined,
  info: UpgradeInfo,
) => UpgradeResult<Data> | Promise<UpgradeResult<Data>>;
