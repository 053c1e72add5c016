import type { ByteStream, FlatBuffer, Handler } from "../../core/index.ts";
import type { OperationOptions } from "./operation-options.ts";
import type { FinalResponseParser } from "../codec/final-response-parser.ts";
import { startRead, type Sink } from "./read-operation.ts";
import type { Response } from "../messages/response.ts";

/**
 * Reads all that answers a request: first what is in `buffer`, then from the stream. Bytes past it stay in the buffer, for
 * the next reader: all that is after the head, where there is no body or the parser's `maxBodySize` is 0. At most the
 * parser's limits and one read of the stream are held.
 *
 * Completes with the final response; never inside the call. Its body is cut where it is larger than `maxBodySize`.
 * Without a handler, returns a promise. Otherwise completes with `http.end_of_stream` where the stream ended before any
 * of a response, `http.partial_message` where it ended inside; with what {@link FinalResponseParser.put} throws; with
 * `core.buffer_overflow` where the buffer's `maxSize` is too small; with the stream's error; with `core.aborted` where
 * the signal fired, which closes the stream. What has come of the response by then is in `parser.response`. A read that
 * is in flight already is misuse, `core.operation_pending`: it throws where there is a handler.
 *
 * The parser must be new.
 */
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: FinalResponseParser,
  handler: Handler<Response>,
): void;
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: FinalResponseParser,
  options?: OperationOptions,
): Promise<Response>;
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: FinalResponseParser,
  options: OperationOptions | undefined,
  handler: Handler<Response>,
): void;
export function readResponse(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: FinalResponseParser,
  options?: OperationOptions | Handler<Response>,
  handler?: Handler<Response>,
): Promise<Response> | void {
  const sink = (): Sink<Response> => ({
    put: (bytes) => parser.put(bytes),
    get isDone() {
      return parser.isDone;
    },
    end: () => parser.end(),
    result: () => parser.response!,
  });
  return startRead("http.readResponse", stream, buffer, sink, options, handler);
}
