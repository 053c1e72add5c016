import {
  FlatBuffer,
  transportError,
  type ByteStream,
  type ReadHandler,
  type ServalError,
  type WatchHandler,
} from "../../core/index.ts";
import { copyOf, currentContext, Deadline, type AsyncContext } from "../../core/internal.ts";
import type { RequestParser } from "../codec/request-parser.ts";
import { emptyBody } from "../messages/body.ts";
import type { Request } from "../messages/request.ts";
import type { ServeSettings } from "./serve-options.ts";

/** Handles the requests of a {@link RequestReader}. */
export interface RequestTaker {
  /** Bytes have arrived; inside this call {@link RequestReader.take} returns the requests in them. */
  arrived(): void;
  /** No more requests will come: after an orderly end, or inside a request. */
  ended(error: ServalError | undefined): void;
  /** The client has ended its side while nothing is being read; the next read reports it too. */
  halfClosed(): void;
  /** The stream has failed. */
  lost(error: ServalError): void;
  /** The client has been silent for too long: before the first request or between requests, or inside a head. */
  expired(isInside: boolean): void;
}

/** Reads the heads of requests from a stream, each within its deadline. Bytes after a head stay in the buffer. */
export class RequestReader {
  /** Made for bytes that have to be kept. */
  #buffer: FlatBuffer | undefined;
  readonly #stream: ByteStream;
  readonly #settings: ServeSettings;
  readonly #taker: RequestTaker;
  readonly #deadline: Deadline;
  readonly #context: AsyncContext;
  /** From the first byte of a request until the next one. */
  #parser: RequestParser | undefined;
  /**
   * The bytes of the current read, and how many of them are used; only inside `arrived`. Undefined once the rest is
   * kept.
   */
  #bytes: Uint8Array | undefined;
  #used = 0;
  /** Whether a read of its own is in flight. */
  isReading = false;
  /** Gets the outcome of the read in flight after `bequeath`. */
  #heir: ReadHandler | undefined;
  /** Made when it is first watched. */
  #onGone: WatchHandler | undefined;
  /** Whether a request has been taken. */
  hasTaken = false;
  /** Whether the deadline of the next head is already running. */
  #isTimed = true;
  #isClosed = false;

  /** Calls its taker in `context`, that of its construction. */
  constructor(
    stream: ByteStream,
    settings: ServeSettings,
    taker: RequestTaker,
    context: AsyncContext = currentContext(),
  ) {
    this.#stream = stream;
    this.#settings = settings;
    this.#taker = taker;
    this.#deadline = new Deadline(settings.time, () => this.#expired(), context);
    this.#context = context;
  }

  /** Unused bytes of earlier reads; none between requests. */
  get buffer(): FlatBuffer {
    return (this.#buffer ??= new FlatBuffer());
  }

  /** How many bytes the buffer holds. */
  get #kept(): number {
    return this.#buffer?.size ?? 0;
  }

  /** The parser of the last request taken, for its body. */
  get parser(): RequestParser {
    return this.#parser!;
  }

  /** Whether part of a head has come, but not all of it. */
  get isInside(): boolean {
    return this.#parser?.gotSome === true && !this.#parser.isHeaderDone;
  }

  /** Begins, with bytes that were already read. Throws the stream's misuse errors; then nothing was started. */
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

