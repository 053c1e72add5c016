import {
  coreError,
  type ByteStream,
  type Peer,
  type ReadHandler,
  type Role,
  type TeardownHandler,
  type WriteHandler,
} from "../core/index.ts";

/** A stream, with bytes in front of what it will read. */
class FrontStream implements ByteStream {
  readonly nextLayer: ByteStream;
  #front: Uint8Array | undefined;
  #reader: ReadHandler | undefined;
  #closed = false;

  constructor(nextLayer: ByteStream, front: Uint8Array) {
    this.nextLayer = nextLayer;
    this.#front = front;
  }

  get peer(): Peer | undefined {
    return this.nextLayer.peer;
  }

  readSome(handler: ReadHandler): void {
    if (this.#reader !== undefined) throw coreError("core.operation_pending");
    if (this.#front === undefined || this.#closed) {
      this.nextLayer.readSome(handler);
      return;
    }
    this.#reader = handler;
    queueMicrotask(() => {
      const front = this.#front;
      this.#reader = undefined;
      this.#front = undefined;
      if (this.#closed) handler(coreError("core.aborted"), undefined);
      else handler(undefined, front);
    });
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    this.nextLayer.writeSome(buffers, handler);
  }

  teardown(role: Role, handler: TeardownHandler): void {
    if (this.#reader !== undefined) throw coreError("core.operation_pending");
    this.nextLayer.teardown(role, handler);
    this.#front = undefined;
  }

  close(): void {
    this.#closed = true;
    this.nextLayer.close();
  }
}

/** A stream whose first read gives `front`, bytes that came with something before. They must not change any more. */
export function withFront(stream: ByteStream, front: Uint8Array): ByteStream {
  return front.length === 0 ? stream : new FrontStream(stream, front);
}
