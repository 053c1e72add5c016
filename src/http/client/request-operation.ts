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
import { checkSignal, isPromise } from "../../core/internal.ts";
import { mostInterim } from "../codec/final-response-parser.ts";
import { httpError } from "../messages/errors.ts";
import type { Fields } from "../messages/fields.ts";
import { IncomingBody, type BodySource } from "../operations/incoming-body.ts";
import { readHeader, readSome } from "../operations/read.ts";
import type { IncomingResponse, RequestOptions } from "./request-options.ts";
import type { Request } from "../messages/request.ts";
import { ResponseParser } from "../codec/response-parser.ts";
import type { Response } from "../messages/response.ts";
import { Serializer } from "../codec/serializer.ts";
import { discard } from "../operations/sources.ts";
import { WriteOperation } from "../operations/write-operation.ts";

/** Streams with a response whose body is not read to its end: what is left of it would be taken for the next response. */
const unread = new WeakMap<ByteStream, RequestOperation>();

/** One request on a stream and the response to it: both directions at once, since a server may answer early. */
export class RequestOperation implements BodySource {
  readonly #stream: ByteStream;
  readonly #buffer: FlatBuffer;
  readonly #message: Request;
  readonly #options: RequestOptions;
  readonly #handler: Handler<IncomingResponse>;
  readonly #serializer: Serializer;
  #parser: ResponseParser;
  #writing: WriteOperation | undefined;
  #timer: Timer | undefined;
  #interim = 0;
  /** The final response, once its head is there. */
  #response: IncomingResponse | undefined;
  /** Whether the body waits for 100 (Continue). */
  #waits: boolean;
  /** Why the request could not be sent; the server may have said so itself. */
  #writeError: ServalError | undefined;
  /** Whether part of the request was left out, so that the stream is of no more use. */
  #isCut = false;
  /** Who waits for the last write, since the stream is of no use to them before. */
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

