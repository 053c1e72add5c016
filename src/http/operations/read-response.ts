import type { ByteStream, FlatBuffer, Handler } from "../../core/index.ts";
import type { OperationOptions } from "./operation-options.ts";
import type { FinalResponseParser } from "../codec/final-response-parser.ts";
import { startRead, type Sink } from "./read-operation.ts";
import type { Response } from "../messages/response.ts";

/**
 * Reads everything that answers a request: first from `buffer`, then from the stream. Later bytes stay in the buffer
 * for the next reader; these are all bytes after the head, if there is no body or the parser's `maxBodySize` is 0.
 * Holds at most the parser's limits and one read of the stream.
 *
 * Never completes inside the call. Completes with the final response, whose body is cut at `maxBodySize`; without a
 * handler, returns a promise. Fails with `http.end_of_stream` if the stream ended before a response,
 * `http.partial_message` if inside one; with the errors of {@link FinalResponseParser.put}; with `core.buffer_overflow`
 * if the buffer's `maxSize` is too small; with the stream's error; with `core.aborted` if the signal fired, which
 * closes the stream. The part of the response received until then is in `parser.response`. A read already in flight is
 * misuse, `core.operation_pending`; with a handler it throws.
 *
 * The parser must be new, or have seen exactly the bytes in the buffer.
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
    get needsEof() {
      return parser.needsEof;
    },
    end: () => parser.end(),
    result: () => parser.response!,
  });
  return startRead("http.readResponse", stream, buffer, sink, options, handler);
}
