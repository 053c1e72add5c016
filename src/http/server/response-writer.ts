import { transportError, type ByteStream, type ServalError, type WriteHandler } from "../../core/index.ts";
import { currentContext, Deadline, takeFront, type AsyncContext } from "../../core/internal.ts";
import { emptyBody, type Body } from "../messages/body.ts";
import { timeoutError } from "./passed-deadline.ts";
import { dateLine } from "./date.ts";
import type { Answered, Departure } from "../messages/framing.ts";
import { ResponseBuffer } from "./response-buffer.ts";
import type { Response } from "../messages/response.ts";
import { connectionField, headText, Serializer } from "../codec/serializer.ts";
import type { ServeSettings } from "./serve-options.ts";
import { WriteOperation } from "../operations/write-operation.ts";

/**
 * The most bytes of one write. A socket reports a write only when all of it is taken, and a client that takes nothing
 * is recognised by that; with larger writes, a slow client would look like one.
 */
const mostWritten = 256 * 1024;

/** Moves responses to a stream. Whole responses are collected until `flush`; a streamed one is sent by itself. */
export class ResponseWriter {
  readonly #stream: ByteStream;
  readonly #settings: ServeSettings;
  readonly #lost: (error: ServalError) => void;
  readonly #deadline: Deadline;
  readonly #context: AsyncContext;
  readonly #buffer: ResponseBuffer = new ResponseBuffer();
  /** The streamed response, until it is sent. */
  #sending: WriteOperation | undefined;
  #isWriting = false;
  /** Whether a write is in flight. */
  #isInFlight = false;
  /** Once set: for how many milliseconds nothing may be written, and the error after that. */
  #silence: { readonly ms: number; readonly error: ServalError } | undefined;
  /** Callbacks, in order, for when no write is in flight. */
  #then: (() => void)[] = [];
  #isCalling = false;
  #isClosed = false;

  /**
   * `lost` is called when a write has failed, or the peer took none of its bytes for too long. All callbacks run in
   * `context`, that of its construction.
   */
  constructor(
    stream: ByteStream,
    settings: ServeSettings,
    lost: (error: ServalError) => void,
    context: AsyncContext = currentContext(),
  ) {
    this.#stream = stream;
    this.#settings = settings;
    this.#lost = lost;
    this.#deadline = new Deadline(settings.time, () => this.#expired(), context);
    this.#context = context;
  }

  /** How many bytes wait or are being written. */
  get size(): number {
    return this.#buffer.size;
  }

  /** Whether a write is in flight; then nothing may be added. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether a streamed response is being sent. */
  get isSending(): boolean {
    return this.#sending !== undefined;
  }

  /** Adds a whole response to the waiting bytes; not during a write. Throws if it can't be sent. */
  add(response: Response, departure: Departure, request: Answered | undefined, keepAlive: boolean): void {
    const connection = connectionField(response, departure, { keepAlive, request });
    const head = headText(response, departure, connection + this.#dateField(response));
    this.#buffer.add(head, request?.method === "HEAD" ? emptyBody : response.body);
  }

  /** Adds 100 (Continue); not during a write. */
  addContinue(): void {
    this.#buffer.add("HTTP/1.1 100 Continue\r\n\r\n", emptyBody);
  }

  /** Writes pending output, then calls `then`, in FIFO order; synchronously if nothing is pending. */
  flush(then: () => void): void {
    this.#then.push(then);
    this.#advance();
  }

  /** Writes pending output. */
  write(): void {
    if (this.#buffer.size > 0 && !this.#isWriting) this.#write();
  }

  /**
   * Writes a streamed response, after the waiting bytes. Calls back with its error, and whether the body caused it.
   * Throws if it can't be sent.
   */
  send(
    response: Response<Body>,
    request: Answered,
    keepAlive: boolean,
    handler: (error: ServalError | undefined, isOurs: boolean) => void,
  ): void {
    const more = this.#dateField(response);
    const serializer = new Serializer(response, { request, keepAlive, more, limit: mostWritten });
    const sending = new WriteOperation(this.#stream, serializer, undefined, (error) => {
      this.#time(false);
      this.#isWriting = false;
      this.#sending = undefined;
      handler(error, sending.hasSourceFailed);
      this.#advance();
    });
    sending.onWrite = (isInFlight) => this.#time(isInFlight);
    this.#sending = sending;
    this.flush(() => {
      this.#isWriting = true;
      try {
        sending.start(undefined);
      } catch (misuse) {
        this.#lost(transportError(misuse));
      }
    });
  }

  /** From now on, if nothing is written for this many milliseconds, `lost` gets this error. */
  limitSilence(ms: number, error: ServalError): void {
    this.#silence = { ms, error };
    if (!this.#isInFlight) this.#time(false);
  }

  /** Writes nothing more, and drops the callbacks. */
  close(): void {
    this.#isClosed = true;
    this.#deadline.cancel();
    this.#buffer.clear();
    this.#then = [];
    this.#sending?.cancel();
  }

  /** Writes the waiting bytes; without any, calls back, one at a time, since each callback may add more. */
  #advance(): void {
    if (this.#isCalling) return;
    this.#isCalling = true;
    while (this.#then.length > 0 && !this.#isWriting) {
      if (this.#buffer.size > 0) this.#write();
      else this.#then.shift()!();
    }
    this.#isCalling = false;
  }

  #write(): void {
    this.#isWriting = true;
    this.#isInFlight = true;
    this.#deadline.set(this.#settings.timeouts.write);
    try {
      const all = this.#buffer.take();
      const some = this.#buffer.size > mostWritten ? takeFront(all, mostWritten) : all;
      this.#stream.writeSome(some, this.#onWritten);
    } catch (misuse) {
      // The stream is written to elsewhere.
      this.#lost(transportError(misuse));
    }
  }

  readonly #onWritten: WriteHandler = (error, written) => {
    // Most writes are the last thing that a read leads to: then nothing runs that would need the context.
    const isLast = error === undefined && written === this.#buffer.size && this.#then.length === 0;
    if (isLast && this.#silence === undefined && !this.#isClosed) this.#rest(written);
    else this.#context.runInAsyncScope(this.#written, this, error, written);
  };

  #written(error: ServalError | undefined, written: number): void {
    if (this.#isClosed) return;
    if (error !== undefined) {
      this.#lost(error);
      return;
    }
    this.#rest(written);
    if (this.#buffer.size > 0) this.#write();
    else this.#advance();
  }

  /** Accounts for the bytes of a write; after the last one, no write is in flight. */
  #rest(written: number): void {
    this.#buffer.wrote(written);
    if (this.#buffer.size > 0) return;
    this.#isWriting = this.#isInFlight = false;
    this.#deadline.set(this.#silence?.ms ?? Infinity);
  }

  /** Sets the deadline of a write that begins, or of the silence after one. */
  #time(isInFlight: boolean): void {
    this.#isInFlight = isInFlight;
    this.#deadline.set(isInFlight ? this.#settings.timeouts.write : (this.#silence?.ms ?? Infinity));
  }

  #expired(): void {
    const silent = this.#isInFlight ? undefined : this.#silence;
    this.#lost(silent?.error ?? timeoutError("write"));
  }

  #dateField({ headers }: Response<Body>): string {
    return this.#settings.date && !headers.has("Date") ? dateLine() : "";
  }
}
