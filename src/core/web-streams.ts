import type { ByteStream } from "./byte-stream.ts";
import { bytesOf, copyOf, notBytes } from "./bytes.ts";
import { show } from "./check-options.ts";
import { handled } from "./completion.ts";
import { coreError, invalidArgument, transportError } from "./errors.ts";
import { TransportStream } from "./transport-stream.ts";

/** The part of a `ReadableStreamDefaultReader` that is used. */
interface WebReader {
  read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
  cancel(reason?: unknown): Promise<void>;
}

/** The part of a `WritableStreamDefaultWriter` that is used. */
interface WebWriter {
  write(chunk: Uint8Array): Promise<void>;
  close(): Promise<void>;
  abort(reason?: unknown): Promise<void>;
}

/**
 * Two Web streams that form one connection: a `WebSocketStream`, a `TransformStream` crossed with another, a QUIC
 * stream.
 */
export interface WebStreamPair {
  /** A `ReadableStream` of `Uint8Array`s from the peer. */
  readonly readable: { readonly locked: boolean; getReader(): WebReader };
  /** A `WritableStream` of `Uint8Array`s to the peer. */
  readonly writable: { readonly locked: boolean; getWriter(): WebWriter };
}

/** The most bytes that are copied for one write; a larger one takes several. */
const mostCopied = 256 * 1024;

class WebStream extends TransportStream {
  readonly #reader: WebReader;
  readonly #writer: WebWriter;
  #reading = false;
  /** Bytes of the write in flight. */
  #length = 0;

  constructor({ readable, writable }: WebStreamPair) {
    super();
    if (readable.locked || writable.locked) {
      throw coreError("core.invalid_argument", {
        message: "A stream of the pair is already locked to a reader or writer",
      });
    }
    this.#reader = readable.getReader();
    this.#writer = writable.getWriter();
  }

  protected override pull(): void {
    if (this.#reading) return;
    this.#reading = true;
    this.#reader.read().then(this.#received, this.#broken);
  }

  protected override idle(): void {
    // One chunk is requested at a time, so none arrives unasked.
  }

  protected override push(buffers: Uint8Array | readonly Uint8Array[], length: number): void {
    // The sink may keep the chunk, but the caller may reuse its memory after the write.
    const chunk = copyOf(buffers, Math.min(length, mostCopied));
    this.#length = chunk.length;
    this.#writer.write(chunk).then(this.#written, this.#broken);
  }

  protected override finish(): void {
    // Not awaited: the writable of a duplex of Node's closes only when the readable has ended too.
    this.#writer.close().then(undefined, this.#broken);
    this.writeEnded();
  }

  protected override destroy(reset: boolean): void {
    // If the other end is in this process, it sees the reason as its error: for it, the peer is gone.
    const reason = coreError("core.connection_reset");
    handled(this.#reader.cancel(reason));
    // Chunks that the sink has taken should arrive, as with a socket; chunks that it has not taken are dropped.
    handled(reset || this.writing || this.isShuttingDown ? this.#writer.abort(reason) : this.#writer.close());
  }

  readonly #received = ({ done, value }: { readonly done: boolean; readonly value?: unknown }): void => {
    this.#reading = false;
    const bytes = bytesOf(value);
    if (done) this.readEnded();
    else if (bytes === undefined) this.failed(notBytes("readable stream", value));
    else if (bytes.length > 0) this.#run(() => this.deliver(bytes));
    else if (this.wanting && !this.isClosed) this.pull();
  };

  readonly #written = (): void => {
    this.#run(() => this.wrote(this.#length));
  };

  readonly #broken = (cause: unknown): void => {
    this.failed(transportError(cause));
  };

  /** Rethrows a handler's exception outside the promise, where it would be an unhandled rejection. */
  #run(report: () => void): void {
    try {
      report();
    } catch (thrown) {
      queueMicrotask(() => {
        throw thrown;
      });
    }
  }
}

/**
 * A {@link ByteStream} over a pair of Web streams, which are locked to it from now on. A chunk that is no `Uint8Array`,
 * other view or `ArrayBuffer` fails the stream with `core.invalid_argument`. The streams' own errors become the cause
 * of `core.connection_reset` or `core.transport`. Closing cancels the readable and ends the writable.
 *
 * Throws `core.invalid_argument` if either stream is locked, and for anything but such a pair.
 */
export function fromWebStreams(pair: WebStreamPair): ByteStream {
  const { readable, writable } = (pair ?? {}) as Partial<WebStreamPair>;
  if (typeof readable?.getReader !== "function" || typeof writable?.getWriter !== "function") {
    throw invalidArgument(`fromWebStreams takes a pair { readable, writable } of Web streams, not ${show(pair)}`);
  }
  return new WebStream(pair);
}
