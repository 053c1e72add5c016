import type { ByteStream, WriteHandler } from "../core/byte-stream.ts";
import type { Clock } from "../core/clock.ts";
import type { Handler } from "../core/completion.ts";
import { Deadline } from "../core/deadline.ts";
import type { ServalError } from "../core/error.ts";
import { coreError, transportError } from "../core/errors.ts";
import { ResponseBuffer } from "./response-buffer.ts";
import type { Serializer } from "./serializer.ts";
import { WriteOperation } from "./write-operation.ts";

/** Moves responses to a stream: those that are ready gather until they are flushed, one that comes in parts goes by itself. */
export class ResponseWriter {
  readonly #stream: ByteStream;
  readonly #ms: number;
  readonly #lost: (error: ServalError) => void;
  readonly #deadline: Deadline;
  readonly #buffer: ResponseBuffer = new ResponseBuffer();
  #isWriting = false;
  /** Whether a response is being sent that comes in parts. */
  isSending = false;
  #then: (() => void)[] = [];
  #isClosed = false;

  /** `ms` is how long the peer may take no byte of a write; `lost` is told that a write has failed. */
  constructor(stream: ByteStream, clock: Clock, ms: number, lost: (error: ServalError) => void) {
    this.#stream = stream;
    this.#ms = ms;
    this.#lost = lost;
    this.#deadline = new Deadline(clock, () => {
      lost(coreError("core.timeout", { message: "The client took none of its response for too long" }));
    });
  }

  /** How many bytes wait or are being written. */
  get size(): number {
    return this.#buffer.size;
  }

  /** Adds a response to what waits; not while something is being written. */
  add(head: string, body: Uint8Array): void {
    this.#buffer.add(head, body);
  }

  /** Writes what waits, then calls back: at once where there is nothing. */
  flush(then: () => void): void {
    if (this.#isWriting) this.#then.push(then);
    else if (this.#buffer.size === 0) then();
    else {
      this.#then.push(then);
      this.#isWriting = true;
      this.#write();
    }
  }

  /** Writes a response that comes in parts, behind what waits. */
  send(serializer: Serializer, handler: Handler): void {
    this.flush(() => {
      this.#isWriting = this.isSending = true;
      const writing = new WriteOperation(this.#stream, serializer, undefined, (error) => {
        this.#deadline.clear();
        this.#isWriting = this.isSending = false;
        if (!this.#isClosed) handler(error, undefined);
      });
      writing.onWrite = (isInFlight) => this.#deadline.set(isInFlight ? this.#ms : Infinity);
      try {
        writing.start(undefined);
      } catch (misuse) {
        this.#lost(transportError(misuse));
      }
    });
  }

  /** Nothing is written any more, and nobody called back. */
  close(): void {
    this.#isClosed = true;
    this.#deadline.cancel();
    this.#buffer.clear();
    this.#then = [];
  }

  #write(): void {
    this.#deadline.set(this.#ms);
    try {
      this.#stream.writeSome(this.#buffer.take(), this.#onWritten);
    } catch (misuse) {
      // Someone else writes on the stream.
      this.#lost(transportError(misuse));
    }
  }

  readonly #onWritten: WriteHandler = (error, written) => {
    if (this.#isClosed) return;
    if (error !== undefined) {
      this.#lost(error);
      return;
    }
    this.#buffer.wrote(written);
    if (this.#buffer.size > 0) {
      this.#write();
      return;
    }
    this.#deadline.clear();
    this.#isWriting = false;
    const then = this.#then;
    this.#then = [];
    for (const each of then) each();
  };
}
