import type { ByteStream } from "../core/byte-stream.ts";
import { complete, type Handler } from "../core/completion.ts";
import type { FlatBuffer } from "../core/flat-buffer.ts";
import type { OperationOptions } from "./abort.ts";
import { httpError } from "./errors.ts";
import { ReadOperation, type Outcome } from "./read-operation.ts";
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
  const outcome: Outcome<Request> = {
    ended: () => {
      throw httpError(parser.gotSome ? "http.partial_message" : "http.end_of_stream");
    },
    result: () => {
      if (parser.hasBody) throw httpError("http.unexpected_body");
      return parser.request!;
    },
  };
  return complete(handler, (done) => new ReadOperation(stream, buffer, parser, outcome, done).start(options?.signal));
}
