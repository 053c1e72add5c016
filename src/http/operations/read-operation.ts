import {
  complete,
  FlatBuffer,
  transportError,
  type ByteStream,
  type Handler,
  type ReadHandler,
  type ServalError,
} from "../../core/index.ts";
import { AbortGuard, checkByteStream, checkOptions, checkSignal, invalidArgument } from "../../core/internal.ts";
import { operationOptions, type OperationOptions } from "./operation-options.ts";

/** Takes bytes until it has the result that is wanted. */
export interface Sink<Result> {
  /**
   * Takes bytes, beginning with those that the last call left unused; returns how many it has used. Throws if they are
   * wrong.
   */
  put(bytes: Uint8Array): number;
  /** Whether the result is complete. */
  readonly isDone: boolean;
  /** Whether the end of the stream would complete the result. */
  readonly needsEof: boolean;
  /** The stream has ended: throws, unless that completes the result. */
  end(): void;
  /** The result. Throws if it is wrong as a whole. */
  result(): Result;
}

/** Feeds a sink from a buffer, then from a stream. Bytes that the sink does not use stay in the buffer. */
export class ReadOperation<Result> {
  readonly #stream: ByteStream;
  readonly #buffer: FlatBuffer;
  readonly #sink: Sink<Result>;
  readonly #handler: Handler<Result>;
  #guard: AbortGuard | undefined;

  constructor(stream: ByteStream, buffer: FlatBuffer, sink: Sink<Result>, handler: Handler<Result>) {
    this.#stream = stream;
    this.#buffer = buffer;
    this.#sink = sink;
    this.#handler = handler;
  }

  /**
   * Throws the stream's misuse errors; then nothing was started. With `mayCompleteInside`, a result that the buffer has
   * comes inside the call.
   */
  start(signal: AbortSignal | undefined, mayCompleteInside = false): void {
    let error: ServalError | undefined;
    let waits = false;
    try {
      waits = !this.#sink.isDone && !this.#takeBuffer();
    } catch (failure) {
      error = failure as ServalError;
    }
    if (waits) this.#stream.readSome(this.#onRead);
    else if (!mayCompleteInside) queueMicrotask(() => this.#finish(error));
    this.#guard = AbortGuard.over(this.#stream, signal);
    if (!waits && mayCompleteInside) this.#finish(error);
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    let failure = error;
    if (error === undefined) {
      try {
        // Only here the end decides: a reset that came together with the last bytes may look like one. A watch tells.
        if (bytes === undefined && this.#sink.needsEof) return this.#stream.watch((reset) => this.#onEnd(reset));
        if (!this.#take(bytes)) return this.#stream.readSome(this.#onRead);
      } catch (thrown) {
        failure = transportError(thrown);
      }
    }
    this.#finish(failure);
  };

  #onEnd(reset: ServalError | undefined): void {
    let failure = reset;
    try {
      if (reset === undefined) this.#sink.end();
    } catch (thrown) {
      failure = transportError(thrown);
    }
    this.#finish(failure);
  }

  /** Handles the outcome of a read. Returns whether the sink is done. */
  #take(bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) {
      this.#sink.end();
    } else if (this.#buffer.size > 0) {
      this.#buffer.append(bytes);
      return this.#takeBuffer();
    } else {
      // Bytes are parsed in place; only unfinished ones, and those after the message, are copied.
      const used = this.#sink.put(bytes);
      if (used < bytes.length) this.#buffer.append(bytes.subarray(used));
    }
    return this.#sink.isDone;
  }

  #takeBuffer(): boolean {
    this.#buffer.consume(this.#sink.put(this.#buffer.data()));
    return this.#sink.isDone;
  }

  #finish(failure: ServalError | undefined): void {
    let error = this.#guard?.release() ?? failure;
    // After an error there is no result; the handler must not use it.
    let result = undefined as Result;
    try {
      if (error === undefined) result = this.#sink.result();
    } catch (thrown) {
      error = thrown as ServalError;
    }
    this.#handler(error, result);
  }
}

/**
 * Checks the arguments of a reading function, the `taker`, and reads with the sink; without a handler, returns a
 * promise.
 */
export function startRead<Result>(
  taker: string,
  stream: ByteStream,
  buffer: FlatBuffer,
  sink: () => Sink<Result>,
  options: OperationOptions | Handler<Result> | undefined,
  handler: Handler<Result> | undefined,
): Promise<Result> | void {
  if (typeof options === "function") return startRead(taker, stream, buffer, sink, undefined, options);
  return complete(handler, (done) => {
    checkByteStream(taker, stream);
    if (!(buffer instanceof FlatBuffer))
      throw invalidArgument("Reading takes a stream, a core.FlatBuffer and a parser");
    if (options !== undefined) checkOptions(operationOptions, options, taker);
    new ReadOperation(stream, buffer, sink(), done).start(checkSignal(options?.signal));
  });
}
