import { currentContext } from "./async-context.ts";
import type { ServalError } from "./error.ts";
import { coreError } from "./errors.ts";

/**
 * Receives the outcome of a composed operation: an error, or a result. Called exactly once, never inside the call that
 * it was passed to, and in the async context (`AsyncLocalStorage`) of that call.
 */
export type Handler<Result = void> = (error: ServalError | undefined, result: Result) => void;

const ignore = (): void => {};

/**
 * Marks a promise as handled, so that an unawaited one can't end the process when a peer resets. Awaiting it still
 * throws.
 */
export function handled<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(ignore);
  return promise;
}

/**
 * The default completion: runs an operation that takes a handler, and returns its outcome as a promise. Misuse that the
 * operation throws rejects the promise.
 */
export function promised<Result>(start: (handler: Handler<Result>) => void): Promise<Result> {
  // Not inside of the call, where some operations complete.
  let isMade = false;
  let hasFailed = false;
  const promise = new Promise<Result>((resolve, reject) => {
    try {
      start((error, result) => {
        if (error === undefined) {
          resolve(result);
          return;
        }
        // Only after a failure: most operations succeed, and marking costs another promise.
        hasFailed = true;
        if (isMade) handled(promise);
        reject(error);
      });
    } catch (misuse) {
      hasFailed = true;
      reject(misuse);
    }
  });
  isMade = true;
  return hasFailed ? handled(promise) : promise;
}

/**
 * Completes an operation through its handler or, without one, through a promise; every composed operation returns this.
 * With a handler, misuse throws.
 */
export function complete<Result>(
  handler: Handler<Result> | undefined,
  start: (handler: Handler<Result>) => void,
): Promise<Result> | undefined {
  if (handler === undefined) return promised(start);
  checkHandler(handler);
  const context = currentContext();
  start((error, result) => context.runInAsyncScope(handler, undefined, error, result));
  return undefined;
}

/**
 * {@link complete}, for an operation that keeps its caller's context in any case, and calls its handler in it: another
 * object to enter the same one would cost as much again.
 */
export function completeUnbound<Result>(
  handler: Handler<Result> | undefined,
  start: (handler: Handler<Result>) => void,
): Promise<Result> | undefined {
  if (handler === undefined) return promised(start);
  checkHandler(handler);
  start(handler);
  return undefined;
}

/** Checks a completion handler here, since anything else would fail only when it is called. */
export function checkHandler(handler: unknown): void {
  if (typeof handler === "function") return;
  throw coreError("core.invalid_argument", {
    message: `A completion handler must be a function, not ${typeof handler}`,
  });
}

/** Whether an application's handler returned a promise. */
export function isPromise<Value>(value: Value | PromiseLike<Value>): value is PromiseLike<Value> {
  return typeof value === "object" && value !== null && typeof (value as PromiseLike<unknown>).then === "function";
}

/** A rejected promise that knows whether anything handles it. */
class Rejected extends Promise<never> {
  isHandled = false;

  /** Promises made from it are plain ones. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a promise has one
  override then<Result = never, Failed = never>(
    ...handlers: Parameters<Promise<never>["then"]>
  ): Promise<Result | Failed> {
    this.isHandled = true;
    return super.then(...handlers) as Promise<Result | Failed>;
  }
}

/**
 * A promise rejected with `error`, for an operation whose promise few programs await. If nothing handles it before the
 * next turn of the event loop, `unheard` is called, in the caller's context; the promise never ends the process. Only
 * for failures: it costs more than a plain promise.
 */
export function rejected(error: unknown, unheard: () => void): Promise<never> {
  const promise = new Rejected((_, reject) => reject(error));
  // Node ends the process for a rejection that nothing handles.
  void promise.then(undefined, ignore);
  promise.isHandled = false;
  setImmediate(() => {
    if (!promise.isHandled) unheard();
  });
  return promise;
}
