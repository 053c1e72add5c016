import { currentContext, offAbort, onAbort, type AsyncContext } from "../../core/internal.ts";
import type { ServeOptions } from "./serve-options.ts";

type Signals = Pick<ServeOptions, "signal" | "stop">;

/** Calls back when a signal aborts; soon, if it has already aborted. Calls in `context`. */
export function onSignals(
  { stop, signal }: Signals,
  onStop: () => void,
  onSignal: () => void,
  context: AsyncContext = currentContext(),
): void {
  if (stop !== undefined) on(stop, onStop, context);
  if (signal !== undefined) on(signal, onSignal, context);
}

/** Removes these callbacks. */
export function offSignals({ stop, signal }: Signals, onStop: () => void, onSignal: () => void): void {
  if (stop !== undefined) offAbort(stop, onStop);
  if (signal !== undefined) offAbort(signal, onSignal);
}

function on(signal: AbortSignal, callback: () => void, context: AsyncContext): void {
  if (signal.aborted) queueMicrotask(callback);
  else onAbort(signal, callback, context);
}
