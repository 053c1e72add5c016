import type { ByteStream } from "./byte-stream.ts";
import type { ServalError } from "./error.ts";
import { abortError } from "./errors.ts";
import { offAbort, onAbort } from "./on-abort.ts";

/**
 * Ties a running operation to a signal. Abort closes the stream, so what is in flight completes, and the operation with
 * it: there is one way out of an operation, not two.
 */
export class AbortGuard {
  readonly #stream: ByteStream;
  readonly #signal: AbortSignal;
  readonly #abort = (): void => this.#stream.close();

  private constructor(stream: ByteStream, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  /** Guards an operation that has been started. Where there is no signal, there is nothing to guard. */
  static over(stream: ByteStream, signal: AbortSignal | undefined): AbortGuard | undefined {
    if (signal === undefined) return undefined;
    const guard = new AbortGuard(stream, signal);
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
