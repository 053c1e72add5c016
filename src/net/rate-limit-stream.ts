import {
  byteLength,
  coreError,
  transportError,
  type ByteStream,
  type Clock,
  type Peer,
  type ReadHandler,
  type ServalError,
  type ShutdownHandler,
  type Timer,
  type WatchHandler,
  type WriteHandler,
} from "../core/index.ts";
import { checkByteStream, checkClock, invalidArgument, operationPending, show, takeFront } from "../core/internal.ts";
import type { RateLimit, RatePolicy } from "./rate-policy.ts";

/** Options of a {@link RateLimitStream}. */
export interface RateLimitStreamOptions {
  /** The source of time. Default: the platform's. Streams that share a policy must share a clock. */
  clock?: Clock | undefined;
}

/**
 * A stream whose reads and writes wait until a {@link RatePolicy} allows them. A read that waits is not started below,
 * so the transport is paused and the peer waits too. A read's size is not known before, so an excess delays the next
 * one. A write takes no more than is available. A watch does not wait; the bytes it takes are counted when they are read.
 */
export class RateLimitStream implements ByteStream {
  /** The layer below. */
  readonly nextLayer: ByteStream;
  readonly #clock: Clock;
  readonly #readLimit: RateLimit | undefined;
  readonly #writeLimit: RateLimit | undefined;
  /** The read in flight, here or below, if reads are limited. */
  #reader: ReadHandler | undefined;
  /** Set while a read waits here. */
  #readTimer: Timer | undefined;
  /** The write in flight, here or below, if writes are limited; or the shutdown. */
  #writer: WriteHandler | undefined;
  /** Set while a write waits here. */
  #writeTimer: Timer | undefined;
  /** The buffers of a write that waits here. */
  #buffers: Uint8Array | readonly Uint8Array[] = [];
  /** How many bytes the limit was charged for the write in flight below. */
  #taken = 0;
  /** Whether {@link #writer} is a shutdown's. */
  #shuttingDown = false;
  /** Whether the next layer is watched, and has not been read from since. */
  #watching = false;
  /** Closed: nothing is limited. */
  #closed = false;

  constructor(nextLayer: ByteStream, policy: RatePolicy, options: RateLimitStreamOptions = {}) {
    this.nextLayer = checkByteStream("RateLimitStream", nextLayer);
    this.#clock = checkClock(options.clock);
    if (typeof policy !== "object" || policy === null) {
      throw invalidArgument(`RateLimitStream takes a policy, such as simpleRatePolicy makes, not ${show(policy)}`);
    }
    this.#readLimit = checkLimit(policy.read);
    this.#writeLimit = checkLimit(policy.write);
  }

  /** The next layer's peer. */
  get peer(): Peer | undefined {
    return this.nextLayer.peer;
  }

  readSome(handler: ReadHandler): void {
    if (this.#reader !== undefined) throw operationPending("read", "read");
    if (this.#readLimit === undefined || this.#closed) {
      this.nextLayer.readSome(handler);
    } else {
      this.#read(this.#readLimit);
      this.#reader = handler;
    }
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    if (this.#writer !== undefined) throw this.#pending("write");
    if (this.#writeLimit === undefined || this.#closed) {
      this.nextLayer.writeSome(buffers, handler);
    } else {
      this.#write(this.#writeLimit, buffers);
      this.#writer = handler;
    }
  }

  shutdown(handler: ShutdownHandler): void {
    if (this.#writer !== undefined) throw this.#pending("shutdown");
    this.nextLayer.shutdown(this.#onShutdown);
    this.#writer = handler;
    this.#shuttingDown = true;
  }

  watch(handler: WatchHandler): void {
    if (this.#reader !== undefined) throw operationPending("read", "watch");
    this.nextLayer.watch(handler);
    this.#watching = this.#readLimit !== undefined;
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
    this.#readTimer?.cancel();
    this.#writeTimer?.cancel();
    if (this.#readTimer !== undefined || this.#writeTimer !== undefined) queueMicrotask(this.#abortRead);
  }

  /** The error of what has to wait for the write or shutdown in flight. */
  #pending(wanted: "write" | "shutdown"): ServalError {
    return operationPending(this.#shuttingDown ? "shutdown" : "write", wanted);
  }

  /** Starts a read, or waits for its turn. */
  #read(limit: RateLimit): void {
    const now = this.#clock.now();
    if (limit.available(now) > 0) {
      this.nextLayer.readSome(this.#onRead);
    } else {
      this.#readTimer = this.#clock.setTimer(limit.delay(Infinity, now), this.#onReadTimer);
      // Nothing is read below yet, so that another watch has to end the one there is.
      if (this.#watching) this.nextLayer.watch(ignore);
    }
    this.#watching = false;
  }

  /** Starts a write of the bytes available, or waits until there are some. */
  #write(limit: RateLimit, buffers: Uint8Array | readonly Uint8Array[]): void {
    const now = this.#clock.now();
    const length = byteLength(buffers);
    const available = limit.available(now);
    if (available > 0 || length === 0) {
      const size = Math.min(length, available);
      this.nextLayer.writeSome(size < length ? takeFront(buffers, size) : buffers, this.#onWritten);
      // Charged at the start, so that other streams do not count on the same bytes.
      limit.take(size, now);
      this.#taken = size;
      this.#buffers = [];
    } else {
      this.#buffers = buffers;
      this.#writeTimer = this.#clock.setTimer(limit.delay(length, now), this.#onWriteTimer);
    }
  }

  readonly #onReadTimer = (): void => {
    this.#readTimer = undefined;
    try {
      this.#read(this.#readLimit!);
    } catch (misuse) {
      this.#onRead(transportError(misuse), undefined);
    }
  };

  readonly #onWriteTimer = (): void => {
    this.#writeTimer = undefined;
    try {
      this.#write(this.#writeLimit!, this.#buffers);
    } catch (misuse) {
      this.#onWritten(transportError(misuse), 0);
    }
  };

  readonly #onRead: ReadHandler = (error, bytes) => {
    const reader = this.#reader!;
    this.#reader = undefined;
    if (bytes !== undefined) this.#readLimit!.take(bytes.length, this.#clock.now());
    reader(error, bytes);
  };

  readonly #onWritten: WriteHandler = (error, written) => {
    const writer = this.#writer!;
    this.#writer = undefined;
    if (written < this.#taken) this.#writeLimit!.take(written - this.#taken, this.#clock.now());
    this.#taken = 0;
    writer(error, written);
  };

  readonly #onShutdown: ShutdownHandler = (error) => {
    const handler = this.#writer!;
    this.#writer = undefined;
    this.#shuttingDown = false;
    handler(error, 0);
  };

  /** Fails the read and the write that wait here, after a close. Each handler gets a turn of its own. */
  readonly #abortRead = (): void => {
    queueMicrotask(this.#abortWrite);
    if (this.#readTimer === undefined) return;
    this.#readTimer = undefined;
    this.#onRead(coreError("core.aborted"), undefined);
  };

  readonly #abortWrite = (): void => {
    if (this.#writeTimer === undefined) return;
    this.#writeTimer = undefined;
    this.#buffers = [];
    this.#onWritten(coreError("core.aborted"), 0);
  };
}

/** Checks a limit here, since an invalid one would fail much later. */
function checkLimit(limit: RateLimit | undefined): RateLimit | undefined {
  if (limit === undefined || typeof limit.available === "function") return limit;
  throw invalidArgument("A rate policy has a RateLimit for each direction; simpleRatePolicy makes one from numbers");
}

function ignore(): void {}