  /** Throws what the stream says of misuse; then nothing was started. */
  start(clock: Clock, patience: number): void {
    if (unread.has(this.#stream)) throw httpError("http.body_unread");
    const signal = checkSignal(this.#options.signal);
    // RFC 9112 9.2: what came before the request is no answer to it, and where the next one begins is unknown.
    let wrong = this.#buffer.size > 0 ? httpError("http.unexpected_response") : undefined;
    if (signal?.aborted === true) wrong = abortError(signal);
    if (wrong !== undefined) {
      this.#stream.close();
      discard(this.#message.body);
      queueMicrotask(() => this.#complete(wrong, undefined));
      return;
    }
    this.#read();
    try {
      this.#write(this.#waits ? () => this.#serializer.isHeaderDone : undefined);
    } catch (misuse) {
      // Someone else writes on the stream, and we have begun to read from it: it is of no use to anybody.
      this.#hasCompleted = true;
      this.#stream.close();
      throw misuse;
    }
    // RFC 9110 10.1.1: it must not wait for ever, since many a server knows nothing of this.
    if (this.#waits && patience !== Infinity) this.#timer = clock.setTimer(patience, () => this.#goAhead());
  }

  get contentLength(): number | undefined {
    return this.#parser.contentLength;
  }

  get isDone(): boolean {
    return this.#parser.isDone;
  }

  get trailers(): Fields {
    return this.#parser.trailers;
  }

  readPart(handler: Handler<Uint8Array | undefined>): void {
    const { signal } = this.#options;
    readSome(this.#stream, this.#buffer, this.#parser, signal && { signal }, (error, part) => {
      if (error === undefined && this.#parser.isDone) {
        this.#bodyEnded(() => handler(error, part));
        return;
      }
      if (error !== undefined) {
        unread.delete(this.#stream);
        this.#dropRequest();
        this.#stream.close();
      }
      handler(error, part);
    });
  }

  #newParser(): ResponseParser {
    const { maxBodySize = Infinity, maxChunkExtensionSize, maxHeadersCount, maxHeaderSize } = this.#options;
    const { method } = this.#message;
    return new ResponseParser({ method, maxBodySize, maxChunkExtensionSize, maxHeadersCount, maxHeaderSize });
  }

  #write(isEnough: (() => boolean) | undefined): void {
    const writing = new WriteOperation(this.#stream, this.#serializer, isEnough, (error) => {
      this.#writing = undefined;
      if (error !== undefined) this.#notWritten(error);
      this.#whenWritten?.();
    });
    writing.start(this.#options.signal);
    this.#writing = writing;
  }

  #notWritten(error: ServalError): void {
    this.#isCut = true;
    this.#writeError = error;
    // Of a broken stream, what the server has said before may still be read; the rest is the fault of our own side.
    if (error.condition !== "transport") this.#fail(error);
    // Nobody reads to an end that has been read.
    if (this.#parser.isDone) this.#stream.close();
  }

  /** Sends the body that has waited. */
  #goAhead(): void {
    if (!this.#waits || this.#hasCompleted) return;
    this.#waits = false;
    this.#timer?.cancel();
    this.#serializer.split = false;
    try {
      // The head may be on its way still; then the rest follows it.
      if (this.#writing === undefined) this.#write(undefined);
      else this.#writing.extend();
    } catch (misuse) {
      this.#notWritten(transportError(misuse));
    }
  }

  #read(): void {
    const { signal } = this.#options;
    readHeader(this.#stream, this.#buffer, this.#parser, signal && { signal }, (error, response) => {
      if (this.#hasCompleted) return;
      if (error !== undefined) this.#fail(this.#writeError ?? error);
      else if (response.status < 200 && response.status !== 101) this.#takeInterim(response);
      else this.#takeFinal(response);
    });
  }

  #takeInterim(response: Response): void {
    if (++this.#interim > mostInterim) {
      this.#fail(httpError("http.interim_limit"));
      return;
    }
    try {
      const told: unknown = this.#options.interim?.(response);
      // What fails later fails the request too, if that is still under way, and never ends the process.
      if (isPromise(told)) told.then(undefined, (cause: unknown) => this.#fail(handlerFailed(cause)));
      if (response.status === 100) this.#goAhead();
      this.#parser = this.#newParser();
      this.#read();
    } catch (error) {
      this.#fail(handlerFailed(error));
    }
  }

  #takeFinal(response: IncomingResponse): void {
    // What is left of the body is not wanted.
    this.#response = response;
    if (this.#waits || (this.#writing !== undefined && response.status >= 400)) this.#dropRequest();
    if (this.#parser.isDone) {
      this.#bodyEnded(() => this.#complete(undefined, response));
      return;
    }
    response.body = new IncomingBody(this);
    unread.set(this.#stream, this);
    this.#complete(undefined, response);
  }

  /** The rest of the request, if there is any, is not sent. */
  #dropRequest(): void {
    if (this.#writing !== undefined) this.#writing.cancel();
    else if (this.#waits) discard(this.#message.body);
    else return;
    this.#waits = false;
    this.#writing = undefined;
    this.#isCut = true;
    // The server may not know yet, but no other request goes over this stream.
    if (this.#response !== undefined) this.#response.keepAlive = false;
  }

  /** The response is there to its end: the stream is free, once all of the request is out. */
  #bodyEnded(then: () => void): void {
    unread.delete(this.#stream);
    // A server that answers to the end before it has all may never take the rest. The last write may be on its way.
    if (this.#writing !== undefined && this.#serializer.source !== undefined) this.#dropRequest();
    if (this.#writing !== undefined) {
      this.#whenWritten = then;
      return;
    }
    if (this.#isCut) this.#stream.close();
    then();
  }

  #fail(error: ServalError): void {
    if (this.#hasCompleted) return;
    this.#dropRequest();
    this.#stream.close();
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
