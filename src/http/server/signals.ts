import { offAbort, onAbort } from "../../core/internal.ts";
import type { ServeOptions } from "./serve-options.ts";

type Signals = Pick<ServeOptions, "signal" | "stop">;

/** Calls back when a signal aborts; soon, if it has already. */
export function onSignals({ stop, signal }: Signals, onStop: () => void, onSignal: () => void): void {
  if (stop !== undefined) on(stop, onStop);
  if (signal !== undefined) on(signal, onSignal);
}

/** Ends that, with the same functions. */
export function offSignals({ stop, signal }: Signals, onStop: () => void, onSignal: () => void): void {
  if (stop !== undefined) offAbort(stop, onStop);
  if (signal !== undefined) offAbort(signal, onSignal);
}

function on(signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) queueMicrotask(callback);
  else onAbort(signal, callback);
}
