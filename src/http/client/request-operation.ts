import {
  abortError,
  ServalError,
  transportError,
  type ByteStream,
  type Clock,
  type FlatBuffer,
  type Handler,
  type Timer,
} from "../../core/index.ts";
import {
  attentive,
  checkSignal,
  currentContext,
  discardSource,
  isPromise,
  type AsyncContext,
} from "../../core/internal.ts";
import { mostInterim } from "../codec/final-response-parser.ts";
import { httpError } from "../messages/errors.ts";
import type { Fields } from "../messages/fields.ts";
import { IncomingBody, type BodySource } from "../operations/incoming-body.ts";
import { ReadOperation } from "../operations/read-operation.ts";
import { PartSink } from "../operations/sinks.ts";
import { ResponseSink } from "./response-sink.ts";
import type { IncomingResponse, RequestOptions } from "./request-options.ts";
import type { Request } from "../messages/request.ts";
import { ResponseParser } from "../codec/response-parser.ts";
import type { Response } from "../messages/response.ts";
import { Serializer } from "../codec/serializer.ts";
import { WriteOperation } from "../operations/write-operation.ts";

/**
 * Streams with a response whose body is not read to its end. What is left of it would be taken for the next response.
 */
const unread = new WeakMap<ByteStream, RequestOperation>();

/** One request on a stream and its response, read and written at the same time, since a server may answer early. */
export class RequestOperation implements BodySource {
  readonly #stream: ByteStream;
  readonly #buffer: FlatBuffer;
  readonly #message: Request;
  readonly #options: RequestOptions;
  readonly #handler: Handler<IncomingResponse>;
  readonly #serializer: Serializer;
  /** The caller's context, for all that the application and the stream are asked for. */
  readonly #context: AsyncContext = currentContext();
  #parser: ResponseParser;
  #sink: ResponseSink | undefined;
  #writing: WriteOperation | undefined;
  #timer: Timer | undefined;
  #interim = 0;
  /** The final response, once its head has been read. */
  #response: IncomingResponse | undefined;
  /** Whether the body waits for 100 (Continue). */
  #waits: boolean;
  /** Why the request could not be sent. The server's response may still say more. */
  #writeError: ServalError | undefined;
  /** Whether part of the request was not sent, so that the stream can't be used again. */
  #isCut = false;
  /** Called after the last write: the stream can be used again only then. */
  #whenWritten: (() => void) | undefined;
  #hasCompleted = false;

  /** Throws for a message that can't be sent. */
  constructor(
    stream: ByteStream,
    buffer: FlatBuffer,
    message: Request,
    options: RequestOptions,
    handler: Handler<IncomingResponse>,
  ) {
    this.#stream = stream;
    this.#buffer = buffer;
    this.#message = message;
    this.#options = options;
    this.#handler = handler;
    this.#serializer = new Serializer(message);
    this.#parser = this.#newParser();
    this.#waits = message.expectsContinue;
    this.#serializer.split = this.#waits;
  }

