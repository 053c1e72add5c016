import type { ErrorTable, ServalError } from "../../core/index.ts";
import { httpError, httpErrors } from "../messages/errors.ts";
import { isHost } from "../messages/grammar.ts";
import type { Request } from "../messages/request.ts";
import { Response } from "../messages/response.ts";
import { parseTokenList } from "../messages/token-list.ts";

// A server's responses to requests that it refuses. Pure.

/**
 * The response to a refused request. It has the code's message only, which reveals nothing of the server's
 * configuration.
 */
export function refusal(error: ServalError, status: number): Response {
  const [, words] = (httpErrors as ErrorTable)[error.code] ?? [undefined, error.message];
  return new Response({ status, body: `${words}\n` });
}

/**
 * Violations beyond syntax that any server must refuse: not exactly one valid Host (RFC 9112 3.2), an unknown
 * expectation (RFC 9110 10.1.1).
 */
export function checkRequest(request: Request): ServalError | undefined {
  const { version, headers } = request;
  const host = headers.first("Host");
  if (host === undefined ? version >= 11 : headers.count("Host") > 1 || (host !== "" && !isHost(host))) {
    return httpError("http.bad_host");
  }
  if (version >= 11 && headers.has("Expect") && !isKnown(headers.get("Expect")!)) {
    return httpError("http.expectation_failed");
  }
  return undefined;
}

/** Whether a list of expectations has none but 100-continue. */
function isKnown(expectations: string): boolean {
  return parseTokenList(expectations)?.every((one) => one.toLowerCase() === "100-continue") === true;
}
