import { Duplex } from "node:stream";
import { transportError, type ByteStream, type ReadHandler, type WriteHandler } from "../core/index.ts";
import { dropFront } from "../core/internal.ts";

/** The callback that a `Duplex` passes to its implementation. */
type Callback = (error?: Error | null) => void;

class StreamDuplex extends Duplex {
  readonly #stream: ByteStream;
  #writing: Callback | undefined;
  #left: readonly Uint8Array[] = [];

  constructor(stream: ByteStream) {
    super({ allowHalfOpen: true });
    this.#stream = stream;
  }

  override _read(): void {
    this.#start(() => this.#stream.readSome(this.#onRead));
  }

  override _write(chunk: Uint8Array, _encoding: unknown, callback: Callback): void {
    this.#write([chunk], callback);
  }

  override _writev(chunks: readonly { chunk: Uint8Array }[], callback: Callback): void {
    this.#write(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _final(callback: Callback): void {
    this.#start(() => this.#stream.shutdown(callback));
  }

  /** As a socket's of Node: closes, and the peer sees a failure. */
  resetAndDestroy(): this {
    this.#stream.reset();
    return this.destroy();
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#stream.close();
    callback(error);
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    if (error !== undefined) {
      this.destroy(error);
    } else {
      // Copied, since the bytes are borrowed and a Duplex's reader may keep them.
      this.push(bytes === undefined ? null : Buffer.from(bytes));
    }
  };

  #write(chunks: readonly Uint8Array[], callback: Callback): void {
    this.#left = chunks.filter((chunk) => chunk.length > 0);
    this.#writing = callback;
    this.#writeOn();
  }

  #writeOn(): void {
    if (this.#left.length > 0) this.#start(() => this.#stream.writeSome(this.#left, this.#onWritten));
    else this.#writing!();
  }

  readonly #onWritten: WriteHandler = (error, written) => {
    if (error !== undefined) {
      this.#writing!(error);
    } else {
      this.#left = dropFront(this.#left, written);
      this.#writeOn();
    }
  };

  /** Starts an operation. An exception means misuse: the stream is in use elsewhere too. */
  #start(operation: () => void): void {
    try {
      operation();
    } catch (misuse) {
      this.destroy(transportError(misuse));
    }
  }
}

/**
 * A Node `Duplex` over any {@link ByteStream}, for interfaces that need one, such as `node:tls`. The inverse of
 * `fromDuplex`. The duplex owns the stream from now on: destroying the duplex closes the stream, and the stream's
 * errors become the duplex's. It reads ahead up to `readableHighWaterMark`.
 *
 * `end` shuts the stream down, and reading goes on. After the ends of both sides the duplex destroys itself, which closes
 * the stream.
 */
export function toDuplex(stream: ByteStream): Duplex {
  return new StreamDuplex(stream);
}
