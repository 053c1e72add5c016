import type { Peer } from "../../core/index.ts";
import type { Request } from "../../http/index.ts";
import type { UpgradeResult } from "../handshake/upgrade.ts";

/**
 * Accepts or refuses a valid upgrade request before it is answered, sync or async. If it throws, the peer gets 500, and
 * `accept` fails with the error.
 */
export type UpgradeHook<Data = unknown> = (
  request: Request,
  peer: Peer | undefined,
) => UpgradeResult<Data> | Promise<UpgradeResult<Data>>;
