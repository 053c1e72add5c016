import type { ByteStream, ReadHandler } from "../core/byte-stream.ts";
import { complete, type Handler } from "../core/completion.ts";
import type { ServalError } from "../core/error.ts";
import { transportError } from "../core/errors.ts";
import type { FlatBuffer } from "../core/flat-buffer.ts";
import { AbortGuard, type OperationOptions } from "./abort.ts";
import type { AnswerParser } from "./answer-parser.ts";
import type { Response } from "./response.ts";

/**
 * Reads what answers a request: first what is in `buffer`, then from the stream. Bytes past it stay in the buffer, for
 * whoever takes over: all that is behind the head, where there is no body or the parser's `bodyLimit` is 0. At most the
 * parser's limits and one read of the stream are held.
 *
 * Completes with the final response; never inside the call. Its body is cut where it is larger than `bodyLimit`.
 * Without a handler, returns a promise. Otherwise completes with `http.end_of_stream` where the stream ended before any
 * of a response, `http.partial_message` where it ended inside; with what {@link AnswerParser.put} throws; with
 * `core.buffer_overflow` where the buffer's `maxSize` is too small; with the stream's error; with `core.aborted` where
 * the signal fired, which closes the stream. What has come of the response by then is in `parser.response`. A read that
 * is in flight already is misuse, `core.operation_pending`: it throws where there is a handler.
 *
 * The parser must be new. Beast's `http::async_read`.
 */
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: AnswerParser,
  options?: OperationOptions,
): Promise<Response>;
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: AnswerParser,
  handler: Handler<Response>,
): void;
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: AnswerParser,
  options: OperationOptions | undefined,
  handler: Handler<Response>,
): void;
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: AnswerParser,
  options?: OperationOptions | Handler<Response>,
  handler?: Handler<Response>,
): Promise<Response> | void {
  if (typeof options === "function") return readResponse(stream, buffer, parser, undefined, options);
  return complete(handler, (done) => new ReadResponse(stream, buffer, parser, done).start(options?.signal));
}

class ReadResponse {
  readonly #stream: ByteStream;
  readonly #buffer: FlatBuffer;
  readonly #parser: AnswerParser;
  readonly #handler: Handler<Response>;
  #guard: AbortGuard | undefined;

  constructor(stream: ByteStream, buffer: FlatBuffer, parser: AnswerParser, handler: Handler<Response>) {
    this.#stream = stream;
    this.#buffer = buffer;
    this.#parser = parser;
    this.#handler = handler;
  }

  start(signal: AbortSignal | undefined): void {
    let error: ServalError | undefined;
    let waits = false;
    try {
      waits = this.#buffer.size === 0 || !this.#parseBuffer();
    } catch (failure) {
      error = failure as ServalError;
    }
    if (waits) this.#stream.readSome(this.#onRead);
    else queueMicrotask(() => this.#finish(error));
    if (signal !== undefined) this.#guard = new AbortGuard(this.#stream, signal);
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    let failure = error;
    if (error === undefined) {
      try {
        if (!this.#take(bytes)) return this.#stream.readSome(this.#onRead);
      } catch (thrown) {
        failure = transportError(thrown);
      }
    }
    this.#finish(failure);
  };

  /** Takes the outcome of a read. Returns whether there is all of the response. */
  #take(bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) {
      this.#parser.end();
    } else if (this.#buffer.size > 0) {
      this.#buffer.append(bytes);
      return this.#parseBuffer();
    } else {
      // Parsed where they lie: only what is unfinished, or another's, is copied.
      const used = this.#parser.put(bytes);
      if (used < bytes.length) this.#buffer.append(bytes.subarray(used));
    }
    return this.#parser.isDone;
  }

  #parseBuffer(): boolean {
    this.#buffer.consume(this.#parser.put(this.#buffer.data()));
    return this.#parser.isDone;
  }

  #finish(failure: ServalError | undefined): void {
    const error = this.#guard?.release() ?? failure;
    // On an error there is no result, and nobody may look at it.
    this.#handler(error, (error === undefined ? this.#parser.response : undefined) as Response);
  }
}
