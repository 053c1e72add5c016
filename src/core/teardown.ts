import { currentContext, type AsyncContext } from "./async-context.ts";
import type { ByteStream, ReadHandler, Role, ShutdownHandler } from "./byte-stream.ts";
import { transportError } from "./errors.ts";
import type { ServalError } from "./error.ts";

/** Receives the outcome of {@link teardown}. */
export type TeardownHandler = (error: ServalError | undefined) => void;

class Teardown {
  readonly #stream: ByteStream;
  readonly #role: Role;
  readonly #handler: TeardownHandler;
  readonly #context: AsyncContext;
  #hasShutDown = false;
  #hasRead = false;
  #completed = false;

  constructor(stream: ByteStream, role: Role, context: AsyncContext, handler: TeardownHandler) {
    this.#stream = stream;
    this.#role = role;
    this.#context = context;
    this.#handler = handler;
  }

  start(): void {
    if (this.#role === "server") this.#stream.shutdown(this.#onShutdown);
    try {
      this.#stream.readSome(this.#onRead);
    } catch (misuse) {
      // The shutdown has started; its completion is ignored from now on.
      this.#completed = true;
      throw misuse;
    }
  }

  readonly #onShutdown: ShutdownHandler = (error) => this.#context.runInAsyncScope(this.#shutDown, this, error);

  #shutDown(error: ServalError | undefined): void {
    this.#hasShutDown = true;
    if (error !== undefined || this.#hasRead) this.#complete(error);
  }

  readonly #onRead: ReadHandler = (error, bytes) => this.#context.runInAsyncScope(this.#read, this, error, bytes);

  #read(error: ServalError | undefined, bytes: Uint8Array | undefined): void {
    if (this.#completed) return;
    if (error !== undefined) return this.#complete(error);
    try {
      if (bytes !== undefined) return this.#stream.readSome(this.#onRead);
      this.#hasRead = true;
      if (this.#hasShutDown) return this.#complete(undefined);
      if (this.#role === "client") this.#stream.shutdown(this.#onShutdown);
    } catch (misuse) {
      this.#complete(transportError(misuse));
    }
  }

  #complete(error: ServalError | undefined): void {
    if (this.#completed) return;
    this.#completed = true;
    this.#stream.close();
    this.#handler(error);
  }
}

/**
 * Ends a stream gracefully, then closes it; no read or write may be in flight. A server ends its write side, then reads
 * and drops bytes up to the peer's end; a client reads to the peer's end first, then ends its own side (RFC 6455
 * section 7.1.1: the server ends first). There is no deadline: the caller can end the teardown with `close`. The
 * handler runs once, when the stream is closed, in the async context of the call.
 *
 * Completes with the stream's error, such as `core.connection_reset`, or `core.aborted` if the stream was closed
 * meanwhile. Throws `core.operation_pending` if its first read or shutdown can't start; then the handler does not run.
 * A server's write side may have ended by then.
 */
export function teardown(stream: ByteStream, role: Role, handler: TeardownHandler): void {
  teardownIn(currentContext(), stream, role, handler);
}

/** {@link teardown} in a context that is already kept: called in it, and its handler too. */
export function teardownIn(context: AsyncContext, stream: ByteStream, role: Role, handler: TeardownHandler): void {
  new Teardown(stream, role, context, handler).start();
}
