// Async contexts with names, and a layer that does its worst to them.
import { AsyncLocalStorage } from "node:async_hooks";
import type { ByteStream, ReadHandler, ShutdownHandler, WatchHandler, WriteHandler } from "../../../src/core/index.ts";

const storage = new AsyncLocalStorage<string>();

/** Runs `act` in the context of this name, or in one that has none. */
export function within<Result>(name: string | undefined, act: () => Result): Result {
  return name === undefined ? storage.exit(act) : storage.run(name, act);
}

/** Enters the context of this name for all that follows in the caller's. */
export function enter(name: string): void {
  storage.enterWith(name);
}

/** The name of the context that this is called in. */
const current = (): string => storage.getStore() ?? "none";

/** What was called, each once with the contexts that it was called in: `open: own`. */
export class Seen {
  readonly #calls = new Set<string>();

  /** `what` is being called. */
  note(what: string): void {
    this.#calls.add(`${what}: ${current()}`);
  }

  /** A handler that notes its calls. */
  noting(what: string): () => void {
    return () => this.note(what);
  }

  has(what: string): boolean {
    return [...this.#calls].some((call) => call.startsWith(`${what}:`));
  }

  /** In the order of the alphabet. */
  get calls(): string[] {
    return [...this.#calls].toSorted();
  }
}

/**
 * A layer whose handlers always run in the context "transport", as a transport's may, and which notes the contexts that it
 * is asked in.
 */
export class ForeignStream implements ByteStream {
  readonly nextLayer: ByteStream;
  readonly requests: Seen = new Seen();

  constructor(nextLayer: ByteStream) {
    this.nextLayer = nextLayer;
  }

  readSome(handler: ReadHandler): void {
    this.requests.note("request");
    this.nextLayer.readSome((error, bytes) => within("transport", () => handler(error, bytes)));
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    this.requests.note("request");
    this.nextLayer.writeSome(buffers, (error, written) => within("transport", () => handler(error, written)));
  }

  shutdown(handler: ShutdownHandler): void {
    this.requests.note("request");
    this.nextLayer.shutdown((error) => within("transport", () => handler(error)));
  }

  watch(handler: WatchHandler): void {
    this.requests.note("request");
    this.nextLayer.watch((error) => within("transport", () => handler(error)));
  }

  close(): void {
    this.requests.note("request");
    this.nextLayer.close();
  }

  reset(): void {
    this.requests.note("request");
    this.nextLayer.reset();
  }
}
