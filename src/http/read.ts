import type { ByteStream, ReadHandler } from "../core/byte-stream.ts";
import { complete, type Handler } from "../core/completion.ts";
import type { ServalError } from "../core/error.ts";
import { transportError } from "../core/errors.ts";
import type { FlatBuffer } from "../core/flat-buffer.ts";
import { AbortGuard, type OperationOptions } from "./abort.ts";
import { httpError } from "./errors.ts";
import type { RequestParser } from "./request-parser.ts";
import type { Request } from "./request.ts";

/** Options of {@link read}. */
export interface ReadOptions extends OperationOptions {}

/**
 * Reads one request: first what is in `buffer`, then from the stream. Bytes past the request stay in the buffer, for
 * the next read or for whoever takes over. At most the parser's limit and one read of the stream are held.
 *
 * Completes with the request; never inside the call. Without a handler, returns a promise. Otherwise completes with
 * `http.end_of_stream` where the stream ended before any of a request, `http.partial_message` where it ended inside;
 * with `http.unexpected_body` for a request that has a body (reading those is not built yet: its head is in
 * `parser.request`, what follows in the buffer); with what {@link RequestParser.put} throws; with `core.buffer_overflow`
 * where the buffer's `maxSize` is too small; with the stream's error; with `core.aborted` where the signal fired, which
 * closes the stream. A read that is in flight already is misuse, `core.operation_pending`: it throws where there is a
 * handler.
 *
 * The parser must be new, or have seen nothing but what the buffer holds. Beast's `http::async_read`.
 */
export function read(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: RequestParser,
  options?: ReadOptions,
): Promise<Request>;
export function read(stream: ByteStream, buffer: FlatBuffer, parser: RequestParser, handler: Handler<Request>): void;
export function read(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: RequestParser,
  options: ReadOptions | undefined,
  handler: Handler<Request>,
): void;
export function read(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: RequestParser,
  options?: ReadOptions | Handler<Request>,
  handler?: Handler<Request>,
): Promise<Request> | void {
  if (typeof options === "function") return read(stream, buffer, parser, undefined, options);
  return complete(handler, (done) => new ReadOperation(stream, buffer, parser, done).start(options?.signal));
}

class ReadOperation {
  readonly #stream: ByteStream;
  readonly #buffer: FlatBuffer;
  readonly #parser: RequestParser;
  readonly #handler: Handler<Request>;
  #guard: AbortGuard | undefined;

  constructor(stream: ByteStream, buffer: FlatBuffer, parser: RequestParser, handler: Handler<Request>) {
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

  /** Takes the outcome of a read. Returns whether the head is complete. */
  #take(bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) throw httpError(this.#parser.gotSome ? "http.partial_message" : "http.end_of_stream");
    if (this.#buffer.size > 0) {
      this.#buffer.append(bytes);
      return this.#parseBuffer();
    }
    // Parsed where they lie; a request that comes in one piece is never copied.
    const used = this.#parser.put(bytes);
    if (used < bytes.length) this.#buffer.append(bytes.subarray(used));
    return this.#parser.isDone;
  }

  #parseBuffer(): boolean {
    this.#buffer.consume(this.#parser.put(this.#buffer.data()));
    return this.#parser.isDone;
  }

  #finish(failure: ServalError | undefined): void {
    let error = this.#guard?.release() ?? failure;
    if (error === undefined && this.#parser.hasBody) error = httpError("http.unexpected_body");
    // On an error there is no result, and nobody may look at it.
    this.#handler(error, (error === undefined ? this.#parser.request : undefined) as Request);
  }
}
