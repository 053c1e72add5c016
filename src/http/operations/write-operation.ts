import { ServalError, transportError, type ByteStream, type Handler, type WriteHandler } from "../../core/index.ts";
import {
  AbortGuard,
  beginSource,
  cost,
  currentContext,
  discardSource,
  keepError,
  stopSource,
  turnBudget,
  type AsyncContext,
  type TurnMember,
  type TurnWaiter,
} from "../../core/internal.ts";
import { partOf, type BodyStream } from "../messages/body.ts";
import { httpError } from "../messages/errors.ts";
import type { Serializer } from "../codec/serializer.ts";
import { trailersOf } from "../codec/trailer.ts";

/** Moves a serializer's output to a stream, and the parts of the body to the serializer. */
export class WriteOperation implements TurnMember, TurnWaiter {
  /** Called with true when a write starts, and with false when none is in flight any more. */
  onWrite: ((isInFlight: boolean) => void) | undefined;
  readonly #stream: ByteStream;
  readonly #serializer: Serializer;
  /** Whether enough is written; undefined to write the whole message. */
  #isEnough: (() => boolean) | undefined;
  readonly #handler: Handler;
  readonly #context: AsyncContext;
  #guard: AbortGuard | undefined;
  #source: AsyncIterator<unknown> | undefined;
  /** See `TurnMember`. */
  spent = 0;
  spentIn = 0;
  /** Whether the streamed body, if there is one, has been read from or stopped. */
  #isBodyTaken = false;
  #hasEnded = false;
  /** Whether the body failed, rather than the stream. */
  hasSourceFailed = false;

  /** Asks the body for its parts, and calls the handler, in `context`, by default the caller's. */
  constructor(
    stream: ByteStream,
    serializer: Serializer,
    isEnough: (() => boolean) | undefined,
    handler: Handler,
    context: AsyncContext = currentContext(),
  ) {
    this.#stream = stream;
    this.#serializer = serializer;
    this.#isEnough = isEnough;
    this.#handler = handler;
    this.#context = context;
  }

  /** Throws the stream's misuse errors; then nothing was started. */
  start(signal: AbortSignal | undefined): void {
    if (this.#isEnough?.() === true || this.#serializer.isDone) queueMicrotask(() => this.#finish(undefined));
    else if (this.#serializer.needsBody) this.#pull();
    else this.#write();
    const { source, unwanted } = this.#serializer;
    if (source !== undefined) keepError(source);
    if (unwanted !== undefined) this.#discard(unwanted);
    this.#guard = AbortGuard.over(this.#stream, signal, this.#onAbort);
  }

  /** From now on writes the whole message. */
  extend(): void {
    this.#isEnough = undefined;
  }

  /** Writes no more; a write in flight completes without a callback. */
  cancel(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#guard?.release();
    this.#letGo();
  }

  #write(): void {
    const buffers = this.#serializer.next();
    this.#stream.writeSome(buffers.length === 1 ? buffers[0]! : buffers, this.#onWritten);
    this.onWrite?.(true);
  }

  readonly #onWritten: WriteHandler = (error, written) =>
    this.#context.runInAsyncScope(this.#written, this, error, written);

  #written(error: ServalError | undefined, written: number): void {
    if (this.#hasEnded) return;
    this.onWrite?.(false);
    if (written > 0) this.#serializer.consume(written);
    if (error !== undefined) this.#finish(error);
    else this.#goOn();
  }

  #goOn(): void {
    try {
      if (this.#isEnough?.() === true || this.#serializer.isDone) this.#finish(undefined);
      else if (this.#serializer.needsBody) this.#pull();
      else this.#write();
    } catch (thrown) {
      this.#finish(transportError(thrown));
    }
  }

  /** Asks the body for its next part. Parts that are ready at once, also empty ones, come in microtasks, without end. */
  #pull(): void {
    if (turnBudget.spend(this, cost.message)) turnBudget.wait(this);
    else this.#pullNow();
  }

  takeTurn(): void {
    if (!this.#hasEnded) this.#pullNow();
  }

  #pullNow(): void {
    const { source } = this.#serializer;
    this.#isBodyTaken = true;
    try {
      this.#source ??= beginSource<unknown>(source!);
      this.#source.next().then(this.#onPart, this.#onSourceFailed);
    } catch (thrown) {
      queueMicrotask(() => this.#onSourceFailed(thrown));
    }
  }

  readonly #onPart = (result: IteratorResult<unknown>): void => {
    if (this.#hasEnded) return;
    try {
      if (result.done === true) {
        this.#source = undefined;
        this.#serializer.end(trailersOf(this.#serializer.source!));
      } else {
        this.#serializer.put(partOf(result.value));
      }
    } catch (cause) {
      this.#sourceFailed(cause);
      return;
    }
    this.#goOn();
  };

  readonly #onSourceFailed = (cause: unknown): void => {
    if (this.#hasEnded) return;
    // After a failure an iterator has ended, and gets no `return`.
    this.#source = undefined;
    this.#sourceFailed(cause);
  };

  #sourceFailed(cause: unknown): void {
    this.hasSourceFailed = true;
    this.#finish(cause instanceof ServalError ? cause : httpError("http.body_failed", { cause }));
  }

  /** Part of a message must not look like all of it; and the next part of the body may never come. */
  readonly #onAbort = (): void => {
    this.#stream.reset();
    queueMicrotask(() => this.#finish(undefined));
  };

  #finish(failure: ServalError | undefined): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    const error = this.#guard?.release() ?? failure;
    // When only a part of the message is written, the body is for later.
    if (error !== undefined && this.#isEnough === undefined) this.#letGo();
    this.#handler(error);
  }

  /** Stops the body: no more of it is asked for. */
  #letGo(): void {
    stopSource(this.#source);
    this.#source = undefined;
    const { source, unwanted } = this.#serializer;
    const body = source ?? unwanted;
    if (body !== undefined) this.#discard(body);
  }

  #discard(body: BodyStream): void {
    if (!this.#isBodyTaken) discardSource(body);
    this.#isBodyTaken = true;
  }
}
