import type { ByteStream, Clock, ReadHandler, Timer } from "../../core/index.ts";
import { mostLingering } from "./bounds.ts";

/**
 * The end of a connection whose client may still send, and has yet to read its last response: RFC 9112 9.6. The write
 * side ends; what comes is read and dropped, up to the client's end, and no longer than a limited time and size. Closed
 * at once, with bytes unread, a socket resets, and the response is lost.
 */
export class Lingering {
  readonly #stream: ByteStream;
  readonly #over: () => void;
  readonly #timer: Timer;
  #left = mostLingering;
  #hasShutDown = false;
  #hasRead = false;
  #isOver = false;

  /** `over` is called once, after at most `ms` milliseconds, to close the stream. */
  constructor(stream: ByteStream, clock: Clock, ms: number, over: () => void) {
    this.#stream = stream;
    this.#over = over;
    this.#timer = clock.setTimer(ms, () => this.end());
    this.#timer.unref?.();
  }

  /** Begins; no write may be in flight. Where a read is, {@link onRead} or {@link readOn} has to be called at its end. */
  start(isReading: boolean): void {
    try {
      this.#stream.shutdown((error) => {
        this.#hasShutDown = true;
        if (error !== undefined || this.#hasRead) this.end();
      });
    } catch {
      // Someone else writes on the stream.
      this.end();
    }
    if (!isReading) this.readOn();
  }

  readonly onRead: ReadHandler = (error, bytes) => {
    if (bytes === undefined) {
      this.#hasRead = true;
      if (error !== undefined || this.#hasShutDown) this.end();
      return;
    }
    this.#left -= bytes.length;
    if (this.#left > 0) this.readOn();
    else this.end();
  };

  /** Reads on, after a read of someone else's. */
  readonly readOn = (): void => {
    if (this.#isOver) return;
    try {
      this.#stream.readSome(this.onRead);
    } catch {
      // Someone else reads from the stream.
      this.end();
    }
  };

  /** Ends now. */
  end(): void {
    if (this.#isOver) return;
    this.cancel();
    this.#over();
  }

  /** Calls nobody back any more. */
  cancel(): void {
    this.#isOver = true;
    this.#timer.cancel();
  }
}
