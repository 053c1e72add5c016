import { currentContext, type AsyncContext } from "./async-context.ts";
import { invalidArgument } from "./errors.ts";

/** The callbacks of each signal share one listener, since Node warns of a leak above ten listeners. */
const listeners = new WeakMap<AbortSignal, Listeners>();

interface Listeners {
  readonly callbacks: Map<() => void, AsyncContext>;
  readonly listener: () => void;
}

/** Checks an option `signal`, or one of another name. */
export function checkSignal(signal: AbortSignal | undefined, name: string = "signal"): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw invalidArgument(`The option ${name} must be an AbortSignal: of an AbortController, its signal`);
}

/**
 * Calls back when the signal aborts, until {@link offAbort} with the same function. Calls in the given async context,
 * by default the caller's; a plain listener would run in the context of the abort.
 */
export function onAbort(signal: AbortSignal, callback: () => void, context: AsyncContext = currentContext()): void {
  const known = listeners.get(signal);
  if (known !== undefined) {
    known.callbacks.set(callback, context);
    return;
  }
  const callbacks = new Map([[callback, context]]);
  const listener = (): void => {
    for (const [each, own] of callbacks) own.runInAsyncScope(each, undefined);
  };
  listeners.set(signal, { callbacks, listener });
  signal.addEventListener("abort", listener);
}

/** Removes a callback; the last one removed also removes the listener. */
export function offAbort(signal: AbortSignal, callback: () => void): void {
  const known = listeners.get(signal);
  if (known === undefined || !known.callbacks.delete(callback) || known.callbacks.size > 0) return;
  listeners.delete(signal);
  signal.removeEventListener("abort", known.listener);
}
