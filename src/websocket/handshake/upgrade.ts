import type { Peer } from "../../core/index.ts";
import { isPlainObject } from "../../core/internal.ts";
import { Response, type FetchResponse, type Fields, type Request } from "../../http/index.ts";
import { websocketError } from "../frames/errors.ts";

/** What an upgrade hook may say of a request that it accepts. */
export interface UpgradeAccepted<Data = unknown> {
  /** The subprotocol: one of those that the client offered. */
  protocol?: string | undefined;
  /** More fields for the response. */
  fields?: Fields | Iterable<readonly [string, string]> | Readonly<Record<string, string>> | undefined;
  /** What becomes `ws.data`. */
  data?: Data | undefined;
}

/** What an upgrade hook may return: nothing or an object to accept, a response (ours or fetch's) to refuse. */
export type UpgradeResult<Data = unknown> = UpgradeAccepted<Data> | Response | FetchResponse | undefined | void;

/**
 * Looks at a valid upgrade request before it is answered, sync or async, and accepts or refuses it. If it throws, the
 * peer gets 500 and `accept` the error.
 */
export type UpgradeHook<Data = unknown> = (
  request: Request,
  peer: Peer | undefined,
) => UpgradeResult<Data> | Promise<UpgradeResult<Data>>;

/** What an upgrade hook's result comes to: a response to refuse with, or what to accept with. */
export type Decision<Data> = Response | UpgradeAccepted<Data>;

const plain: UpgradeAccepted<never> = {};

/** Reads an upgrade hook's result; fetch's responses are read whole, hence the promise. Throws for a result of no use. */
export function decide<Data>(result: UpgradeResult<Data>): Decision<Data> | Promise<Response> {
  if (result === undefined) return plain;
  if (typeof result !== "object" || result === null) {
    throw websocketError("websocket.bad_upgrade_result", {
      message: "The upgrade hook must return nothing, { protocol, fields, data }, or a Response to refuse",
    });
  }
  if (result instanceof Response) return refusing(result);
  if (isFetchResponse(result)) return readWhole(result).then(refusing);
  // What was meant to refuse must not let anyone in: `{ status: 401 }`, or an error that was returned.
  const other = isPlainObject(result) ? Object.keys(result).find((name) => !names.includes(name)) : "a class";
  if (other === undefined) return result;
  throw websocketError("websocket.bad_upgrade_result", {
    message: `The upgrade hook returned an object that has ${other}: { protocol, fields, data } accepts, a Response refuses`,
  });
}

const names: readonly string[] = ["protocol", "fields", "data"];

async function readWhole(response: FetchResponse): Promise<Response> {
  const parts = Response.from(response);
  return new Response({ ...parts, body: await parts.bytes() });
}

function refusing(response: Response): Response {
  if (response.status >= 200) return response;
  throw websocketError("websocket.bad_upgrade_result", {
    message: `The upgrade hook returned a Response with status ${response.status}; a refusal has 200 or more`,
  });
}

function isFetchResponse(result: object): result is FetchResponse {
  return "headers" in result && "status" in result;
}
