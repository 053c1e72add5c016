import type { ByteStream, Clock, ReadHandler, ServalError, Timer } from "../../core/index.ts";
import { attentive, currentContext, type AsyncContext } from "../../core/internal.ts";
import { mostLingering } from "./bounds.ts";

/**
 * The end of a connection whose client may still send, and has yet to read its last response (RFC 9112 9.6). The write
 * side ends; incoming bytes are read and dropped up to the client's end, within a limit of time and size. A socket
 * closed at once with unread bytes would be reset, and the response lost.
 */
export class Lingering {
  readonly #stream: ByteStream;
  readonly #over: () => void;
  readonly #timer: Timer;
  /** Of the call that began it. */
  readonly #context: AsyncContext = currentContext();
  #left = mostLingering;
  #hasShutDown = false;
  #hasRead = false;
  #isOver = false;

  /** `over` is called once, after at most `ms` milliseconds, to close the stream. */
  constructor(stream: ByteStream, clock: Clock, ms: number, over: () => void) {
    this.#stream = stream;
    this.#over = over;
    this.#timer = attentive(clock).setTimer(ms, () => this.end());
    this.#timer.unref?.();
  }

  /** Begins; no write may be in flight. If a read is, {@link onRead} or {@link readOn} must be called at its end. */
  start(isReading: boolean): void {
    try {
      this.#stream.shutdown((error) => this.#context.runInAsyncScope(this.#shutDown, this, error));
    } catch {
      // The stream is written to elsewhere.
      this.end();
    }
    if (!isReading) this.readOn();
  }

  #shutDown(error: ServalError | undefined): void {
    this.#hasShutDown = true;
    if (error !== undefined || this.#hasRead) this.end();
  }

  readonly onRead: ReadHandler = (error, bytes) => this.#context.runInAsyncScope(this.#read, this, error, bytes);

  #read(error: ServalError | undefined, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) {
      this.#hasRead = true;
      if (error !== undefined || this.#hasShutDown) this.end();
      return;
    }
    this.#left -= bytes.length;
    if (this.#left > 0) this.readOn();
    else this.end();
  }

  /** Continues reading after a read of another object. */
  readonly readOn = (): void => {
    if (this.#isOver) return;
    try {
      this.#stream.readSome(this.onRead);
    } catch {
      // The stream is read elsewhere.
      this.end();
    }
  };

  /** Ends now. */
  end(): void {
    if (this.#isOver) return;
    this.cancel();
    this.#over();
  }

  /** Calls back no more. */
  cancel(): void {
    this.#isOver = true;
    this.#timer.cancel();
  }
}
