import { TransportStream } from "../../../src/core/internal.ts";
import { pair, type PairStream } from "../../../src/testing/index.ts";

/** Reads and writes that a server has asked of its transports. */
export interface TransportCalls {
  reads: number;
  writes: number;
}

/**
 * A server's transport and the client at its other end. The client makes no promise and no closure for a request, so that
 * the counts are the server's.
 */
export class Client {
  /** The server's end; its reads and writes are counted in `calls`. */
  readonly transport: PairStream;
  /** How many bytes the server has sent. */
  received = 0;
  readonly #stream: PairStream;
  #awaited = Infinity;
  #then: () => void = nothing;

  constructor(calls: TransportCalls) {
    const [transport, stream] = pair();
    this.transport = counted(transport, calls);
    this.#stream = stream;
    stream.readSome(this.#onRead);
  }

  /** Sends bytes, and calls `then` once `size` bytes have come back. */
  ask(bytes: Uint8Array, size: number, then: () => void): void {
    this.await(size, then);
    this.#stream.writeSome(bytes, nothing);
  }

  /** Calls `then` once `size` bytes more have come. */
  await(size: number, then: () => void): void {
    this.#awaited = this.received + size;
    this.#then = then;
  }

  readonly #onRead = (_: unknown, bytes: Uint8Array | undefined): void => {
    if (bytes === undefined) return;
    this.received += bytes.length;
    this.#stream.readSome(this.#onRead);
    if (this.received >= this.#awaited) this.#then();
  };
}

function counted(stream: PairStream, calls: TransportCalls): PairStream {
  callsOf.set(stream, calls);
  return stream;
}

const callsOf = new WeakMap<TransportStream, TransportCalls>();

// In the class, since a stream with methods of its own gets other handlers.
const { readSome, writeSome } = TransportStream.prototype;
TransportStream.prototype.readSome = function (handler) {
  const calls = callsOf.get(this);
  if (calls !== undefined) calls.reads++;
  readSome.call(this, handler);
};
TransportStream.prototype.writeSome = function (buffers, handler) {
  const calls = callsOf.get(this);
  if (calls !== undefined) calls.writes++;
  writeSome.call(this, buffers, handler);
};

function nothing(): void {}
