import type { ByteStream, WriteHandler } from "../core/byte-stream.ts";
import { dropFront } from "../core/bytes.ts";
import { complete, type Handler } from "../core/completion.ts";
import { transportError } from "../core/errors.ts";
import { AbortGuard, type OperationOptions } from "./abort.ts";
import { Request } from "./request.ts";
import type { Response } from "./response.ts";
import { serializeHead } from "./serializer.ts";

/** Options of {@link write}. */
export interface WriteOptions extends OperationOptions {
  /** Writes the head alone, as the answer to HEAD: RFC 9110 9.3.2. Default false. */
  omitBody?: boolean;
}

/**
 * Writes a message, head and body (a request has none), and completes once the stream has taken all of it; never inside
 * the call. The body must stay untouched until then. Without a handler, returns a promise.
 *
 * Completes with the stream's error, or with `core.aborted` where the signal fired, which closes the stream. A message
 * that can't be sent (see {@link serializeHead}) and a write that is in flight already (`core.operation_pending`) are
 * misuse: they throw where there is a handler, before anything is written. Beast's `http::async_write`.
 */
export function write(stream: ByteStream, message: Request | Response, options?: WriteOptions): Promise<void>;
export function write(stream: ByteStream, message: Request | Response, handler: Handler): void;
export function write(
  stream: ByteStream,
  message: Request | Response,
  options: WriteOptions | undefined,
  handler: Handler,
): void;
export function write(
  stream: ByteStream,
  message: Request | Response,
  options: WriteOptions | Handler = {},
  handler?: Handler,
): Promise<void> | void {
  if (typeof options === "function") return write(stream, message, undefined, options);
  return complete(handler, (done) => {
    const head = serializeHead(message, options.omitBody);
    const bodiless = message instanceof Request || options.omitBody === true || message.body.length === 0;
    new WriteOperation(stream, bodiless ? [head] : [head, message.body], done).start(options.signal);
  });
}

class WriteOperation {
  readonly #stream: ByteStream;
  readonly #handler: Handler;
  #left: readonly Uint8Array[];
  #guard: AbortGuard | undefined;

  constructor(stream: ByteStream, buffers: readonly Uint8Array[], handler: Handler) {
    this.#stream = stream;
    this.#left = buffers;
    this.#handler = handler;
  }

  start(signal: AbortSignal | undefined): void {
    this.#stream.writeSome(this.#left, this.#onWritten);
    if (signal !== undefined) this.#guard = new AbortGuard(this.#stream, signal);
  }

  readonly #onWritten: WriteHandler = (error, written) => {
    let failure = error;
    if (error === undefined) {
      try {
        this.#left = dropFront(this.#left, written);
        if (this.#left.length > 0) return this.#stream.writeSome(this.#left, this.#onWritten);
      } catch (thrown) {
        failure = transportError(thrown);
      }
    }
    this.#handler(this.#guard?.release() ?? failure);
  };
}
