import { isPromise } from "./completion.ts";

/**
 * Shows a failure of the application that nothing else handles, such as a handler that throws without an `error`
 * handler. It must not be lost, and must not end a process that serves others.
 */
export function reportError(error: unknown): void {
  try {
    console.error(error);
  } catch {
    // Anything can be thrown, also a value that throws when it is inspected.
    console.error("serval: a handler threw something that can't be shown");
  }
}

/** Runs an application's handler that no operation waits for, and reports its failure. */
export function runReported(handler: () => unknown): void {
  try {
    const result = handler();
    if (isPromise(result)) result.then(undefined, reportError);
  } catch (error) {
    reportError(error);
  }
}
