import { abortError, coreError, ServalError, type Clock, type Timer } from "../core/index.ts";
import { attentive, offAbort, onAbort } from "../core/internal.ts";

/** Combines the deadline of an attempt and the caller's signal into one signal for all steps. */
export class Limit {
  readonly #controller = new AbortController();
  readonly #timer: Timer | undefined;
  readonly #callers: AbortSignal | undefined;
  readonly #abort = (): void => this.#controller.abort(abortError(this.#callers!));

  /** `ms` is the deadline in milliseconds, Infinity for none; `what` begins the error's message. */
  constructor(ms: number, clock: Clock, what: string, signal: AbortSignal | undefined) {
    this.#callers = signal;
    if (signal?.aborted === true) {
      this.#abort();
      return;
    }
    if (signal !== undefined) onAbort(signal, this.#abort);
    if (ms === Infinity) return;
    const late = coreError("core.timeout", { message: `${what} took longer than ${ms} ms` });
    this.#timer = attentive(clock).setTimer(ms, () => this.#controller.abort(late));
  }

  /** Aborts with the error that the attempt fails with. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * The error of an attempt of which a step failed. A refusal stays a refusal even if the deadline passed while its
   * body was read.
   */
  errorOf(failure: unknown): unknown {
    const { aborted, reason } = this.#controller.signal as { aborted: boolean; reason: unknown };
    if (!aborted) return failure;
    const isRefusal = failure instanceof ServalError && failure.response !== undefined;
    return isRefusal && (reason as ServalError).condition === "timeout" ? failure : reason;
  }

  /** Stops the timer and listens to the caller's signal no longer. */
  release(): void {
    this.#timer?.cancel();
    if (this.#callers !== undefined) offAbort(this.#callers, this.#abort);
  }
}
