import type { ByteStream, FlatBuffer, Handler } from "../../core/index.ts";
import type { OperationOptions } from "./operation-options.ts";
import { startRead } from "./read-operation.ts";
import { MessageSink, PartSink, type Parser } from "./sinks.ts";

// Each reads what is in `buffer` first, then from the stream, and leaves later bytes in the buffer.
// The overload with the handler alone comes first: a function would be tried as options, and its parameters had no types.

/**
 * Reads the head of a message, and completes with the message; its body is still to come, by {@link readSome} or
 * {@link read}. Bytes after the head stay in `buffer`: for those, for `accept`, or for another reader.
 *
 * Completes never inside the call; without a handler, returns a promise. Fails with `http.end_of_stream` where the stream
 * ended before any of a message, `http.partial_message` where it ended inside; with what the parser's `put` throws; with
 * `core.buffer_overflow` where the buffer's `maxSize` is too small; with the stream's error; with `core.aborted` where
 * the signal fired, which closes the stream. A read that is in flight already is misuse, `core.operation_pending`: it
 * throws where there is a handler. At most the parser's limits and one read of the stream are held.
 *
 * The parser must be new, or have seen nothing but what the buffer holds.
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
 * Reads some of a message's body, and completes with that: at least one byte, yours to keep, or undefined at its end, when
 * the parser is done and has the trailers. After {@link readHeader}, until it has said undefined, or the parser is done.
 *
 * Completes and fails as {@link readHeader} does; with `http.body_limit` before anything is read of a body that is
 * announced to be too large.
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
 * Reads a whole message, or what is left of it after {@link readHeader}, and completes with the message; its body are
 * the bytes that were read here, at most the parser's `maxBodySize`. Bytes after the message stay in `buffer`, for the
 * next one.
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
