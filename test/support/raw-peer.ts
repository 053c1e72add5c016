import type { ByteStream, ServalError } from "../../src/core/index.ts";
import { decodeLatin1, encodeLatin1 } from "../../src/core/text.ts";
import type { PairStream } from "../../src/testing/index.ts";

/** One side of a connection, which speaks in bytes: reads all the time, unless it is paused, and keeps what it read. */
export class RawPeer<Next extends ByteStream = PairStream> {
  readonly stream: Next;
  /** Whether the other side has ended, and with which error reading has failed. */
  ended = false;
  error: ServalError | undefined;
  #received: Uint8Array[] = [];
  #isPaused: boolean;
  #isReading = false;
  readonly #queue: { bytes: Uint8Array; resolve: () => void }[] = [];

  constructor(stream: Next, isPaused = false) {
    this.stream = stream;
    this.#isPaused = isPaused;
    if (!isPaused) this.#read();
  }

  /** All that has come. */
  get received(): Uint8Array {
    if (this.#received.length !== 1) this.#received = [new Uint8Array(Buffer.concat(this.#received))];
    return this.#received[0]!;
  }

  /** The same, as characters up to U+00FF. */
  get text(): string {
    return decodeLatin1(this.received);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#read();
  }

  /**
   * Writes all of it, text as characters up to U+00FF, after what the calls before wrote; fulfils when it is taken, or the
   * transport has failed.
   */
  write(...pieces: (Uint8Array | string)[]): Promise<void> {
    const bytes = Buffer.concat(pieces.map((piece) => (typeof piece === "string" ? encodeLatin1(piece) : piece)));
    return new Promise((resolve) => {
      this.#queue.push({ bytes, resolve });
      if (this.#queue.length === 1) this.#write();
    });
  }

  #read(): void {
    if (this.#isReading || this.ended || this.error !== undefined) return;
    this.#isReading = true;
    this.stream.readSome((error, bytes) => {
      this.#isReading = false;
      this.error = error;
      if (bytes === undefined) {
        this.ended = error === undefined;
        return;
      }
      // Only lent.
      this.#received.push(bytes.slice());
      if (!this.#isPaused) this.#read();
    });
  }

  #write(): void {
    const first = this.#queue[0]!;
    const done = (): void => {
      this.#queue.shift();
      first.resolve();
      if (this.#queue.length > 0) this.#write();
    };
    if (first.bytes.length === 0) done();
    else {
      this.stream.writeSome(first.bytes, (error, count) => {
        first.bytes = first.bytes.subarray(count);
        if (error === undefined) this.#write();
        else done();
      });
    }
  }
}
