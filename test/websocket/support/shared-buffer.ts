// Two byte streams that share one read buffer, as a server's sockets do: what one leaves there the next one overwrites.
import {
  byteLength,
  coreError,
  type ByteStream,
  type ReadHandler,
  type ShutdownHandler,
  type WriteHandler,
} from "../../../src/core/index.ts";
import { concat } from "./frames.ts";

export class SharedBufferStream implements ByteStream {
  readonly #buffer: Uint8Array;
  #reader: ReadHandler | undefined;
  #arrived: Uint8Array[] = [];
  /** What was written. */
  written: Uint8Array = new Uint8Array(0);

  constructor(buffer: Uint8Array) {
    this.#buffer = buffer;
  }

  /** Bytes arrive from the peer; they are delivered at once if they are wanted. */
  arrive(bytes: Uint8Array): void {
    this.#arrived.push(bytes);
    this.#deliver();
  }

  readSome(handler: ReadHandler): void {
    if (this.#reader !== undefined) throw coreError("core.operation_pending");
    this.#reader = handler;
    queueMicrotask(() => this.#deliver());
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    const size = byteLength(buffers);
    this.written = concat(this.written, ...(buffers instanceof Uint8Array ? [buffers] : buffers));
    queueMicrotask(() => handler(undefined, size));
  }

  shutdown(handler: ShutdownHandler): void {
    queueMicrotask(() => handler(undefined));
  }

  watch(): void {}

  reset(): void {
    this.close();
  }

  close(): void {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader !== undefined) queueMicrotask(() => reader(coreError("core.aborted"), undefined));
  }

  #deliver(): void {
    const reader = this.#reader;
    const bytes = this.#arrived.shift();
    if (reader === undefined || bytes === undefined) {
      if (bytes !== undefined) this.#arrived.unshift(bytes);
      return;
    }
    this.#reader = undefined;
    this.#buffer.set(bytes);
    reader(undefined, this.#buffer.subarray(0, bytes.length));
  }
}
