import type { ByteStream, ReadHandler } from "../core/byte-stream.ts";
import type { Handler } from "../core/completion.ts";
import type { ServalError } from "../core/error.ts";
import { transportError } from "../core/errors.ts";
import type { FlatBuffer } from "../core/flat-buffer.ts";
import { AbortGuard } from "./abort.ts";

/** What takes bytes until its message is complete. */
export interface IncrementalParser {
  /** Takes bytes, those that were not used up before first; returns how many it has used up. Throws for what is wrong. */
  put(bytes: Uint8Array): number;
  /** Whether the message is complete. */
  readonly isDone: boolean;
}

/** What becomes of the reading of a message. */
export interface Outcome<Message> {
  /** The stream has ended: throws, unless the message is complete with that. */
  ended(): void;
  /** The message, once it is complete. Throws what is wrong with it as a whole. */
  result(): Message;
}

/** Feeds a parser: first what is in a buffer, then from a stream. What is behind the message stays in the buffer. */
export class ReadOperation<Message> {
  readonly #stream: ByteStream;
  readonly #buffer: FlatBuffer;
  readonly #parser: IncrementalParser;
  readonly #outcome: Outcome<Message>;
  readonly #handler: Handler<Message>;
  #guard: AbortGuard | undefined;

  constructor(
    stream: ByteStream,
    buffer: FlatBuffer,
    parser: IncrementalParser,
    outcome: Outcome<Message>,
    handler: Handler<Message>,
  ) {
    this.#stream = stream;
    this.#buffer = buffer;
    this.#parser = parser;
    this.#outcome = outcome;
    this.#handler = handler;
  }

  /** Throws what the stream says of misuse; then nothing was started. */
  start(signal: AbortSignal | undefined): void {
    let error: ServalError | undefined;
    let waits = false;
    try {
      waits = this.#buffer.size === 0 || !this.#parseBuffer();
    } catch (failure) {
      error = failure as ServalError;
    }
    if (waits) this.#stream.readSome(this.#onRead);
    else queueMicrotask(() => this.#finish(error));
    if (signal !== undefined) this.#guard = new AbortGuard(this.#stream, signal);
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    let failure = error;
    if (error === undefined) {
      try {
        if (!this.#take(bytes)) return this.#stream.readSome(this.#onRead);
      } catch (thrown) {
        failure = transportError(thrown);
      }
    }
    this.#finish(failure);
  };

  /** Takes the outcome of a read. Returns whether the message is complete. */
  #take(bytes: Uint8Array | undefined): boolean {
    if (bytes === undefined) {
      this.#outcome.ended();
    } else if (this.#buffer.size > 0) {
      this.#buffer.append(bytes);
      return this.#parseBuffer();
    } else {
      // Parsed where they lie: only what is unfinished, or another's, is copied.
      const used = this.#parser.put(bytes);
      if (used < bytes.length) this.#buffer.append(bytes.subarray(used));
    }
    return this.#parser.isDone;
  }

  #parseBuffer(): boolean {
    this.#buffer.consume(this.#parser.put(this.#buffer.data()));
    return this.#parser.isDone;
  }

  #finish(failure: ServalError | undefined): void {
    let error = this.#guard?.release() ?? failure;
    // On an error there is no result, and nobody may look at it.
    let result = undefined as Message;
    try {
      if (error === undefined) result = this.#outcome.result();
    } catch (thrown) {
      error = thrown as ServalError;
    }
    this.#handler(error, result);
  }
}
