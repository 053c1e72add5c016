import type { ByteStream, FlatBuffer, Handler } from "../../core/index.ts";
import type { OperationOptions } from "./operation-options.ts";
import { startRead } from "./read-operation.ts";
import { MessageSink, PartSink, type Parser } from "./sinks.ts";

// Each function reads first from `buffer`, then from the stream, and leaves later bytes in the buffer. The overload
// with only a handler comes first: otherwise a function would be tried as options, and its parameters would have no
// types.

/**
 * Reads the head of a message, and completes with the message, whose body is read later by {@link readSome} or {@link
 * read}. Bytes after the head stay in `buffer`, for these functions, for `accept`, or for another reader.
 *
 * Never completes inside the call; without a handler, returns a promise. Fails with `http.end_of_stream` if the stream
 * ended before a message, `http.partial_message` if inside one; with the errors of the parser's `put`; with
 * `core.buffer_overflow` if the buffer's `maxSize` is too small; with the stream's error; with `core.aborted` if the
 * signal fired, which closes the stream. A read already in flight is misuse, `core.operation_pending`; with a handler
 * it throws. Holds at most the parser's limits and one read of the stream.
 *
 * The parser must be new, or have seen exactly the bytes in the buffer.
 */
export function readHeader<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  handler: Handler<Parsed>,
): void;
export function readHeader<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  options?: OperationOptions,
): Promise<Parsed>;
export function readHeader<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  options: OperationOptions | undefined,
  handler: Handler<Parsed>,
): void;
export function readHeader<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  options?: OperationOptions | Handler<Parsed>,
  handler?: Handler<Parsed>,
): Promise<Parsed> | void {
  return startRead("http.readHeader", stream, buffer, () => new MessageSink(parser, "head"), options, handler);
}

/**
 * Reads some of a message's body, and completes with at least one byte, in memory of the caller's own, or with
 * undefined at the end of the body, when the parser is done and has the trailers. Call it after {@link readHeader},
 * until it completes with undefined or the parser is done.
 *
 * Completes and fails as {@link readHeader} does, and with `http.body_limit`, before anything is read, if the body is
 * announced as too large.
 */
export function readSome(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<unknown>,
  handler: Handler<Uint8Array | undefined>,
): void;
export function readSome(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<unknown>,
  options?: OperationOptions,
): Promise<Uint8Array | undefined>;
export function readSome(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<unknown>,
  options: OperationOptions | undefined,
  handler: Handler<Uint8Array | undefined>,
): void;
export function readSome(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<unknown>,
  options?: OperationOptions | Handler<Uint8Array | undefined>,
  handler?: Handler<Uint8Array | undefined>,
): Promise<Uint8Array | undefined> | void {
  return startRead("http.readSome", stream, buffer, () => new PartSink(parser), options, handler);
}

/**
 * Reads a whole message, or the rest of it after {@link readHeader}, and completes with the message. Its body has the
 * bytes read here, at most the parser's `maxBodySize`. Bytes after the message stay in `buffer`, for the next one.
 *
 * Completes and fails as {@link readHeader} does.
 */
export function read<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  handler: Handler<Parsed>,
): void;
export function read<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  options?: OperationOptions,
): Promise<Parsed>;
export function read<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  options: OperationOptions | undefined,
  handler: Handler<Parsed>,
): void;
export function read<Parsed>(
  stream: ByteStream,
  buffer: FlatBuffer,
  parser: Parser<Parsed>,
  options?: OperationOptions | Handler<Parsed>,
  handler?: Handler<Parsed>,
): Promise<Parsed> | void {
  return startRead("http.read", stream, buffer, () => new MessageSink(parser, "message"), options, handler);
}
