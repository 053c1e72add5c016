import type { ByteStream } from "./byte-stream.ts";
import type { ServalError } from "./error.ts";
import { abortError } from "./errors.ts";
import { offAbort, onAbort } from "./on-abort.ts";

/**
 * Ties a running operation to a signal. An abort closes the stream, which completes the call in flight and so the
 * operation: an operation has one way to end, not two. An operation that also waits for something other than the
 * stream, or must end the stream in another way, passes a function `cut` for that.
 */
export class AbortGuard {
  readonly #stream: ByteStream;
  readonly #signal: AbortSignal;
  readonly #cut: (() => void) | undefined;
  readonly #abort = (): void => {
    if (this.#cut === undefined) this.#stream.close();
    else this.#cut();
  };

  private constructor(stream: ByteStream, signal: AbortSignal, cut: (() => void) | undefined) {
    this.#stream = stream;
    this.#signal = signal;
    this.#cut = cut;
  }

  /** Guards a running operation; without a signal, nothing. */
  static over(stream: ByteStream, signal: AbortSignal | undefined, cut?: () => void): AbortGuard | undefined {
    if (signal === undefined) return undefined;
    const guard = new AbortGuard(stream, signal, cut);
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
