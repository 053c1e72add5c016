import type { ByteStream } from "../core/byte-stream.ts";
import type { ServalError } from "../core/error.ts";
import { abortError } from "../core/errors.ts";
import { offAbort, onAbort } from "../core/on-abort.ts";

/** What every composed operation of this module can be given. */
export interface OperationOptions {
  /** Ends the operation with `core.aborted`, and closes the stream: there is no telling how much has passed. */
  signal?: AbortSignal | undefined;
}

/**
 * Ties a running operation to a signal. Abort closes the stream, so what is in flight completes, and the operation with
 * it: there is one way out of an operation, not two. Who waits for something else besides the stream gives a callback.
 */
export class AbortGuard {
  readonly #stream: ByteStream;
  readonly #signal: AbortSignal;
  readonly #aborted: (() => void) | undefined;
  readonly #abort = (): void => {
    this.#stream.close();
    this.#aborted?.();
  };

  constructor(stream: ByteStream, signal: AbortSignal, aborted?: () => void) {
    this.#stream = stream;
    this.#signal = signal;
    this.#aborted = aborted;
    if (signal.aborted) this.#abort();
    else onAbort(signal, this.#abort);
  }

  /** Lets go of the signal. Returns the error of the operation where it was aborted, whatever else became of it. */
  release(): ServalError | undefined {
    offAbort(this.#signal, this.#abort);
    return this.#signal.aborted ? abortError(this.#signal) : undefined;
  }
}
