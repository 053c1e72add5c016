import { isPromise } from "./completion.ts";

/**
 * Tells of an application's own failure that nothing else took: a handler that threw where no `error` handler is set.
 * It must not be lost, and must not end a process that serves others.
 */
export function reportError(error: unknown): void {
  try {
    console.error(error);
  } catch {
    // Anything can be thrown, also what fails when it is looked at.
    console.error("serval: a handler threw something that can't be shown");
  }
}

/** Runs an application's handler that no operation waits for: its failure is reported. */
export function runReported(handler: () => unknown): void {
  try {
    const result = handler();
    if (isPromise(result)) result.then(undefined, reportError);
  } catch (error) {
    reportError(error);
  }
}
