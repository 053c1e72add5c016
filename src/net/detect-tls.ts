import {
  complete,
  FlatBuffer,
  transportError,
  type ByteStream,
  type Handler,
  type ReadHandler,
  type ServalError,
} from "../core/index.ts";
import {
  AbortGuard,
  checkByteStream,
  checkOptions,
  checkSignal,
  invalidArgument,
  optionSet,
} from "../core/internal.ts";
import { isTlsClientHello } from "./is-tls-client-hello.ts";

/** Options of {@link detectTls}. */
export interface DetectTlsOptions {
  /** Aborts the detection with `core.aborted` and closes the stream. There is no deadline by default. */
  signal?: AbortSignal | undefined;
}

const detectTlsOptions = optionSet("detectTls", ["signal"], "{ signal }");

class Detection {
  readonly #stream: ByteStream;
  readonly #buffer: FlatBuffer;
  readonly #handler: Handler<boolean>;
  #guard: AbortGuard | undefined;

  constructor(stream: ByteStream, buffer: FlatBuffer, handler: Handler<boolean>) {
    this.#stream = stream;
    this.#buffer = buffer;
    this.#handler = handler;
  }

  start(options: DetectTlsOptions): void {
    checkByteStream("detectTls", this.#stream);
    if (!(this.#buffer instanceof FlatBuffer)) {
      throw invalidArgument("detectTls takes a core.FlatBuffer as its second argument");
    }
    checkOptions(detectTlsOptions, options);
    const signal = checkSignal(options.signal);
    const known = isTlsClientHello(this.#buffer.data());
    if (known === undefined) this.#stream.readSome(this.#onRead);
    else queueMicrotask(() => this.#finish(undefined, known));
    this.#guard = AbortGuard.over(this.#stream, signal);
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    if (error !== undefined || bytes === undefined) return this.#finish(error, false);
    let known: boolean | undefined;
    try {
      this.#buffer.append(bytes);
      known = isTlsClientHello(this.#buffer.data());
      if (known === undefined) return this.#stream.readSome(this.#onRead);
    } catch (failure) {
      return this.#finish(transportError(failure), false);
    }
    this.#finish(undefined, known);
  };

  #finish(failure: ServalError | undefined, result: boolean): void {
    const error = this.#guard?.release() ?? failure;
    this.#handler(error, error === undefined && result);
  }
}

/**
 * Reads until it is clear whether the peer speaks TLS, so that one port can serve both. The bytes stay in `buffer`,
 * which may already hold some. Pass them on with a `PrefixedStream`, to `acceptTls` or to the plain protocol.
 * Completes, never inside the call, with true or false; without a handler returns a promise.
 *
 * If the stream ends before it is clear, the result is false, and the next read gets the end again. Fails with
 * `core.buffer_overflow` if the buffer's `maxSize` is too small for one read's bytes, with the stream's error, or with
 * `core.aborted` if the signal fired, which closes the stream. A read already in flight is misuse,
 * `core.operation_pending`; with a handler it throws.
 */
export function detectTls(stream: ByteStream, buffer: FlatBuffer, handler: Handler<boolean>): void;
export function detectTls(
  stream: ByteStream,
  buffer: FlatBuffer,
  options: DetectTlsOptions | undefined,
  handler: Handler<boolean>,
): void;
export function detectTls(stream: ByteStream, buffer: FlatBuffer, options?: DetectTlsOptions): Promise<boolean>;
export function detectTls(
  stream: ByteStream,
  buffer: FlatBuffer,
  options: DetectTlsOptions | Handler<boolean> = {},
  handler?: Handler<boolean>,
): Promise<boolean> | void {
  if (typeof options === "function") return detectTls(stream, buffer, undefined, options);
  return complete(handler, (done) => new Detection(stream, buffer, done).start(options));
}
