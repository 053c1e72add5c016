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
import { checkHandler, copyOf, operationPending } from "../core/internal.ts";
import { testingError } from "./errors.ts";
import type { Failure, Verb } from "./failure.ts";

/** What a {@link FaultyStream} needs from its run, and reports to it. */
export interface FaultyStreamOwner {
  readonly clock: Clock;
  /** An operation starts; returns its failure, if any. */
  started(verb: Verb): Failure | undefined;
  /** An operation was completed. */
  completed(): void;
  /** The failure is `abort`. */
  abort(): void;
}

/** How long a stalled operation waits, in milliseconds of the run's clock. */
export const stallMs: number = 3_600_000;

/** An operation in flight. */
interface Operation {
  readonly handler: (error: ServalError | undefined, value: never) => void;
  /** The value passed along with an error. */
  readonly nothing: number | undefined;
}

/**
 * A stream over another, of which one operation fails as a run of `everyFailure` plans. Everything else passes through
 * unchanged.
 */
export class FaultyStream implements ByteStream {
  readonly nextLayer: ByteStream;
  readonly #owner: FaultyStreamOwner;
  readonly #inFlight = new Map<Verb, Operation>();
  /** Operations that start later. */
  readonly #stalled = new Set<Timer>();
  /** The rest of the bytes of a short read. */
  #held: Uint8Array | undefined;
  #failure: ServalError | undefined;
  #ended = false;
  #closed = false;

  /** @internal */
  constructor(next: ByteStream, owner: FaultyStreamOwner) {
    this.nextLayer = next;
    this.#owner = owner;
  }

  /** The peer of the stream below, if it is known. */
  get peer(): Peer | undefined {
    return this.nextLayer.peer;
  }

  /** Whether this stream was closed, by `close` or `reset`. */
  get closed(): boolean {
    return this.#closed;
  }

