import type { ByteStream, ServalError } from "../../core/index.ts";
import { invalidArgument, isPromise, type TurnMember } from "../../core/internal.ts";
import { departureOf } from "../codec/serializer.ts";
import type { Body } from "../messages/body.ts";
import type { Request } from "../messages/request.ts";
import { Response } from "../messages/response.ts";
import { discard } from "../operations/sources.ts";
import { causeOf, noResponse } from "./handler-result.ts";
import { keepsAlive } from "./keep-alive.ts";
import { refusalStatus } from "./refusal.ts";
import { RequestBody } from "./request-body.ts";
import type { RequestReader } from "./request-reader.ts";
import type { ResponseWriter } from "./response-writer.ts";
import type { Exchange, IncomingRequest, RequestHandler, ServeSettings } from "./serve-options.ts";

/** What an exchange uses of its connection, and tells it. */
export interface ExchangeOwner extends TurnMember {
  readonly stream: ByteStream;
  readonly handler: RequestHandler;
  readonly settings: ServeSettings;
  readonly reader: RequestReader;
  readonly writer: ResponseWriter;
  /** Whether no request is taken after this one. */
  readonly isStopping: boolean;
  /** Whether the connection has ended: nothing can be sent any more. */
  readonly hasEnded: boolean;
  /** The response is sent, or is in the writer. Returns whether the next request may be taken at once. */
  answered(keepAlive: boolean): boolean;
  /** Goes on with the next request, after a response that was not there at once. */
  takeMore(): void;
  /** Tells the client what is wrong with the request's body, and ends the connection. */
  refuse(error: ServalError): void;
  /** Ends the connection inside the response, which can't be taken for all of it then. */
  reset(error: ServalError): void;
  /** Ends the connection, but not its stream; returns the bytes after the request. */
  release(): Uint8Array;
}

/**
 * `asking`: inside the call of the handler, or before it. `waiting`: for its promise. `sending`: it has answered. `done`:
 * the response is sent, or in the writer, or there will be none.
 */
type Phase = "asking" | "waiting" | "sending" | "done";

/**
 * One request on a connection and the response to it: has the handler answer, and sends what that gives. The methods
 * that return a boolean say whether the response is in the writer, and the next request may be taken at once.
 */
export class RequestExchange implements Exchange {
  readonly request: IncomingRequest;
  /** The body of the request, if that was still to come. */
  body: RequestBody | undefined;
  readonly #owner: ExchangeOwner;
  #controller: AbortController | undefined;
  /** Why there will be no response. */
  #error: ServalError | undefined;
  #phase: Phase = "asking";

  constructor(request: IncomingRequest, owner: ExchangeOwner) {
    this.request = request;
    this.#owner = owner;
  }

