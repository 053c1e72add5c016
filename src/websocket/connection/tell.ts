import type { Handler, ServalError } from "../../core/index.ts";

/**
 * Calls a completion handler. If it throws, the exception becomes an uncaught one after the current work, since other
 * handlers wait for the same turn or the same end.
 */
export function tell<Result>(handler: Handler<Result>, error: ServalError | undefined, result: Result): void {
  try {
    handler(error, result);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

/** Completes the handlers of writes without an error, in order. */
export function tellAll(waiters: readonly { readonly handler: Handler }[]): void {
  for (const { handler } of waiters) tell(handler, undefined, undefined);
}
