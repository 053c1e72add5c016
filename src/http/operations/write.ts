import type { ByteStream, Handler } from "../../core/index.ts";
import {
  checkByteStream,
  checkOptions,
  checkSignal,
  completeUnbound,
  invalidArgument,
  optionSet,
  show,
} from "../../core/internal.ts";
import { operationOptions, type OperationOptions } from "./operation-options.ts";
import type { Body } from "../messages/body.ts";
import { httpError } from "../messages/errors.ts";
import { Message } from "../messages/message.ts";
import type { Request } from "../messages/request.ts";
import type { Response } from "../messages/response.ts";
import { Serializer, type SerializerOptions } from "../codec/serializer.ts";
import { WriteOperation } from "./write-operation.ts";

/** Options of {@link write}. */
export interface WriteOptions extends OperationOptions, Pick<SerializerOptions, "keepAlive" | "request"> {}

const writeOptions = optionSet("http.write", ["signal", "keepAlive", "request"], "{ signal }");

/**
 * Writes the head of a serializer's message, if it is not yet written, with the bytes that `next` returns together with
 * it; the serializer's option `split` keeps the body out.
 *
 * Completes when the stream has taken it, never inside the call; without a handler, returns a promise. Fails with the
 * stream's error, or with `core.aborted` if the signal fired, which resets the stream. A write already in flight is
 * misuse, `core.operation_pending`; with a handler it throws.
 */
export function writeHeader(stream: ByteStream, serializer: Serializer, handler: Handler): void;
export function writeHeader(stream: ByteStream, serializer: Serializer, options?: OperationOptions): Promise<void>;
export function writeHeader(
  stream: ByteStream,
  serializer: Serializer,
  options: OperationOptions | undefined,
  handler: Handler,
): void;
export function writeHeader(
  stream: ByteStream,
  serializer: Serializer,
  options?: OperationOptions | Handler,
  handler?: Handler,
): Promise<void> | void {
  return start("http.writeHeader", stream, serializer, () => serializer.isHeaderDone, options, handler);
}

/**
 * Writes at least one byte of a serializer's message: as many as one `writeSome` of the stream takes, up to the
 * serializer's `limit`. If the serializer needs the next part of the body first, that is misuse, `http.need_body`; if
 * it is done, nothing happens. Completes and fails as {@link writeHeader} does.
 */
export function writeSome(stream: ByteStream, serializer: Serializer, handler: Handler): void;
export function writeSome(stream: ByteStream, serializer: Serializer, options?: OperationOptions): Promise<void>;
export function writeSome(
  stream: ByteStream,
  serializer: Serializer,
  options: OperationOptions | undefined,
  handler: Handler,
): void;
export function writeSome(
  stream: ByteStream,
  serializer: Serializer,
  options?: OperationOptions | Handler,
  handler?: Handler,
): Promise<void> | void {
  let hasStarted = false;
  // Called before the first write and after each.
  const isEnough = (): boolean => {
    if (!hasStarted && serializer.needsBody) throw httpError("http.need_body");
    const isWritten = hasStarted;
    hasStarted = true;
    return isWritten;
  };
  return start("http.writeSome", stream, serializer, isEnough, options, handler);
}

/**
 * Writes a message, or the rest of a serializer's, head and body, and completes when the stream has taken all of it. A
 * body of bytes must not change until then. A streamed body is asked for its next part when the last one has been
 * taken, so it is read as fast as it can be sent. Whenever writing ends early, the body is told to stop (`return`).
 *
 * Never completes inside the call; without a handler, returns a promise. Fails with the stream's error; with
 * `core.aborted` if the signal fired, which resets the stream; with `http.body_failed`, or the body's own
 * `ServalError`, if the body fails; and with `http.bad_content_length` if the body is longer or shorter than announced.
 * After a failure of the body, part of the message has been sent: `reset` the stream, so that it can't be taken for all
 * of it (a body that ends with the connection would be). A message that
 * can't be sent (see {@link Serializer}) and a write already in flight (`core.operation_pending`) are misuse; with a
 * handler they throw, before anything is written.
 */
export function write(stream: ByteStream, message: Writable, handler: Handler): void;
export function write(stream: ByteStream, message: Writable, options?: WriteOptions): Promise<void>;
export function write(stream: ByteStream, message: Writable, options: WriteOptions | undefined, handler: Handler): void;
export function write(
  stream: ByteStream,
  message: Writable,
  options?: WriteOptions | Handler,
  handler?: Handler,
): Promise<void> | void {
  if (typeof options === "function") return write(stream, message, undefined, options);
  return completeUnbound(handler, (done) => {
    if (!(message instanceof Message || message instanceof Serializer)) {
      throw invalidArgument(
        "write takes an http.Request, an http.Response (Response.from makes one of fetch's) or a Serializer",
      );
    }
    checkByteStream("http.write", stream);
    if (options !== undefined) checkOptions(writeOptions, options);
    checkSignal(options?.signal);
    const serializer =
      message instanceof Serializer
        ? message
        : new Serializer(message as Request, { request: options?.request, keepAlive: options?.keepAlive });
    new WriteOperation(stream, serializer, undefined, done).start(options?.signal);
  });
}

/** What {@link write} accepts. */
export type Writable = Request | Response<Body> | Serializer;

function start(
  taker: string,
  stream: ByteStream,
  serializer: Serializer,
  isEnough: () => boolean,
  options: OperationOptions | Handler | undefined,
  handler: Handler | undefined,
): Promise<void> | void {
  if (typeof options === "function") return start(taker, stream, serializer, isEnough, undefined, options);
  return completeUnbound(handler, (done) => {
    checkByteStream(taker, stream);
    if (!(serializer instanceof Serializer))
      throw invalidArgument(`${taker} takes an http.Serializer, not ${show(serializer)}`);
    if (options !== undefined) checkOptions(operationOptions, options, taker);
    new WriteOperation(stream, serializer, isEnough, done).start(checkSignal(options?.signal));
  });
}
