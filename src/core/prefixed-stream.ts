import type { ByteStream, Peer, ReadHandler, ShutdownHandler, WatchHandler, WriteHandler } from "./byte-stream.ts";
import { copyOf } from "./bytes.ts";
import { coreError, operationPending } from "./errors.ts";
import { checkByteStream } from "./next-layer.ts";

/** Options of a {@link PrefixedStream}. */
export interface PrefixedStreamOptions {
  /** Where the other side is, where the next layer does not know better, such as behind a proxy. Default the next layer's. */
  peer?: Peer | undefined;
}

/**
 * A {@link ByteStream} that delivers bytes which were read already, then those of the next layer: for what a detection
 * or a header has read too much of. It adds nothing to a call once they are used up.
 */
export class PrefixedStream implements ByteStream {
  /** The layer below. */
  readonly nextLayer: ByteStream;
  readonly #peer: Peer | undefined;
  #prefix: Uint8Array | undefined;
  /** The read that gets the prefix. */
  #reader: ReadHandler | undefined;
  #closed = false;
  /** Whether the next layer is watched, and has not been read from since. */
  #watching = false;

  /** `prefix` is copied: it may lie in a buffer that goes on being used, and may be empty. */
  constructor(nextLayer: ByteStream, prefix: Uint8Array, options: PrefixedStreamOptions = {}) {
    this.nextLayer = checkByteStream("PrefixedStream", nextLayer);
    this.#prefix = prefix.length > 0 ? copyOf(prefix, prefix.length) : undefined;
    this.#peer = options.peer;
  }

  /** Where the other side is: as the options say, or the next layer. */
  get peer(): Peer | undefined {
    return this.#peer ?? this.nextLayer.peer;
  }

  readSome(handler: ReadHandler): void {
    if (this.#prefix === undefined) {
      this.nextLayer.readSome(handler);
      return;
    }
    if (this.#reader !== undefined) throw operationPending("read", "read");
    this.#reader = handler;
    // Nothing is read below, so that another watch has to end the one there is.
    if (this.#watching) this.nextLayer.watch(ignore);
    queueMicrotask(this.#deliver);
  }

  watch(handler: WatchHandler): void {
    if (this.#reader !== undefined) throw operationPending("read", "watch");
    this.nextLayer.watch(handler);
    this.#watching = this.#prefix !== undefined;
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    this.nextLayer.writeSome(buffers, handler);
  }

  shutdown(handler: ShutdownHandler): void {
    this.nextLayer.shutdown(handler);
  }

  close(): void {
    this.#end();
    this.nextLayer.close();
  }

  reset(): void {
    this.#end();
    this.nextLayer.reset();
  }

  #end(): void {
    this.#closed = true;
    // A read that waits for the prefix keeps it, so that it stays the one in flight.
    if (this.#reader === undefined) this.#prefix = undefined;
  }

  readonly #deliver = (): void => {
    const reader = this.#reader!;
    const prefix = this.#prefix;
    this.#reader = this.#prefix = undefined;
    if (this.#closed) reader(coreError("core.aborted"), undefined);
    else reader(undefined, prefix);
  };
}

function ignore(): void {}
