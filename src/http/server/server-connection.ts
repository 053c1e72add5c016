import { abortError, transportError } from "../../core/index.ts";
import type { ByteStream, Handler, ServalError, Timer } from "../../core/index.ts";
import { invalidArgument, isPromise } from "../../core/internal.ts";
import { httpError } from "../messages/errors.ts";
import type { Body } from "../messages/body.ts";
import { timeoutError } from "./passed-deadline.ts";
import { asksToSwitch, RequestExchange, type ExchangeOwner } from "./exchange.ts";
import { causeOf, noResponse } from "./handler-result.ts";
import { checkRequest, refusal, refusalStatus } from "./refusal.ts";
import { RequestBody } from "./request-body.ts";
import { RequestReader, type RequestTaker } from "./request-reader.ts";
import { ResponseWriter } from "./response-writer.ts";
import { Response } from "../messages/response.ts";
import { departureOf } from "../codec/serializer.ts";
import type { IncomingRequest, RequestHandler, ServeOptions, ServeSettings } from "./serve-options.ts";
import { discard } from "../operations/sources.ts";
import { keepsAlive } from "./keep-alive.ts";
import { lingerMs, mostDrained, mostGathered, mostInTurn } from "./bounds.ts";
import { offSignals, onSignals } from "./signals.ts";

/**
 * The server's side of HTTP/1.1 on one stream (RFC 9112 9): reads requests and answers them in order. One is dealt with
 * at a time; responses that are ready at once gather, and those to all requests of one read leave in one write.
 */
export class ServerConnection implements ExchangeOwner, RequestTaker {
  readonly stream: ByteStream;
  readonly #handler: RequestHandler;
  readonly #settings: ServeSettings;
  /** What ends it from outside. */
  readonly #signals: Pick<ServeOptions, "signal" | "stop">;
  readonly #completed: Handler;
  readonly #reader: RequestReader;
  readonly #writer: ResponseWriter;
  #inTurn = 0;
  /** For the next turn, or for the client to end its side. */
  #timer: Timer | undefined;
  /** The request that is being answered, and its body, if that is still to come. */
  #request: IncomingRequest | undefined;
  #exchange: RequestExchange | undefined;
  #body: RequestBody | undefined;
  /** Whether the handler has not yet answered it. */
  #isAnswering = false;
  #isStopping = false;
  #hasEnded = false;

  constructor(
    stream: ByteStream,
    handler: RequestHandler,
    settings: ServeSettings,
    signals: Pick<ServeOptions, "signal" | "stop">,
    completed: Handler,
  ) {
    this.stream = stream;
    this.#handler = handler;
    this.#settings = settings;
    this.#signals = signals;
    this.#completed = completed;
    this.#reader = new RequestReader(stream, settings, this);
    this.#writer = new ResponseWriter(stream, settings, (error) => this.#close(error));
  }

