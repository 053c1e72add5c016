import type { ByteStream } from "./byte-stream.ts";
import type { ServalError } from "./error.ts";
import { abortError } from "./errors.ts";
import { offAbort, onAbort } from "./on-abort.ts";

/**
 * Ties a running operation to a signal. Abort closes the stream, so what is in flight completes, and the operation with
 * it: there is one way out of an operation, not two. `aborted` is called for an operation that waits for something else besides the stream.
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

  /** Guards an operation that has been started. Where there is no signal, there is nothing to guard. */
  static over(stream: ByteStream, signal: AbortSignal | undefined, aborted?: () => void): AbortGuard | undefined {
    if (signal === undefined) return undefined;
    const guard = new AbortGuard(stream, signal, aborted);
    if (signal.aborted) guard.#abort();
    else onAbort(signal, guard.#abort);
    return guard;
  }

  /** Lets go of the signal. Returns the error of the operation where it was aborted, whatever else became of it. */
  release(): ServalError | undefined {
    offAbort(this.#signal, this.#abort);
    return this.#signal.aborted ? abortError(this.#signal) : undefined;
  }
}