  get stream(): ByteStream {
    return this.#owner.stream;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#error !== undefined) this.#controller.abort(this.#error);
    }
    return this.#controller.signal;
  }

  release(): Uint8Array {
    const isAnswering = this.#phase === "asking" || this.#phase === "waiting";
    if (!isAnswering || this.#owner.hasEnded || !asksToSwitch(this.request)) {
      throw invalidArgument("A stream can be released only while a request with Upgrade, or CONNECT, is answered");
    }
    if (this.body?.isDone === false) throw invalidArgument("The body of the request has to be read first");
    this.#phase = "done";
    return this.#owner.release();
  }

  /** Whether the client has gone, and gets no response. */
  get isAbandoned(): boolean {
    if (!this.#owner.hasEnded || this.#phase === "done") return false;
    return this.#error?.condition === "transport" || this.#error?.code === "http.end_of_stream";
  }

  /** The body of the request is still to come: the handler reads it from the stream. */
  expectBody(): void {
    const { request } = this;
    this.#owner.reader.keepRest();
    this.body = new RequestBody(this.#owner, request.expectsContinue);
    this.body.onRead = (error) => this.#bodyRead(error);
    request.body = this.body.incoming;
  }

  /** Has the handler answer. */
  answer(): boolean {
    const { handler, reader, writer } = this.#owner;
    let result: ReturnType<RequestHandler>;
    let isLater = false;
    try {
      result = handler(this.request, this);
      isLater = isPromise(result);
    } catch (error) {
      // Where it has asked for the body, 100 (Continue) may be on its way.
      if (!writer.isWriting) return this.#fail(error);
      result = Promise.reject(error as Error);
      isLater = true;
    }
    if (!isLater && !writer.isWriting) return this.#respond(result as Exclude<typeof result, Promise<unknown>>);
    reader.keepRest();
    // Responses to earlier requests must not wait for this one.
    if (!this.#owner.hasEnded) writer.flush(ignore);
    if (this.#phase === "asking") this.#phase = "waiting";
    this.#watch();
    Promise.resolve(result).then(
      (response) => this.#later(() => this.#respond(response)),
      (error: unknown) => this.#later(() => this.#fail(error)),
    );
    return false;
  }

  /** The connection has been lost, or closed: before the response was sent, or no matter after it. */
  fail(error: ServalError): void {
    if (this.#phase === "done" || this.#error !== undefined) return;
    this.#error = error;
    const controller = this.#controller;
    // Not inside the application's own call, nor one of the stream's.
    if (controller !== undefined) queueMicrotask(() => controller.abort(error));
  }

  #bodyRead(error: ServalError | undefined): void {
    // What can be refused is not lost.
    if (error !== undefined && refusalStatus(error) === undefined) this.fail(error);
    else this.#watch();
  }

  /** Finds out if the client goes while something else than its bytes is waited for. */
  #watch(): void {
    const isPending = this.#phase === "waiting" || this.#phase === "sending";
    if (isPending && this.body?.isReading !== true) this.#owner.reader.watch();
  }

  #later(finish: () => boolean): void {
    const { hasEnded, writer } = this.#owner;
    if (hasEnded) {
      finish();
      return;
    }
    this.#phase = "sending";
    writer.flush(() => this.#continue(finish));
  }

  #continue(finish: () => boolean): void {
    if (finish()) this.#owner.takeMore();
  }

  #respond(response: Response<Body> | undefined | void): boolean {
    try {
      if (this.#owner.hasEnded) {
        // Too late: the client has gone.
        if (response instanceof Response) discard(response.body);
        return false;
      }
      if (response instanceof Response && response.status >= 200) return this.#send(response);
      throw noResponse(this.request, response);
    } catch (error) {
      if (response instanceof Response) discard(response.body);
      return this.#fail(error);
    }
  }

  /** Sends a response, or gathers it. Throws for one that can't be sent. */
  #send(response: Response<Body>): boolean {
    this.#phase = "sending";
    const { request, body: own } = this;
    const { reader, writer, isStopping } = this.#owner;
    const { body } = response;
    if (own !== undefined && body === own.incoming) {
      // It is read while it is sent back: then it is too late to ask for it, and to say what is wrong with it.
      if (own.failure !== undefined) throw own.failure;
      if (own.isAwaited) {
        reader.keepRest();
        own.goAhead(() => this.#continue(() => this.#respond(response)));
        return false;
      }
    }
    const departure = departureOf(response, request);
    const keepAlive = departure.framing !== "eof" && !isStopping && keepsAlive(request, response, own);
    if (body instanceof Uint8Array) {
      writer.add(response as Response, departure, request, keepAlive);
      return this.#sent(keepAlive);
    }
    reader.keepRest();
    this.#watch();
    writer.send(response, request, keepAlive, (error, isOurs) => {
      if (error === undefined) this.#continue(() => this.#sent(keepAlive));
      else this.#cut(error, isOurs);
    });
    return false;
  }

  #sent(keepAlive: boolean): boolean {
    this.#phase = "done";
    return this.#owner.answered(keepAlive);
  }

  /** Half of the response is out. */
  #cut(error: ServalError, isOurs: boolean): void {
    if (isOurs && error !== this.body?.error) this.#owner.settings.report(causeOf(error), this.request);
    this.#owner.reset(error);
  }

  /** The handler has failed, or what it returned can't be sent. */
  #fail(error: unknown): boolean {
    const { hasEnded, settings } = this.#owner;
    const own = this.body?.error;
    // A client that is still there gets the error of its request's body.
    if (own !== undefined && error === own) {
      if (!hasEnded) this.#owner.refuse(own);
      return false;
    }
    // A handler that fails because its signal has aborted is not reported.
    if (!this.#hasGivenUp(error)) settings.report(error, this.request);
    if (hasEnded) return false;
    return this.#send(new Response({ status: 500, body: "The server failed to answer the request\n" }));
  }

  /** Whether a handler's failure is that it has given up, as the signal told it to. */
  #hasGivenUp(failure: unknown): boolean {
    if (this.#controller?.signal.aborted !== true) return false;
    return failure === this.#error || (failure instanceof Error && failure.name === "AbortError");
  }
}

/** Whether the client of an exchange that a handler was given has gone, and gets no response. */
export function isAbandoned(exchange: Exchange): boolean {
  return exchange instanceof RequestExchange && exchange.isAbandoned;
}

/** Whether a request asks for another protocol on its stream: RFC 9110 7.8 and 9.3.6. */
export function asksToSwitch({ method, headers }: Request): boolean {
  return headers.has("Upgrade") || method === "CONNECT";
}

function ignore(): void {}
