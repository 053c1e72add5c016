import { promised, type Handler, type ServalError } from "../../core/index.ts";
import { handled } from "../../core/internal.ts";
import { takeWhole, type BodyStream } from "../messages/body.ts";
import { httpError } from "../messages/errors.ts";
import type { Fields } from "../messages/fields.ts";

/** Reads the parts of an {@link IncomingBody}. */
export interface BodySource {
  /** The size in bytes, if it is known. */
  readonly contentLength: number | undefined;
  /** Whether the body has been read to its end. */
  readonly isDone: boolean;
  /** The trailers, once it is done. */
  readonly trailers: Fields;
  /** Reads the next part, or undefined at the end. May complete inside the call. */
  readPart(handler: Handler<Uint8Array | undefined>): void;
  /** All of the body, once, if none of it was read and all of it is there. */
  takeWhole?(): Uint8Array | undefined;
}

/**
 * The body of a message being received: an async iterable of its parts, which are read from the stream on demand and
 * belong to the reader. It can be read once. A message's `bytes` and `text` read it whole.
 *
 * Fails with `http.body_limit`, `http.partial_message`, `core.timeout`, the parser's errors, and the stream's.
 */
export class IncomingBody implements BodyStream, AsyncIterator<Uint8Array, undefined> {
  readonly #source: BodySource;
  #isTaken = false;
  #hasEnded = false;
  #isReading = false;
  #error: ServalError | undefined;
  #whenIdle: (() => void) | undefined;

  /** @internal */
  constructor(source: BodySource) {
    this.#source = source;
  }

  /** The size in bytes, by Content-Length; undefined if there is none. */
  get size(): number | undefined {
    return this.#source.contentLength;
  }

  /** Whether the body has been read to its end. */
  get isDone(): boolean {
    return this.#source.isDone;
  }

  /** The trailers received, once the body is done (RFC 9110 6.5). */
  get trailers(): Fields {
    return this.#source.trailers;
  }

  /** Begins to read. Throws `http.body_used` the second time. */
  [Symbol.asyncIterator](): this {
    if (this.#isTaken) throw httpError("http.body_used");
    this.#isTaken = true;
    return this;
  }

  /** See {@link ReadyBody}. @internal */
  [takeWhole](): Uint8Array | undefined {
    if (this.#isTaken) return undefined;
    const whole = this.#source.takeWhole?.();
    if (whole !== undefined) this.#isTaken = this.#hasEnded = true;
    return whole;
  }

  /** Reads the next part. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#error !== undefined) return handled(Promise.reject(this.#error));
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined });
    if (this.#isReading) return handled(Promise.reject(httpError("http.body_used")));
    return promised((handler) => {
      this.#isReading = true;
      try {
        this.#source.readPart((error, part) => {
          this.#isReading = false;
          this.#error ??= error;
          if (part === undefined) this.#hasEnded = true;
          this.#whenIdle?.();
          handler(error, part === undefined ? { done: true, value: undefined } : { done: false, value: part });
        });
      } catch (misuse) {
        // The read has not begun.
        this.#isReading = false;
        throw misuse;
      }
    });
  }

  /** Stops reading. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#hasEnded = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Takes the body from its reader. Calls back when no read is in flight, at once if there is none. @internal */
  detach(idle: () => void): void {
    this.#isTaken = true;
    this.#error ??= httpError("http.body_used", { message: "The message of this body has ended" });
    if (this.#isReading) this.#whenIdle = idle;
    else idle();
  }
}
