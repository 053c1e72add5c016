import { abortError, coreError, ServalError, type Clock, type Timer } from "../core/index.ts";
import { attentive, CancellationSlot, offAbort, onAbort } from "../core/internal.ts";

/** Combines the deadline of an attempt and the caller's signal into one cancellation for all steps. */
export class Limit extends CancellationSlot {
  #timer: Timer | undefined;
  readonly #callers: AbortSignal | undefined;
  readonly #abort: (() => void) | undefined;

  /** `ms` is the deadline in milliseconds, Infinity for none; `what` begins the error's message. */
  constructor(ms: number, clock: Clock, what: string, signal: AbortSignal | undefined) {
    super();
    if (signal?.aborted === true) {
      this.cancel(abortError(signal));
      return;
    }
    if (signal !== undefined) {
      this.#callers = signal;
      this.#abort = () => this.cancel(abortError(signal));
      onAbort(signal, this.#abort);
    }
    if (ms === Infinity) return;
    this.#timer = attentive(clock).setTimer(ms, () =>
      this.cancel(coreError("core.timeout", { message: `${what} took longer than ${ms} ms` })),
    );
  }

  /**
   * The error of an attempt of which a step failed. A refusal stays a refusal even if the deadline passed while its
   * body was read.
   */
  errorOf(failure: unknown): unknown {
    if (!this.aborted) return failure;
    const isRefusal = failure instanceof ServalError && failure.response !== undefined;
    return isRefusal && (this.reason as ServalError).condition === "timeout" ? failure : this.reason;
  }

  /** Stops the timer and listens to the caller's signal no longer. */
  release(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#abort !== undefined) offAbort(this.#callers!, this.#abort);
  }
}