  /** Throws the stream's misuse errors; then nothing was started. */
  start(clock: Clock, patience: number): void {
    if (unread.has(this.#stream)) throw httpError("http.body_unread");
    const signal = checkSignal(this.#options.signal);
    // Bytes that came before the request do not answer it, and where the next response begins is unknown (RFC 9112
    // 9.2).
    let wrong = this.#buffer.size > 0 ? httpError("http.unexpected_response") : undefined;
    if (signal?.aborted === true) wrong = abortError(signal);
    if (wrong !== undefined) {
      this.#stream.close();
      discardSource(this.#message.body);
      queueMicrotask(() => this.#complete(wrong, undefined));
      return;
    }
    this.#read();
    try {
      this.#write(this.#waits ? () => this.#serializer.isHeaderDone : undefined);
    } catch (misuse) {
      // The stream is used for writing elsewhere, and a read of ours is in flight, so it is unusable.
      this.#hasCompleted = true;
      this.#stream.close();
      throw misuse;
    }
    // The wait is bounded (RFC 9110 10.1.1), since many servers don't know 100-continue.
    if (this.#waits && patience !== Infinity) this.#timer = attentive(clock).setTimer(patience, () => this.#goAhead());
  }

  get contentLength(): number | undefined {
    return this.#parser.contentLength;
  }

  get isDone(): boolean {
    return this.#parser.isDone && this.#sink?.whole === undefined;
  }

  /** Whether a body that comes with its head may be taken at once: nothing can end the exchange before it is read. */
  get mayTakeBody(): boolean {
    return this.#writing === undefined && !this.#isCut && !this.#waits && this.#options.signal === undefined;
  }

  takeWhole(): Uint8Array | undefined {
    const whole = this.#sink?.takeBody();
    if (whole !== undefined) this.#bodyEnded(() => {});
    return whole;
  }

  get trailers(): Fields {
    return this.#parser.trailers;
  }

  readPart(handler: Handler<Uint8Array | undefined>): void {
    const whole = this.takeWhole();
    if (whole !== undefined) {
      handler(undefined, whole);
      return;
    }
    const read = new ReadOperation(this.#stream, this.#buffer, new PartSink(this.#parser), (error, part) => {
      if (error === undefined && this.#parser.isDone) {
        this.#bodyEnded(() => handler(error, part));
        return;
      }
      if (error !== undefined) {
        unread.delete(this.#stream);
        this.#end();
      }
      handler(error, part);
    });
    read.start(this.#options.signal, true);
  }

  #newParser(): ResponseParser {
    const { maxBodySize = Infinity, maxChunkExtensionSize, maxHeadersCount, maxHeaderSize } = this.#options;
    const { method } = this.#message;
    return new ResponseParser({ method, maxBodySize, maxChunkExtensionSize, maxHeadersCount, maxHeaderSize });
  }

  #write(isEnough: (() => boolean) | undefined): void {
    const written = (error: ServalError | undefined): void => {
      this.#writing = undefined;
      if (error !== undefined) this.#notWritten(error);
      this.#whenWritten?.();
    };
    const writing = new WriteOperation(this.#stream, this.#serializer, isEnough, written, this.#context);
    writing.start(this.#options.signal);
    this.#writing = writing;
  }

  #notWritten(error: ServalError): void {
    this.#isCut = true;
    this.#writeError = error;
    // On a broken transport, a response sent before may still be read. Other errors are of our own side.
    if (error.condition !== "transport") this.#fail(error);
    // After the response's end nothing reads, so nothing else would close the stream.
    if (this.#parser.isDone) this.#stream.reset();
  }

  /** Sends the body that was waiting for 100. */
  #goAhead(): void {
    if (!this.#waits || this.#hasCompleted) return;
    this.#waits = false;
    this.#timer?.cancel();
    this.#serializer.split = false;
    try {
      // If the head is still being written, the body follows it.
      if (this.#writing === undefined) this.#write(undefined);
      else this.#writing.extend();
    } catch (misuse) {
      this.#notWritten(transportError(misuse));
    }
  }

  #read(): void {
    const sink = (this.#sink = new ResponseSink(this.#parser, this));
    const read = new ReadOperation(this.#stream, this.#buffer, sink, (error, response) => {
      const isSimple = error === undefined && response.status >= 200 && !this.#isCut && this.#writing === undefined;
      // Then neither the application nor the stream is asked for anything, so that no context need be entered.
      if (isSimple && !this.#waits && !this.#hasCompleted) this.#takeFinal(response);
      else this.#context.runInAsyncScope(this.#received, this, error, response);
    });
    read.start(this.#options.signal);
  }

  #received(error: ServalError | undefined, response: Response): void {
    if (this.#hasCompleted) return;
    if (error !== undefined) this.#fail(this.#writeError ?? error);
    else if (response.status < 200 && response.status !== 101) this.#takeInterim(response);
    else this.#takeFinal(response);
  }

  #takeInterim(response: Response): void {
    if (++this.#interim > mostInterim) {
      this.#fail(httpError("http.interim_limit"));
      return;
    }
    try {
      const told: unknown = this.#options.interim?.(response);
      // A failure after the promise also fails the request, if it is still in flight, and never ends the process.
      if (isPromise(told)) told.then(undefined, (cause: unknown) => this.#fail(handlerFailed(cause)));
      if (response.status === 100) this.#goAhead();
      this.#parser = this.#newParser();
      this.#read();
    } catch (error) {
      this.#fail(handlerFailed(error));
    }
  }

  #takeFinal(response: IncomingResponse): void {
    // The server does not want the rest of the request's body.
    this.#response = response;
    if (this.#waits || (this.#writing !== undefined && response.status >= 400)) this.#dropRequest();
    if (this.isDone) {
      this.#bodyEnded(() => this.#complete(undefined, response));
      return;
    }
    response.body = new IncomingBody(this);
    unread.set(this.#stream, this);
    this.#complete(undefined, response);
  }

  /** Sends no more of the request. */
  #dropRequest(): void {
    if (this.#writing !== undefined) this.#writing.cancel();
    else if (this.#waits) discardSource(this.#message.body);
    else return;
    this.#waits = false;
    this.#writing = undefined;
    this.#isCut = true;
    // The server may not know it, but this stream can't carry another request.
    if (this.#response !== undefined) this.#response.keepAlive = false;
  }

  /** The response has been read to its end; the stream is free after the last write. */
  #bodyEnded(then: () => void): void {
    unread.delete(this.#stream);
    // A server that has answered early may never read the rest of the body. The write in flight may be the last one.
    if (this.#writing !== undefined && this.#serializer.source !== undefined) this.#dropRequest();
    if (this.#writing !== undefined) {
      this.#whenWritten = then;
      return;
    }
    if (this.#writeError !== undefined) this.#stream.reset();
    else if (this.#isCut) this.#stream.close();
    then();
  }

  /** Ends the stream, inside the response. Part of a request must not look like all of it. */
  #end(): void {
    this.#dropRequest();
    if (this.#isCut) this.#stream.reset();
    else this.#stream.close();
  }

  #fail(error: ServalError): void {
    if (this.#hasCompleted) return;
    this.#end();
    this.#complete(error, undefined);
  }

  #complete(error: ServalError | undefined, response: IncomingResponse | undefined): void {
    if (this.#hasCompleted) return;
    this.#hasCompleted = true;
    this.#timer?.cancel();
    this.#handler(error, response!);
  }
}

function handlerFailed(cause: unknown): ServalError {
  return cause instanceof ServalError ? cause : httpError("http.handler_failed", { cause });
}
