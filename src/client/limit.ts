import { abortError, coreError, ServalError, type Clock, type Timer } from "../core/index.ts";
import { offAbort, onAbort } from "../core/internal.ts";

/** The one deadline over all steps of an attempt and the caller's signal, as a signal for each step. */
export class Limit {
  readonly #controller = new AbortController();
  readonly #timer: Timer | undefined;
  readonly #callers: AbortSignal | undefined;
  readonly #abort = (): void => this.#controller.abort(abortError(this.#callers!));

  /** `ms` is the deadline in milliseconds, Infinity for none; `what` says in words what takes that long. */
  constructor(ms: number, clock: Clock, what: string, signal: AbortSignal | undefined) {
    this.#callers = signal;
    if (signal?.aborted === true) {
      this.#abort();
      return;
    }
    if (signal !== undefined) onAbort(signal, this.#abort);
    if (ms === Infinity) return;
    const late = coreError("core.timeout", { message: `${what} took longer than ${ms} ms` });
    this.#timer = clock.setTimer(ms, () => this.#controller.abort(late));
  }

  /** Aborts with the error that the attempt then fails with as its reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The error of an attempt, one step of which failed so. A refusal is one also where the deadline cut it short. */
  errorOf(failure: unknown): unknown {
    const { aborted, reason } = this.#controller.signal as { aborted: boolean; reason: unknown };
    if (!aborted) return failure;
    const isRefusal = failure instanceof ServalError && failure.response !== undefined;
    return isRefusal && (reason as ServalError).condition === "timeout" ? failure : reason;
  }

  /** Lets go of the clock and the caller's signal. */
  release(): void {
    this.#timer?.cancel();
    if (this.#callers !== undefined) offAbort(this.#callers, this.#abort);
  }
}
