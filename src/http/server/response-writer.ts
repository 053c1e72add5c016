import { transportError, type ByteStream, type ServalError, type WriteHandler } from "../../core/index.ts";
import { currentContext, Deadline, takeFront, type AsyncContext } from "../../core/internal.ts";
import { emptyBody, type Body } from "../messages/body.ts";
import { timeoutError } from "./passed-deadline.ts";
import { dateValue } from "./date.ts";
import type { Answered, Departure } from "../messages/framing.ts";
import { ResponseBuffer } from "./response-buffer.ts";
import type { Response } from "../messages/response.ts";
import { connectionField, headText, Serializer } from "../codec/serializer.ts";
import type { ServeSettings } from "./serve-options.ts";
import { WriteOperation } from "../operations/write-operation.ts";

/**
 * How many bytes are written at once, at most. A socket tells of a write when all of it is taken, and that is how we know
 * of a client that takes nothing: a slow one must not seem to be that for the size of its response.
 */
const mostWritten = 256 * 1024;

/** Moves responses to a stream: whole ones gather until they are flushed, one that comes in parts is sent by itself. */
export class ResponseWriter {
  readonly #stream: ByteStream;
  readonly #settings: ServeSettings;
  readonly #lost: (error: ServalError) => void;
  readonly #deadline: Deadline;
  readonly #context: AsyncContext;
  readonly #buffer: ResponseBuffer = new ResponseBuffer();
  /** The response that comes in parts, from when it is given until it is sent. */
  #sending: WriteOperation | undefined;
  #isWriting = false;
  /** Whether a write is in flight. */
  #isInFlight = false;
  /** Once that is limited: for how many milliseconds nothing may be written, and the error of more. */
  #silence: { readonly ms: number; readonly error: ServalError } | undefined;
  /** Callbacks, in order, for when nothing is being written any more. */
  #then: (() => void)[] = [];
  #isCalling = false;
  #isClosed = false;

  /**
   * `lost` is told that a write has failed, or that the peer took none of its bytes for too long. All that it calls back, it
   * calls in `context`, the one that it is made in.
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
    this.#deadline = new Deadline(settings.clock, () => this.#expired());
    this.#context = context;
  }

  /** How many bytes wait or are being written. */
  get size(): number {
    return this.#buffer.size;
  }

  /** Whether something is being written: then nothing may be added. */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Whether a response is being sent that comes in parts. */
  get isSending(): boolean {
    return this.#sending !== undefined;
  }

  /** Adds a response of which all is there to what waits; not while something is being written. Throws for one that can't be sent. */
  add(response: Response, departure: Departure, request: Answered | undefined, keepAlive: boolean): void {
    const connection = connectionField(response, departure, { keepAlive, request });
    const head = headText(response, departure, connection + this.#dateField(response));
    this.#buffer.add(head, request?.method === "HEAD" ? emptyBody : response.body);
  }

  /** Adds 100 (Continue), likewise. */
  addContinue(): void {
    this.#buffer.add("HTTP/1.1 100 Continue\r\n\r\n", emptyBody);
  }

  /** Writes pending output, then calls `then`, in FIFO order; synchronously if nothing is pending. */
  flush(then: () => void): void {
    this.#then.push(then);
    this.#advance();
  }

  /**
   * Writes a response that comes in parts, after what waits, and calls back with what it has failed with, and whether
   * that was the body's fault. Throws for one that can't be sent.
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

  /** From now on, where nothing is written for so many milliseconds, `lost` is told this error. */
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

  /** Writes what waits, and calls back where there is nothing: one after the other, since each may have more to write. */
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
      // Someone else writes on the stream.
      this.#lost(transportError(misuse));
    }
  }

  readonly #onWritten: WriteHandler = (error, written) =>
    this.#context.runInAsyncScope(this.#written, this, error, written);

  #written(error: ServalError | undefined, written: number): void {
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
    this.#isWriting = this.#isInFlight = false;
    this.#deadline.set(this.#silence?.ms ?? Infinity);
    this.#advance();
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
    return this.#settings.date && !headers.has("Date") ? `Date: ${dateValue()}\r\n` : "";
  }
}
