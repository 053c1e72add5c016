import type { ByteStream, Peer, ReadHandler, Role, TeardownHandler, WriteHandler } from "../../core/index.ts";
import { copyOf } from "../../core/internal.ts";

/** A stream that keeps what goes over it, until it is told to stop. */
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

  /** What the next layer has taken. */
  get sent(): Buffer {
    return Buffer.concat(this.#sent);
  }

  /** What has come from it. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Keeps nothing more; what there is stays. */
  stop(): void {
    this.#isRecording = false;
  }

  readSome(handler: ReadHandler): void {
    this.nextLayer.readSome((error, bytes) => {
      // They are borrowed.
      if (this.#isRecording && bytes !== undefined) this.#received.push(Buffer.from(bytes));
      handler(error, bytes);
    });
  }

  writeSome(buffers: Uint8Array | readonly Uint8Array[], handler: WriteHandler): void {
    this.nextLayer.writeSome(buffers, (error, written) => {
      // A copy of what was taken, not of all that was offered: of a large write a stream may take a little at a time.
      if (this.#isRecording && written > 0) this.#sent.push(copyOf(buffers, written));
      handler(error, written);
    });
  }

  teardown(role: Role, handler: TeardownHandler): void {
    this.nextLayer.teardown(role, handler);
  }

  close(): void {
    this.nextLayer.close();
  }
}
