import type { ServalError } from "./error.ts";

/** Receives the outcome of a composed operation: an error, or a result. Called exactly once, never inside the call that it was given to. */
export type Handler<Result = void> = (error: ServalError | undefined, result: Result) => void;

const ignore = (): void => {};

/**
 * Marks a promise as handled: one that nobody awaits can then not end the process when a peer resets. Awaiting it
 * still throws.
 */
export function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(ignore);
  return promise;
}

/**
 * The default completion: runs an operation that takes a handler, and returns its outcome as a promise. What the start
 * throws (misuse) rejects the promise.
 */
export function promised<Result>(start: (handler: Handler<Result>) => void): Promise<Result> {
  return handled(
    new Promise<Result>((resolve, reject) => {
      start((error, result) => {
        if (error === undefined) resolve(result);
        else reject(error);
      });
    }),
  );
}

/**
 * Completes an operation through its handler or, where there is none, through a promise: what every composed operation
 * returns. With a handler, misuse throws.
 */
export function complete<Result>(
  handler: Handler<Result> | undefined,
  start: (handler: Handler<Result>) => void,
): Promise<Result> | undefined {
  if (handler === undefined) return promised(start);
  start(handler);
  return undefined;
}
