import { coreError, type ServalError } from "../../core/index.ts";
import type { ServeTimeouts } from "./serve-options.ts";

/** A deadline of a served connection that ends it with an error. */
export type FatalDeadline = Exclude<keyof ServeTimeouts, "keepAlive">;

const messages: Readonly<Record<FatalDeadline, string>> = {
  header: "The head of the request took longer than timeouts.header",
  body: "The body of the request took longer than timeouts.body",
  write: "The client took none of its response for longer than timeouts.write",
};

/** Kept outside the errors: users distinguish them by message, statistics by deadline. */
const passed = new WeakMap<ServalError, FatalDeadline>();

/** The error `core.timeout` of a deadline that has passed. */
export function timeoutError(deadline: FatalDeadline): ServalError {
  const error = coreError("core.timeout", { message: messages[deadline] });
  passed.set(error, deadline);
  return error;
}

/** The deadline that an error belongs to; undefined for other errors. */
export function passedDeadline(error: ServalError): FatalDeadline | undefined {
  return passed.get(error);
}
