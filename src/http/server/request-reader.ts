import {
  FlatBuffer,
  transportError,
  type ByteStream,
  type ReadHandler,
  type ServalError,
  type WatchHandler,
} from "../../core/index.ts";
import { copyOf, currentContext, Deadline, type AsyncContext } from "../../core/internal.ts";
import { RequestParser } from "../codec/request-parser.ts";
import type { Request } from "../messages/request.ts";
import type { ServeSettings } from "./serve-options.ts";

/** Takes the requests of a {@link RequestReader}. */
export interface RequestTaker {
  /** There are bytes; inside this call {@link RequestReader.take} gives the requests in them. */
  arrived(): void;
  /** No more will come: in good order, or with half a request. */
  ended(error: ServalError | undefined): void;
  /** The client has ended its side, and nothing is being read: the next read will tell so too. */
  halfClosed(): void;
  /** The stream has failed. */
  lost(error: ServalError): void;
  /** The client has been silent for too long: before the first request or between requests, or inside a head. */
  expired(isInside: boolean): void;
}

/** Reads the heads of requests from a stream, each within its deadline. Bytes after a head stay in the buffer. */
export class RequestReader {
  /** What was read and is not used up: nothing, between requests. */
  readonly buffer: FlatBuffer = new FlatBuffer();
  readonly #stream: ByteStream;
  readonly #settings: ServeSettings;
  readonly #taker: RequestTaker;
  readonly #deadline: Deadline;
  readonly #context: AsyncContext;
  #parser: RequestParser;
  /** The bytes that are being looked at, and how many of them are used up: only inside `arrived`. Undefined where the rest is kept. */
  #bytes: Uint8Array | undefined;
  #used = 0;
  /** Whether a read of its own is in flight. */
  isReading = false;
  /** What gets the outcome of the read in flight once this is closed. */
  #heir: ReadHandler | undefined;
  /** Whether any request was taken. */
  hasTaken = false;
  /** Whether the deadline of the head that comes is running already. */
  #isTimed = true;
  #isClosed = false;

  /** Calls its taker in `context`, the one that it is made in. */
  constructor(
    stream: ByteStream,
    settings: ServeSettings,
    taker: RequestTaker,
    context: AsyncContext = currentContext(),
  ) {
    this.#stream = stream;
    this.#settings = settings;
    this.#taker = taker;
    this.#deadline = new Deadline(settings.clock, () => this.#taker.expired(this.isInside));
    this.#context = context;
    this.#parser = new RequestParser(settings.parser);
  }

  /** The parser of the request that was taken last, for its body. */
  get parser(): RequestParser {
    return this.#parser;
  }

  /** Whether some of a head has come, and not all of it. */
  get isInside(): boolean {
    return this.#parser.gotSome && !this.#parser.isHeaderDone;
  }

  /** Begins, with bytes that were read before. Throws what the stream says of misuse; then nothing was started. */
  start(buffered: Uint8Array | undefined): void {
    if (buffered !== undefined && buffered.length > 0) {
      this.buffer.append(buffered);
      queueMicrotask(() => this.again());
    } else {
      this.#stream.readSome(this.#onRead);
      this.isReading = true;
    }
    this.#deadline.set(this.#settings.timeouts.header);
  }

  /** Reads on. */
  read(): void {
    if (this.#isClosed) return;
    const { keepAlive, header } = this.#settings.timeouts;
    if (!this.#isTimed) this.#deadline.set(this.isInside ? header : keepAlive);
    // A head has its time from its first byte on, the first from the start.
    this.#isTimed = this.isInside || !this.hasTaken;
    try {
      this.#stream.readSome(this.#onRead);
      this.isReading = true;
    } catch (misuse) {
      // Someone else reads from the stream.
      this.#taker.lost(transportError(misuse));
    }
  }

  /**
   * Finds out if the client goes while nothing is read. What the stream takes meanwhile is left to its next reader: to
   * {@link read}, to the reader of the request's body, or to whatever takes the stream over.
   */
  watch(): void {
    if (this.#isClosed) return;
    try {
      this.#stream.watch(this.#onGone);
    } catch (misuse) {
      this.#taker.lost(transportError(misuse));
    }
  }

  /** Goes on with the bytes in the buffer; there are some. */
  again(): void {
    if (!this.#isClosed) this.#look(this.buffer.data());
  }

  /** The next request, its body still to come, if its head is all there. Throws what is wrong with it. */
  take(): Request<Uint8Array> | undefined {
    if (this.#bytes === undefined) {
      // The rest was kept meanwhile, and a body has been read from it.
      this.#bytes = this.buffer.data();
      this.#used = 0;
    }
    const bytes = this.#bytes;
    this.#used += this.#parser.put(this.#used === 0 ? bytes : bytes.subarray(this.#used));
    const { message } = this.#parser;
    if (message === undefined) return undefined;
    this.#deadline.clear();
    this.#isTimed = false;
    this.hasTaken = true;
    return message;
  }

  /** The request that was taken, and its body, are dealt with. */
  next(): void {
    this.#parser = new RequestParser(this.#settings.parser);
  }

  /** Keeps the unused rest of the bytes being looked at: they are borrowed, and the next look is at the buffer. */
  keepRest(): void {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    if (bytes === undefined || this.#isClosed) return;
    if (this.buffer.size > 0) this.buffer.consume(this.#used);
    else if (this.#used < bytes.length) this.buffer.append(bytes.subarray(this.#used));
  }

  /** A copy of the bytes after the request that was taken. */
  rest(): Uint8Array {
    const rest = this.#bytes === undefined ? this.buffer.data() : this.#bytes.subarray(this.#used);
    return copyOf(rest, rest.length);
  }

  /** Nothing that comes is looked at any more, and nothing is kept. */
  close(): void {
    this.#isClosed = true;
    this.#deadline.cancel();
    this.buffer.clear();
  }

  /** As {@link close}. Returns whether a read is in flight: its outcome goes to `heir`. */
  bequeath(heir: ReadHandler): boolean {
    this.close();
    this.#heir = heir;
    return this.isReading;
  }

  readonly #onRead: ReadHandler = (error, bytes) => this.#context.runInAsyncScope(this.#received, this, error, bytes);

  #received(error: ServalError | undefined, bytes: Uint8Array | undefined): void {
    this.isReading = false;
    if (this.#isClosed) {
      this.#heir?.(error, bytes);
    } else if (error !== undefined) {
      this.#taker.lost(error);
    } else if (bytes === undefined) {
      this.#onEnd();
    } else if (this.buffer.size > 0) {
      this.buffer.append(bytes);
      this.#look(this.buffer.data());
    } else {
      this.#look(bytes);
    }
  }

  readonly #onGone: WatchHandler = (error) => this.#context.runInAsyncScope(this.#gone, this, error);

  #gone(error: ServalError | undefined): void {
    if (this.#isClosed) return;
    if (error === undefined) this.#taker.halfClosed();
    else this.#taker.lost(error);
  }

  #look(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#used = 0;
    this.#taker.arrived();
    this.keepRest();
  }

  /** Nobody waits for the answer to half a request; without any of one, this is how a connection ends. */
  #onEnd(): void {
    try {
      this.#parser.end();
    } catch (thrown) {
      const error = thrown as ServalError;
      this.#taker.ended(error.code === "http.end_of_stream" ? undefined : error);
    }
  }
}
