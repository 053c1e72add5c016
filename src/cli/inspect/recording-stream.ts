import type { ByteStream, Peer, ReadHandler, ShutdownHandler, WatchHandler, WriteHandler } from "../../core/index.ts";
import { copyOf } from "../../core/internal.ts";

/** A layer that records the bytes read and written, until `stop`. */
export class RecordingStream implements ByteStream {
  readonly nextLayer: ByteStream;
  #sent: Uint8Array[] = [];
  #received: Buffer[] = [];
  #isRecording = true;

  constructor(nextLayer: ByteStream) {
    this.nextLayer = nextLayer;
  }

  get peer(): Peer | undefined {
    return this.nextLayer.peer;
  }

  /** The bytes that the next layer has taken. */
  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** The bytes that the next layer has delivered. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Stops recording; what was recorded stays. */
  stop(): void {
    this.#isRecording = false;
  }

  readSome(handler: ReadHandler): void {
    this.nextLayer.readSome((error, bytes) => {
      // The bytes are borrowed, so they are copied.
      if (this.#isRecording && bytes !== undefined) this.#received.push(Buffer.from(bytes));
      handler(error, bytes);
    });
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    this.nextLayer.writeSome(buffers, (error, written) => {
      // Copies only what was taken: a stream may take a large write in many small parts.
      if (this.#isRecording && written > 0) this.#sent.push(copyOf(buffers, written));
      handler(error, written);
    });
  }

  shutdown(handler: ShutdownHandler): void {
    this.nextLayer.shutdown(handler);
  }

  watch(handler: WatchHandler): void {
    this.nextLayer.watch(handler);
  }

  close(): void {
    this.nextLayer.close();
  }

  reset(): void {
    this.nextLayer.reset();
  }
}
