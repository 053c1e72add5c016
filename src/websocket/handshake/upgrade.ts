import { isPlainObject, show } from "../../core/internal.ts";
import { Response, type FetchResponse, type Fields } from "../../http/index.ts";
import { websocketError } from "../frames/errors.ts";

/** What an upgrade hook may return to accept a request. */
export interface UpgradeAccepted<Data = unknown> {
  /** The subprotocol: one that the client offered. */
  protocol?: string | undefined;
  /** More headers for the response. */
  headers?: Fields | Iterable<readonly [string, string]> | Readonly<Record<string, string>> | undefined;
  /** The value of `ws.data`. */
  data?: Data | undefined;
}

/** The result of an upgrade hook: nothing or an object to accept, a response (this library's or fetch's) to refuse. */
export type UpgradeResult<Data = unknown> = UpgradeAccepted<Data> | Response | FetchResponse | undefined | void;

/** The decision of an upgrade hook: a response to refuse with, or what to accept with. */
export type Decision<Data> = Response | UpgradeAccepted<Data>;

const plain: UpgradeAccepted<never> = {};

/**
 * Interprets an upgrade hook's result. A fetch response is returned unchanged: read its body, then pass the result to
 * {@link refusing}. Throws `websocket.bad_upgrade_result` for an invalid result.
 */
export function decide<Data>(result: UpgradeResult<Data>): Decision<Data> | FetchResponse {
  if (result === undefined) return plain;
  if (typeof result !== "object" || result === null) {
    throw websocketError("websocket.bad_upgrade_result", {
      message: `The upgrade hook returned ${show(result)}: it must return nothing or { protocol, headers, data } to accept, or a Response to refuse, such as new Response("no", { status: 401 })`,
    });
  }
  if (result instanceof Response) return refusing(result);
  if (isFetchResponse(result)) return result;
  // A result that was meant to refuse must not accept: `{ status: 401 }`, or a returned error.
  const other = isPlainObject(result) ? Object.keys(result).find((name) => !names.includes(name)) : "a class";
  if (other === undefined) return result;
  throw websocketError("websocket.bad_upgrade_result", {
    message: `The upgrade hook returned an object that has ${other}: { protocol, headers, data } accepts, a Response refuses`,
  });
}

const names: readonly string[] = ["protocol", "headers", "data"];

/**
 * Returns the response if it can refuse, which an informational one can't; otherwise throws
 * `websocket.bad_upgrade_result`.
 */
export function refusing(response: Response): Response {
  if (response.status >= 200) return response;
  throw websocketError("websocket.bad_upgrade_result", {
    message: `The upgrade hook returned a Response with status ${response.status}; a refusal has 200 or more`,
  });
}

/** Whether it looks like a fetch response. Check first that it is no `Response` of this library. */
export function isFetchResponse(result: object): result is FetchResponse {
  return "headers" in result && "status" in result;
}
