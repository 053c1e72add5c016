import { isPlainObject } from "../../core/internal.ts";
import { Response, type FetchResponse, type Fields } from "../../http/index.ts";
import { websocketError } from "../frames/errors.ts";

/** What an upgrade hook may say of a request that it accepts. */
export interface UpgradeAccepted<Data = unknown> {
  /** The subprotocol: one of those that the client offered. */
  protocol?: string | undefined;
  /** More headers for the response. */
  headers?: Fields | Iterable<readonly [string, string]> | Readonly<Record<string, string>> | undefined;
  /** What becomes `ws.data`. */
  data?: Data | undefined;
}

/** What an upgrade hook may return: nothing or an object to accept, a response (ours or fetch's) to refuse. */
export type UpgradeResult<Data = unknown> = UpgradeAccepted<Data> | Response | FetchResponse | undefined | void;

/** What an upgrade hook's result comes to: a response to refuse with, or what to accept with. */
export type Decision<Data> = Response | UpgradeAccepted<Data>;

const plain: UpgradeAccepted<never> = {};

/**
 * Reads an upgrade hook's result. A response of fetch's comes back as it is: its body has yet to be read, and the outcome
 * to pass {@link refusing}. Throws `websocket.bad_upgrade_result` for a result of no use.
 */
export function decide<Data>(result: UpgradeResult<Data>): Decision<Data> | FetchResponse {
  if (result === undefined) return plain;
  if (typeof result !== "object" || result === null) {
    throw websocketError("websocket.bad_upgrade_result", {
      message: "The upgrade hook must return nothing, { protocol, headers, data }, or a Response to refuse",
    });
  }
  if (result instanceof Response) return refusing(result);
  if (isFetchResponse(result)) return result;
  // What was meant to refuse must not let anyone in: `{ status: 401 }`, or an error that was returned.
  const other = isPlainObject(result) ? Object.keys(result).find((name) => !names.includes(name)) : "a class";
  if (other === undefined) return result;
  throw websocketError("websocket.bad_upgrade_result", {
    message: `The upgrade hook returned an object that has ${other}: { protocol, headers, data } accepts, a Response refuses`,
  });
}

const names: readonly string[] = ["protocol", "headers", "data"];

/** The response, if it can refuse: its status is no informational one. Else throws `websocket.bad_upgrade_result`. */
export function refusing(response: Response): Response {
  if (response.status >= 200) return response;
  throw websocketError("websocket.bad_upgrade_result", {
    message: `The upgrade hook returned a Response with status ${response.status}; a refusal has 200 or more`,
  });
}

/** Whether it is a response of fetch's, as far as one can see; a `Response` of ours has to be ruled out first. */
export function isFetchResponse(result: object): result is FetchResponse {
  return "headers" in result && "status" in result;
}
