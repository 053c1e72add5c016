import type { Handler, ServalError } from "../../core/index.ts";

/**
 * Calls a completion handler. If it throws, the error becomes an uncaught exception of its own, after the current work:
 * other handlers wait for the same turn, or for the same end.
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
