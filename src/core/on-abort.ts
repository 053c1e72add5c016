import { currentContext, type AsyncContext } from "./async-context.ts";
import { invalidArgument } from "./errors.ts";

/** The callbacks of each signal share one listener, since Node warns of a leak above ten listeners. */
const listeners = new WeakMap<AbortSignal, Listeners>();

interface Listeners {
  readonly callbacks: Map<() => void, AsyncContext>;
  readonly listener: () => void;
}

/** Checks an option `signal`, or one of another name. */
export function checkSignal(signal: AbortSignal | undefined, name?: string): AbortSignal | undefined;
export function checkSignal(signal: Cancellation | undefined, name?: string): Cancellation | undefined;
export function checkSignal(signal: Cancellation | undefined, name: string = "signal"): Cancellation | undefined {
  if (signal === undefined || signal instanceof AbortSignal || signal instanceof CancellationSlot) return signal;
  throw invalidArgument(`The option ${name} must be an AbortSignal: of an AbortController, its signal`);
}

/**
 * Calls back when the signal aborts, until {@link offAbort} with the same function. Calls in the given async context,
 * by default the caller's; a plain listener would run in the context of the abort.
 */
export function onAbort(signal: Cancellation, callback: () => void, context: AsyncContext = currentContext()): void {
  if (signal instanceof CancellationSlot) {
    signal.set(callback, context);
    return;
  }
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
export function offAbort(signal: Cancellation, callback: () => void): void {
  if (signal instanceof CancellationSlot) {
    signal.clear(callback);
    return;
  }
  const known = listeners.get(signal);
  if (known === undefined || !known.callbacks.delete(callback) || known.callbacks.size > 0) return;
  listeners.delete(signal);
  signal.removeEventListener("abort", known.listener);
}

/**
 * What an `AbortSignal` is to an operation, for steps inside the package: one after the other, each with one callback. It
 * costs a tenth of a signal with a listener for each step. The term is Asio's.
 */
export class CancellationSlot {
  #controller: AbortController | undefined;
  #reason: unknown;
  #aborted = false;
  #callback: (() => void) | undefined;
  #context: AsyncContext | undefined;

  /** Whether it was cancelled. */
  get aborted(): boolean {
    return this.#aborted;
  }

  /** Why. */
  get reason(): unknown {
    return this.#reason;
  }

  /** The same as a signal, for a step that takes no slot. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Cancels the current step, and all to come. The first reason counts. */
  cancel(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const callback = this.#callback;
    const context = this.#context;
    this.#callback = this.#context = undefined;
    if (callback !== undefined) context!.runInAsyncScope(callback, undefined);
    this.#controller?.abort(reason);
  }

  /** Calls back, in the context given, when the step that begins is cancelled. Use `onAbort`. */
  set(callback: () => void, context: AsyncContext): void {
    this.#callback = callback;
    this.#context = context;
  }

  /** The step whose callback this is has ended. Use `offAbort`. */
  clear(callback: () => void): void {
    if (this.#callback === callback) this.#callback = this.#context = undefined;
  }
}

/** A signal, or the package's own. */
export type Cancellation = AbortSignal | CancellationSlot;

/** The signal of either. */
export function abortSignalOf(cancellation: Cancellation): AbortSignal {
  return cancellation instanceof CancellationSlot ? cancellation.signal : cancellation;
}
