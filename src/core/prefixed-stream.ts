import type { ByteStream, Peer, ReadHandler, ShutdownHandler, WatchHandler, WriteHandler } from "./byte-stream.ts";
import { copyOf } from "./bytes.ts";
import { checkObject, checkOptions, ownOptions, show } from "./check-options.ts";
import { coreError, invalidArgument, operationPending } from "./errors.ts";
import { checkByteStream } from "./next-layer.ts";

/** Options of a {@link PrefixedStream}. */
export interface PrefixedStreamOptions {
  /** The peer, if the next layer's is not the real one, as after a proxy. Default: the next layer's. */
  peer?: Peer | undefined;
}

const prefixedOptions = ownOptions("PrefixedStream", ["peer"], "{ peer }");

/**
 * A {@link ByteStream} that first delivers bytes already read, then those of the next layer, for use after a detection
 * or header that has read too far. After the first bytes it only passes calls on.
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

  /** `prefix` is copied, since it may lie in a buffer that is reused. It may be empty. */
  constructor(nextLayer: ByteStream, prefix: Uint8Array, options: PrefixedStreamOptions = {}) {
    this.nextLayer = checkByteStream("PrefixedStream", nextLayer);
    if (!(prefix instanceof Uint8Array)) throw invalidArgument(`The prefix must be a Uint8Array, not ${show(prefix)}`);
    checkOptions(prefixedOptions, options);
    this.#prefix = prefix.length > 0 ? copyOf(prefix, prefix.length) : undefined;
    this.#peer = checkObject("peer", options.peer, "an object such as { address, port }");
  }

  /** The peer from the options, or the next layer's. */
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
    // A read that waits for the prefix keeps it, and stays in flight.
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
