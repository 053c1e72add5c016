import { isPromise } from "../../core/internal.ts";
import { Response, type FetchResponse } from "../../http/index.ts";
import { decide, isFetchResponse, refusing, type Decision, type UpgradeResult } from "../handshake/upgrade.ts";

/**
 * Turns the result of an `upgrade` hook into a decision. Returns a promise if the result is one, or a fetch `Response`, whose
 * body has to be read. Throws or rejects with `websocket.bad_upgrade_result` for any other value.
 */
export function decisionOf<Data>(
  result: UpgradeResult<Data> | Promise<UpgradeResult<Data>>,
): Decision<Data> | Promise<Decision<Data>> {
  if (isPromise(result)) return Promise.resolve(result).then(decisionOf<Data>);
  const decision = decide(result);
  return !(decision instanceof Response) && isFetchResponse(decision) ? readWhole(decision) : decision;
}

async function readWhole(response: FetchResponse): Promise<Response> {
  const parts = Response.from(response);
  return refusing(new Response({ ...parts, body: await parts.bytes() }));
}
