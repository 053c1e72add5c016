import type { Handler, ServalError } from "../../core/index.ts";

/**
 * Tells an outcome to a completion handler. An exception of the handler is for its program to see, but not in the middle of our work:
 * others wait for the same turn, or for the same end.
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
