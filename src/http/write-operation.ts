import type { ByteStream, WriteHandler } from "../core/byte-stream.ts";
import type { Handler } from "../core/completion.ts";
import { ServalError } from "../core/error.ts";
import { transportError } from "../core/errors.ts";
import { AbortGuard } from "./abort.ts";
import { partOf } from "./body.ts";
import { httpError } from "./errors.ts";
import type { Serializer } from "./serializer.ts";
import { discard, stop } from "./sources.ts";

/** Moves what a serializer gives out to a stream, and the parts of its message's body to the serializer. */
export class WriteOperation {
  /** Is told when a write is in flight, and when none is any more. */
  onWrite: ((isInFlight: boolean) => void) | undefined;
  readonly #stream: ByteStream;
  readonly #serializer: Serializer;
  /** Whether what was wanted is written; undefined where that is all of it. */
  #isEnough: (() => boolean) | undefined;
  readonly #handler: Handler;
  #guard: AbortGuard | undefined;
  #source: AsyncIterator<unknown> | undefined;
  #hasEnded = false;

  constructor(stream: ByteStream, serializer: Serializer, isEnough: (() => boolean) | undefined, handler: Handler) {
    this.#stream = stream;
    this.#serializer = serializer;
    this.#isEnough = isEnough;
    this.#handler = handler;
  }

  /** Throws what the stream says of misuse; then nothing was started. */
  start(signal: AbortSignal | undefined): void {
    const { unwanted } = this.#serializer;
    if (unwanted !== undefined) discard(unwanted);
    if (this.#isEnough?.() === true || this.#serializer.isDone) queueMicrotask(() => this.#finish(undefined));
    else if (this.#serializer.needsBody) this.#pull();
    else this.#write();
    if (signal !== undefined) this.#guard = new AbortGuard(this.#stream, signal, this.#onAbort);
  }

  /** All of the message is wanted now. */
  extend(): void {
    this.#isEnough = undefined;
  }

  /** The rest is not wanted any more; what is in flight is left to itself, and nobody is told. */
  cancel(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#guard?.release();
    stop(this.#source);
    this.#source = undefined;
  }

  #write(): void {
    const buffers = this.#serializer.next();
    this.#stream.writeSome(buffers.length === 1 ? buffers[0]! : buffers, this.#onWritten);
    this.onWrite?.(true);
  }

  readonly #onWritten: WriteHandler = (error, written) => {
    if (this.#hasEnded) return;
    this.onWrite?.(false);
    if (written > 0) this.#serializer.consume(written);
    if (error !== undefined) this.#finish(error);
    else this.#goOn();
  };

  #goOn(): void {
    try {
      if (this.#isEnough?.() === true || this.#serializer.isDone) this.#finish(undefined);
      else if (this.#serializer.needsBody) this.#pull();
      else this.#write();
    } catch (thrown) {
      this.#finish(transportError(thrown));
    }
  }

  /** Asks the source for its next part. */
  #pull(): void {
    const { source } = this.#serializer;
    try {
      this.#source ??= source![Symbol.asyncIterator]();
      this.#source.next().then(this.#onPart, this.#onSourceFailed);
    } catch (thrown) {
      queueMicrotask(() => this.#onSourceFailed(thrown));
    }
  }

  readonly #onPart = ({ done, value }: IteratorResult<unknown>): void => {
    if (this.#hasEnded) return;
    try {
      if (done === true) {
        this.#source = undefined;
        this.#serializer.end(this.#serializer.source!.trailer);
      } else {
        this.#serializer.put(partOf(value));
      }
    } catch (error) {
      this.#finish(error as ServalError);
      return;
    }
    this.#goOn();
  };

  readonly #onSourceFailed = (cause: unknown): void => {
    this.#source = undefined;
    this.#finish(cause instanceof ServalError ? cause : httpError("http.body_failed", { cause }));
  };

  /** The stream is closed; what may never come any more is the next part. */
  readonly #onAbort = (): void => {
    queueMicrotask(() => this.#finish(undefined));
  };

  #finish(failure: ServalError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const error = this.#guard?.release() ?? failure;
    stop(this.#source);
    this.#source = undefined;
    this.#handler(error);
  }
}