  /** The operations in flight: `read`, `write`, `shutdown`, `watch`. */
  get inFlight(): readonly string[] {
    return [...this.#inFlight.keys()];
  }

  readSome(handler: ReadHandler): void {
    const operation = this.#admit("read", handler, undefined);
    const failure = this.#owner.started("read");
    const isShort = failure === "short";
    if (failure === "end") this.#ended = true;
    this.#start("read", operation, failure, () => {
      if (this.#held !== undefined) this.#lendHeld(operation, isShort);
      else if (this.#ended) this.#soon("read", operation, undefined, undefined);
      else {
        this.nextLayer.readSome((error, bytes) => {
          if (bytes === undefined || !isShort) return this.#complete("read", operation, error, bytes);
          if (bytes.length > 1) this.#held = copyOf(bytes.subarray(1), bytes.length - 1);
          this.#complete("read", operation, error, bytes.subarray(0, 1));
        });
      }
    });
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    // The stream below throws the misuse error.
    if (byteLength(buffers) === 0) return this.nextLayer.writeSome(buffers, handler);
    const operation = this.#admit("write", handler, 0);
    const failure = this.#owner.started("write");
    this.#start("write", operation, failure, () => {
      this.nextLayer.writeSome(failure === "short" ? firstByte(buffers) : buffers, (error, written) =>
        this.#complete("write", operation, error, written),
      );
    });
  }

  shutdown(handler: ShutdownHandler): void {
    const operation = this.#admit("shutdown", handler, undefined);
    this.#start("shutdown", operation, this.#owner.started("shutdown"), () => {
      this.nextLayer.shutdown((error) => this.#complete("shutdown", operation, error, undefined));
    });
  }

  watch(handler: WatchHandler): void {
    const operation = this.#admit("watch", handler, undefined);
    const failure = this.#owner.started("watch");
    if (failure === "end") this.#ended = true;
    this.#start("watch", operation, failure, () => {
      if (this.#ended) this.#soon("watch", operation, undefined, undefined);
      else this.nextLayer.watch((error) => this.#complete("watch", operation, error, undefined));
    });
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
    if (this.#closed) return;
    this.#closed = true;
    this.#held = undefined;
    for (const timer of this.#stalled) timer.cancel();
    this.#stalled.clear();
    this.#failInFlight(coreError("core.aborted"));
  }

  /** Registers an operation; a read or another watch ends a watch. */
  #admit(verb: Verb, handler: Operation["handler"], nothing: number | undefined): Operation {
    checkHandler(handler);
    const rivals = verb === "read" || verb === "watch" ? (["read"] as const) : (["write", "shutdown"] as const);
    const running = rivals.find((rival) => this.#inFlight.has(rival));
    if (running !== undefined) throw operationPending(running, verb);
    if (verb === "read") this.#inFlight.delete("watch");
    const operation = { handler, nothing };
    this.#inFlight.set(verb, operation);
    return operation;
  }

  /** Starts an operation, now or later, or fails it. */
  #start(verb: Verb, operation: Operation, failure: Failure | undefined, begin: () => void): void {
    if (failure === "error") this.#fail(testingError("testing.failure"));
    if (failure === "reset") this.#reset();
    if (failure === "abort") queueMicrotask(() => this.#owner.abort());
    const dead = this.#closed ? coreError("core.aborted") : this.#failure;
    const beginLater = (): void => {
      if (this.#inFlight.get(verb) !== operation) return;
      try {
        begin();
      } catch (cause) {
        this.#soon(verb, operation, transportError(cause), operation.nothing);
      }
    };
    if (dead !== undefined) this.#soon(verb, operation, dead, operation.nothing);
    else if (failure === "delay") setImmediate(beginLater);
    else if (failure === "stall") {
      const timer = this.#owner.clock.setTimer(stallMs, () => {
        this.#stalled.delete(timer);
        beginLater();
      });
      this.#stalled.add(timer);
    } else {
      try {
        begin();
      } catch (misuse) {
        this.#inFlight.delete(verb);
        throw misuse;
      }
    }
  }

  /**
   * Completes a read with the rest of a short one; as in a pair, the bytes are overwritten when the handler has
   * returned.
   */
  #lendHeld(operation: Operation, isShort: boolean): void {
    const held = this.#held!;
    const bytes = isShort ? held.subarray(0, 1) : held;
    this.#held = bytes.length < held.length ? held.subarray(1) : undefined;
    this.#soon("read", operation, undefined, bytes);
    queueMicrotask(() => bytes.fill(0xdb));
  }

  #fail(error: ServalError): void {
    this.#failure ??= error;
    this.#failInFlight(error);
  }

  /** Both sides see it: this one at once, whatever the stream below reports. */
  #reset(): void {
    this.#fail(coreError("core.connection_reset"));
    this.nextLayer.reset();
  }

  #failInFlight(error: ServalError): void {
    for (const [verb, operation] of this.#inFlight) this.#soon(verb, operation, error, operation.nothing);
  }

  #soon(
    verb: Verb,
    operation: Operation,
    error: ServalError | undefined,
    value: Uint8Array | number | undefined,
  ): void {
    queueMicrotask(() => this.#complete(verb, operation, error, value));
  }

  #complete(
    verb: Verb,
    operation: Operation,
    error: ServalError | undefined,
    value: Uint8Array | number | undefined,
  ): void {
    if (this.#inFlight.get(verb) !== operation) return;
    this.#inFlight.delete(verb);
    this.#owner.completed();
    // The stream below reports its own reset; the planned failure counts instead.
    const own = error !== undefined && !this.#closed ? (this.#failure ?? error) : error;
    operation.handler(own, value as never);
  }
}

/** The first byte of a buffer or list that has one. */
function firstByte(buffers: Uint8Array | readonly Uint8Array[]): Uint8Array {
  const buffer = buffers instanceof Uint8Array ? buffers : buffers.find(({ length }) => length > 0)!;
  return buffer.subarray(0, 1);
}