  /** Begins, with bytes that were read before. Throws what the stream says of misuse; then nothing was started. */
  start(buffered: Uint8Array | undefined): void {
    this.#reader.start(buffered);
    onSignals(this.#signals, this.#onStop, this.#onAbort);
  }

  release(exchange: RequestExchange): Uint8Array {
    if (!this.#isAnswering || exchange !== this.#exchange || !asksToSwitch(this.#request!)) {
      throw invalidArgument("A stream can be released only while a request with Upgrade, or CONNECT, is answered");
    }
    if (this.#body?.isDone === false) throw invalidArgument("The body of the request has to be read first");
    const released = this.#reader.rest();
    this.#end(undefined);
    return released;
  }

  watch(): void {
    if (this.#hasEnded || this.#body?.isDone === false) return;
    if (this.#exchange?.isWatched === true) this.#reader.watch();
  }

  readonly #onStop = (): void => {
    this.#isStopping = true;
    // Between requests nothing is lost.
    if (this.#reader.isReading && !this.#reader.isInside) this.#writer.flush(() => this.#close(undefined));
  };

  readonly #onAbort = (): void => this.#close(abortError(this.#signals.signal!));

  // Requests in.

  arrived(): void {
    if (this.#writer.isWriting) {
      // No more is read before the client has taken what it asked for.
      this.#reader.keepRest();
      this.#writer.flush(this.#takeMore);
      return;
    }
    try {
      while (this.#takeRequest());
    } catch (error) {
      this.#refuse(transportError(error));
    }
  }

  ended(error: ServalError | undefined): void {
    this.#writer.flush(() => this.#leave(error));
  }

  /** It may still read what it has asked for (RFC 9112 9.6); far more often it has gone. */
  halfClosed(): void {
    this.#exchange?.fail(httpError("http.end_of_stream", { message: "The client has ended its side" }));
  }

  lost(error: ServalError): void {
    this.#close(error);
  }

  expired(isInside: boolean): void {
    if (isInside) this.#refuse(timeoutError("header"));
    // Between requests it is no failure that there is none.
    else if (this.#reader.hasTaken) this.#writer.flush(() => this.#close(undefined));
    else this.#close(timeoutError("header"));
  }

  /** Takes one request, if it is all there. Returns whether it is answered, and the next one may be taken. */
  #takeRequest(): boolean {
    const request = this.#reader.take();
    if (request === undefined) {
      this.#reader.keepRest();
      // The next read is in flight before this one's handler returns: a socket need not be paused.
      this.#writer.flush(ignore);
      this.#read();
      return false;
    }
    this.#request = request;
    const wrong = checkRequest(request);
    if (wrong !== undefined) throw wrong;
    if (!this.#reader.parser.isDone) this.#expectBody(request);
    // Who may take the stream over finds nothing being written.
    if (this.#writer.size === 0 || !asksToSwitch(request)) return this.#answer(request);
    this.#reader.keepRest();
    this.#writer.flush(() => {
      if (this.#answer(request)) this.#takeMore();
    });
    return false;
  }

  #expectBody(request: IncomingRequest): void {
    const reader = this.#reader;
    reader.keepRest();
    this.#body = new RequestBody(this.stream, reader, this.#writer, this.#settings, request.expectsContinue);
    this.#body.onRead = this.#onBodyRead;
    request.body = this.#body.incoming;
  }

  /** Goes on after a response: with what has been read, then with the stream. */
  readonly #takeMore = (): void => {
    if (this.#hasEnded) return;
    if (this.#reader.buffer.size > 0 && !this.#isStopping) this.#reader.again();
    else this.#writer.flush(this.#read);
  };

  readonly #read = (): void => {
    if (this.#hasEnded) return;
    // Others have their turn while it waits for bytes.
    this.#inTurn = 0;
    if (!this.#isStopping || this.#reader.isInside) this.#reader.read();
    else if (this.#reader.isWatching) this.#close(undefined);
    else this.#leave(undefined);
  };

  // Responses out.

  /** Has the handler answer. Returns whether that is done, and the next request may be taken at once. */
  #answer(request: IncomingRequest): boolean {
    let result: ReturnType<RequestHandler>;
    let isLater = false;
    const exchange = (this.#exchange = new RequestExchange(request, this));
    this.#isAnswering = true;
    try {
      result = this.#handler(request, exchange);
      isLater = isPromise(result);
    } catch (error) {
      // Where it has asked for the body, 100 (Continue) may be on its way.
      if (!this.#writer.isWriting) return this.#fail(request, error);
      result = Promise.reject(error as Error);
      isLater = true;
    }
    if (!isLater && !this.#writer.isWriting)
      return this.#respond(request, result as Exclude<typeof result, Promise<unknown>>);
    this.#reader.keepRest();
    // Responses to earlier requests must not wait for this one.
    if (!this.#hasEnded) this.#writer.flush(ignore);
    exchange.isPending = true;
    this.watch();
    Promise.resolve(result).then(
      (response) => this.#later(() => this.#respond(request, response)),
      (error: unknown) => this.#later(() => this.#fail(request, error)),
    );
    return false;
  }

  readonly #onBodyRead = (error: ServalError | undefined): void => {
    // What can be refused is not lost.
    if (error !== undefined && refusalStatus(error) === undefined) this.#exchange?.fail(error);
    else this.watch();
  };

  #later(finish: () => boolean): void {
    this.#isAnswering = false;
    if (this.#hasEnded) {
      finish();
      return;
    }
    this.#writer.flush(() => {
      if (finish()) this.#takeMore();
    });
  }

  #respond(request: IncomingRequest, response: Response<Body> | undefined | void): boolean {
    this.#isAnswering = false;
    try {
      if (this.#hasEnded) {
        // Too late: the client has gone.
        if (response instanceof Response) discard(response.body);
        return false;
      }
      if (response instanceof Response && response.status >= 200) return this.#send(request, response);
      throw noResponse(request, response);
    } catch (error) {
      if (response instanceof Response) discard(response.body);
      return this.#fail(request, error);
    }
  }

  /** Sends a response, or gathers it. Returns whether the next request may be taken at once. Throws for one that can't be sent. */
  #send(request: IncomingRequest, response: Response<Body>): boolean {
    const { body } = response;
    const own = this.#body;
    if (own !== undefined && body === own.incoming) {
      // It is read while it is sent back: then it is too late to ask for it, and to say what is wrong with it.
      if (own.failure !== undefined) throw own.failure;
      if (own.isAwaited) {
        this.#reader.keepRest();
        own.goAhead(() => {
          if (this.#respond(request, response)) this.#takeMore();
        });
        return false;
      }
    }
    const departure = departureOf(response, request);
    const keepAlive = departure.framing !== "eof" && !this.#isStopping && keepsAlive(request, response, own);
    if (body instanceof Uint8Array) {
      this.#writer.add(response as Response, departure, request, keepAlive);
      return this.#afterResponse(keepAlive);
    }
    this.#reader.keepRest();
    this.#exchange!.isPending = true;
    this.watch();
    this.#writer.send(response, request, keepAlive, (error, isOurs) => {
      if (error === undefined) {
        if (this.#afterResponse(keepAlive)) this.#takeMore();
        return;
      }
      // Half of it is out: that it is not all must be seen.
      if (isOurs && error !== this.#body?.error) this.#settings.report(causeOf(error), request);
      this.#close(error);
    });
    return false;
  }

  /** After a response. Returns whether the next request may be taken at once. */
  #afterResponse(keepAlive: boolean): boolean {
    const body = this.#body;
    if (this.#exchange !== undefined) this.#exchange.isPending = false;
    this.#exchange = undefined;
    if (!keepAlive) {
      this.#reader.keepRest();
      this.#writer.flush(() => this.#leave(undefined));
      return false;
    }
    if (body?.isDone === false) {
      this.#reader.keepRest();
      this.#writer.flush(() => body.incoming.detach(() => body.drain(mostDrained, this.#onDrained)));
      return false;
    }
    this.#nextMessage();
    if (this.#inTurn < mostInTurn && this.#writer.size < mostGathered) return true;
    this.#reader.keepRest();
    this.#writer.flush(() => this.#yield());
    return false;
  }

  #nextMessage(): void {
    this.#body?.close();
    this.#body = this.#request = undefined;
    this.#inTurn++;
    this.#reader.next();
  }

  /** Lets others have their turn, where this has had one. */
  #yield(): void {
    if (this.#inTurn < mostInTurn) {
      this.#takeMore();
      return;
    }
    this.#inTurn = 0;
    this.#timer = this.#settings.clock.setTimer(0, this.#takeMore);
  }

  /** Reads the rest of an unread body, if it is short enough to be worth it. */
  readonly #onDrained = (error: ServalError | undefined): void => {
    if (this.#hasEnded) return;
    if (!this.#body!.isDone) {
      this.#leave(error);
      return;
    }
    this.#nextMessage();
    this.#yield();
  };

  /** The handler has failed, or what it returned can't be sent. */
  #fail(request: IncomingRequest, error: unknown): boolean {
    this.#isAnswering = false;
    const own = this.#body?.error;
    // What is wrong with the request's body is the client's to hear, if it is still there.
    if (own !== undefined && error === own) {
      if (!this.#hasEnded) this.#refuse(own);
      return false;
    }
    // Who was told that the client has gone, and has given up, has not failed.
    if (this.#exchange?.hasGivenUp(error) !== true) this.#settings.report(error, request);
    if (this.#hasEnded) return false;
    const response = new Response({ status: 500, body: "The server failed to answer the request\n" });
    return this.#send(request, response);
  }

  /** Tells the client what is wrong with its request, and ends: it is unknown where the next one begins. */
  #refuse(error: ServalError): void {
    const status = refusalStatus(error);
    if (status === undefined) {
      this.#close(error);
      return;
    }
    this.#reader.close();
    const response = refusal(error, status);
    this.#writer.flush(() => {
      this.#writer.add(response, departureOf(response, this.#request), this.#request, false);
      this.#writer.flush(() => this.#leave(error));
    });
  }

  // The end.

  /** Ends in good order: the client reads what it was sent to its end. */
  #leave(error: ServalError | undefined): void {
    if (this.#hasEnded) return;
    if (this.#reader.isReading || this.#body?.isReading === true) {
      // For what the client has promised and not sent.
      this.#close(error);
      return;
    }
    this.#timer = this.#settings.clock.setTimer(lingerMs, () => this.#close(error));
    this.#timer.unref?.();
    // Who was being watched has been told of the end by its response: it ends first, or sends what is dropped.
    this.#reader.finish(() => this.#tearDown(error));
  }

  #tearDown(error: ServalError | undefined): void {
    if (this.#hasEnded) return;
    try {
      this.stream.teardown("server", () => this.#close(error));
    } catch (misuse) {
      // Someone else uses the stream.
      this.#close(transportError(misuse));
    }
  }

  #close(error: ServalError | undefined): void {
    if (this.#hasEnded) return;
    this.stream.close();
    this.#end(error);
  }

  #end(error: ServalError | undefined): void {
    this.#hasEnded = true;
    this.#isAnswering = false;
    if (error !== undefined) this.#exchange?.fail(error);
    this.#timer?.cancel();
    this.#reader.close();
    this.#body?.close();
    this.#writer.close();
    offSignals(this.#signals, this.#onStop, this.#onAbort);
    // Not inside the application's own call of `release` or `abort`.
    queueMicrotask(() => this.#completed(error, undefined));
  }
}

function ignore(): void {}