  /** Starts the next read. */
  read(): void {
    if (this.#isClosed) return;
    const { keepAlive, header } = this.#settings.timeouts;
    if (!this.#isTimed) this.#deadline.set(this.isInside ? header : keepAlive);
    // A head has its deadline from its first byte on, the first one from the start.
    this.#isTimed = this.isInside || !this.hasTaken;
    try {
      this.#stream.readSome(this.#onRead);
      this.isReading = true;
    } catch (misuse) {
      // The stream is read elsewhere.
      this.#taker.lost(transportError(misuse));
    }
  }

  /**
   * Watches for the client's end while nothing is read. Bytes that the stream takes meanwhile are for its next reader:
   * {@link read}, the reader of the request's body, or the protocol that takes over the stream.
   */
  watch(): void {
    if (this.#isClosed) return;
    try {
      this.#stream.watch(this.#onGone ?? this.#makeOnGone());
    } catch (misuse) {
      this.#taker.lost(transportError(misuse));
    }
  }

  /** Continues with the bytes in the buffer, which must have some. */
  again(): void {
    if (!this.#isClosed) this.#look(this.buffer.data());
  }

  /** The next request, without its body, if its head is complete. Throws if it is invalid. */
  take(): Request<Uint8Array> | undefined {
    if (this.#bytes === undefined) {
      // The rest was kept meanwhile, and a body has been read from it.
      this.#bytes = this.buffer.data();
      this.#used = 0;
    }
    const bytes = this.#bytes;
    if (this.#used === bytes.length) return undefined;
    const parser = (this.#parser ??= this.#settings.takeParser());
    this.#used += parser.put(this.#used === 0 ? bytes : bytes.subarray(this.#used));
    const { message } = parser;
    if (message === undefined) return undefined;
    this.#deadline.clear();
    this.#isTimed = false;
    this.hasTaken = true;
    return message;
  }

  /** The body of the request taken, in memory of its own, if all of it came with the head; otherwise nothing is taken. */
  takeBody(): Uint8Array | undefined {
    const bytes = this.#bytes;
    const parser = this.#parser!;
    const size = parser.contentLengthRemaining;
    if (bytes === undefined || size === undefined || size > parser.maxBodySize) return undefined;
    const end = this.#used + size;
    if (end > bytes.length) return undefined;
    parser.put(bytes.subarray(this.#used, end));
    this.#used = end;
    return copyOf(parser.part, size);
  }

  /** The request taken, and its body, are done. The parser of a body that may be read on is left to that. */
  next(leavesParser: boolean): void {
    const parser = this.#parser!;
    this.#parser = undefined;
    if (!leavesParser) this.#settings.giveBack(parser);
  }

  /** Keeps the unused rest of the current read, since it is borrowed; the next `take` looks at the buffer. */
  keepRest(): void {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    if (bytes === undefined || this.#isClosed) return;
    if (this.#kept > 0) this.buffer.consume(this.#used);
    else if (this.#used < bytes.length) this.buffer.append(bytes.subarray(this.#used));
  }

  /** Whether bytes after the request that was taken have been read: of its body, or of the next request. */
  get hasRest(): boolean {
    return this.#bytes === undefined ? this.#kept > 0 : this.#used < this.#bytes.length;
  }

  /** A copy of the bytes after the request that was taken. */
  rest(): Uint8Array {
    if (!this.hasRest) return emptyBody;
    const rest = this.#bytes === undefined ? this.buffer.data() : this.#bytes.subarray(this.#used);
    return copyOf(rest, rest.length);
  }

  /** Stops: later bytes are ignored, and nothing is kept. */
  close(): void {
    this.#isClosed = true;
    this.#deadline.cancel();
    this.#buffer?.clear();
    const parser = this.#parser;
    if (parser?.isDone === true && !parser.hasBody) this.next(false);
  }

  /** Like {@link close}. Returns whether a read is in flight; its outcome goes to `heir`. */
  bequeath(heir: ReadHandler): boolean {
    this.close();
    this.#heir = heir;
    return this.isReading;
  }

  #expired(): void {
    if (this.isReading) this.#taker.expired(this.isInside);
    // The client's bytes wait here for their turn, so it is not silent. The next read begins another deadline.
    else this.#isTimed = false;
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
    } else if (this.#kept > 0) {
      this.buffer.append(bytes);
      this.#look(this.buffer.data());
    } else {
      this.#look(bytes);
    }
  }

  #makeOnGone(): WatchHandler {
    return (this.#onGone = (error) => this.#context.runInAsyncScope(this.#gone, this, error));
  }

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

  /** An incomplete request needs no response. Without any part of one, this is how a connection ends. */
  #onEnd(): void {
    let failure: ServalError | undefined;
    try {
      this.#parser?.end();
    } catch (thrown) {
      failure = thrown as ServalError;
    }
    this.#taker.ended(failure?.code === "http.end_of_stream" ? undefined : failure);
  }
}
