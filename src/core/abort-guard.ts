import type { ByteStream } from "./byte-stream.ts";
import type { ServalError } from "./error.ts";
import { abortError } from "./errors.ts";
import { offAbort, onAbort } from "./on-abort.ts";

/**
 * Ties a running operation to a signal. An abort closes the stream, which completes the call in flight and so the
 * operation: an operation has one way to end, not two. `aborted` is for an operation that also waits for something
 * other than the stream.
 */
export class AbortGuard {
  readonly #stream: ByteStream;
  readonly #signal: AbortSignal;
  readonly #aborted: (() => void) | undefined;
  readonly #abort = (): void => {
    this.#stream.close();
    this.#aborted?.();
  };

  private constructor(stream: ByteStream, signal: AbortSignal, aborted: (() => void) | undefined) {
    this.#stream = stream;
    this.#signal = signal;
    this.#aborted = aborted;
  }

  /** Guards a running operation; without a signal, nothing. */
  static over(stream: ByteStream, signal: AbortSignal | undefined, aborted?: () => void): AbortGuard | undefined {
    if (signal === undefined) return undefined;
    const guard = new AbortGuard(stream, signal, aborted);
    if (signal.aborted) guard.#abort();
    else onAbort(signal, guard.#abort);
    return guard;
  }

  /** Stops listening to the signal. Returns the abort error if the signal fired, whatever else the outcome was. */
  release(): ServalError | undefined {
    offAbort(this.#signal, this.#abort);
    return this.#signal.aborted ? abortError(this.#signal) : undefined;
  }
}
