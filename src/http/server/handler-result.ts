import type { ServalError } from "../../core/index.ts";
import { invalidArgument } from "../../core/internal.ts";
import type { Request } from "../messages/request.ts";
import { Response } from "../messages/response.ts";

// Errors for a handler's invalid result or failed body. Pure.

/** The error of a handler that returned no valid response; says what is expected. */
export function noResponse({ method, target }: Request, result: unknown): Error {
  const what = `The handler of ${method} ${target}`;
  if (result === undefined || result === null) {
    return invalidArgument(`${what} returned nothing: return an http.Response, or release the stream first`);
  }
  if (result instanceof Response)
    return invalidArgument(`${what} returned status ${result.status}, which is not final`);
  const advice = "headers" in Object(result) ? ": http.Response.from makes one of fetch's" : "";
  return invalidArgument(`${what} must return an http.Response, not ${typeof result}${advice}`);
}

/** The application's own error for a failed body of its response. */
export function causeOf(error: ServalError): unknown {
  return error.code === "http.body_failed" ? error.cause : error;
}
