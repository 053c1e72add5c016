import type { ByteStream, ServalError } from "../../core/index.ts";
import {
  cost,
  costOf,
  currentContext,
  discardSource,
  invalidArgument,
  isPromise,
  turnBudget,
  type AsyncContext,
  type TurnMember,
} from "../../core/internal.ts";
import { departureOf } from "../codec/serializer.ts";
import type { Body } from "../messages/body.ts";
import { refusalStatus } from "../messages/refusal-status.ts";
import type { Request } from "../messages/request.ts";
import { Response } from "../messages/response.ts";
import { abortRequest } from "./direct-request.ts";
import type { FollowedExchange } from "./followed-exchange.ts";
import { causeOf, noResponse } from "./handler-result.ts";
import { keepsAlive } from "./keep-alive.ts";
import { ReceivedBody } from "./received-body.ts";
import { RequestBody } from "./request-body.ts";
import type { RequestReader } from "./request-reader.ts";
import type { ResponseWriter } from "./response-writer.ts";
import type { Exchange, IncomingRequest, RequestHandler, ServeSettings } from "./serve-options.ts";

/** What an exchange needs from its connection, and reports to it. */
export interface ExchangeOwner extends TurnMember {
  readonly context: AsyncContext;
  readonly stream: ByteStream;
  readonly handler: RequestHandler;
  readonly settings: ServeSettings;
  readonly reader: RequestReader;
  readonly writer: ResponseWriter;
  /** Whether a write is in flight. */
  readonly isWriting: boolean;
  /** Whether this is the last request. */
  readonly isStopping: boolean;
  /** Whether the connection has ended, so that nothing can be sent. */
  readonly hasEnded: boolean;
  /** The response has been sent, or is in the writer. Returns whether the next request may be taken at once. */
  answered(keepAlive: boolean): boolean;
  /** Continues with the next request, after a response that was not ready at once. */
  takeMore(): void;
  /** Answers an error of the request's body, and ends the connection. */
  refuse(error: ServalError): void;
  /** Ends the connection inside the response, so that it does not look complete. */
  reset(error: ServalError): void;
  /** Ends the connection, but not its stream; returns the bytes after the request. */
  release(): Uint8Array;
}

/**
 * `asking`: inside the handler's call, or before it. `waiting`: for its promise. `sending`: it has answered. `done`:
 * the response is sent, or in the writer, or there will be none.
 */
type Phase = "asking" | "waiting" | "sending" | "done";

/**
 * One request on a connection and its response: calls the handler, and sends the result. The methods that return a
 * boolean return whether the response is in the writer and the next request may be taken at once.
 */
export class RequestExchange implements Exchange, FollowedExchange {
  readonly request: IncomingRequest;
  /** The body of the request, if it was still to come. */
  body: RequestBody | undefined;
  /** The body of the request, if it came with the head. */
  #received: ReceivedBody | undefined;
  /** See {@link FollowedExchange}. */
  follower: globalThis.Request | undefined;
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
    if (this.body?.isDone === false || this.#received?.isDone === false)
      throw invalidArgument("The body of the request has to be read first");
    this.#phase = "done";
    return this.#owner.release();
  }

  /** Whether the client has gone, and gets no response. */
  get isAbandoned(): boolean {
    if (!this.#owner.hasEnded || this.#phase === "done") return false;
    return this.#error?.condition === "transport" || this.#error?.code === "http.end_of_stream";
  }

  /**
   * The request has a body. If it came with the head, it is taken now; otherwise the handler reads it from the stream.
   * Returns whether the connection has overdrawn its share of this turn.
   */
  expectBody(): boolean {
    const { request } = this;
    const owner = this.#owner;
    // In a turn that is used up, bodies wait for their turns; and a client that waits for a 100 gets it, however its bytes
    // came.
    const whole = turnBudget.isSpent || request.expectsContinue ? undefined : owner.reader.takeBody();
    if (whole !== undefined) {
      this.#received = new ReceivedBody(whole);
      request.body = this.#received.incoming;
      const copying = costOf(whole.length, cost.copied);
      return turnBudget.spend(owner, cost.message + copying, copying);
    }
    owner.reader.keepRest();
    this.body = new RequestBody(owner, request.expectsContinue);
    this.body.onRead = (error) => this.#bodyRead(error);
    request.body = this.body.incoming;
    return false;
  }

  /** The exchange is over: its body can't be read any more. */
  endBody(): void {
    this.body?.close();
    this.#received?.drop();
  }

  /** Calls the handler. */
  answer(): boolean {
    const owner = this.#owner;
    let result: ReturnType<RequestHandler>;
    let isLater = false;
    try {
      // In a context of its own: what one handler enters for good (`enterWith`) is nothing to the next request's, which may
      // be another client's, of the same proxy.
      result = currentContext().runInAsyncScope(owner.handler, undefined, this.request, this);
      isLater = isPromise(result);
    } catch (error) {
      // If it has asked for the body, a 100 (Continue) may be in flight.
      if (!owner.isWriting) return this.#fail(error);
      result = Promise.reject(error as Error);
      isLater = true;
    }
    if (!isLater && !owner.isWriting) return this.#respond(result as Exclude<typeof result, Promise<unknown>>);
    owner.reader.keepRest();
    // Responses to earlier requests must not wait for this one.
    if (!owner.hasEnded) owner.writer.write();
    if (this.#phase === "asking") this.#phase = "waiting";
    this.#watch();
    Promise.resolve(result).then(
      (response) => this.#later(() => this.#respond(response)),
      (error: unknown) => this.#later(() => this.#fail(error)),
    );
    return false;
  }

  /** The connection has been lost or closed, before or after the response was sent. */
  fail(error: ServalError): void {
    if (this.#phase === "done" || this.#error !== undefined) return;
    this.#error = error;
    const { follower } = this;
    const controller = this.#controller;
    if (controller === undefined && follower === undefined) return;
    // Not inside a call of the application or of the stream.
    queueMicrotask(() => {
      controller?.abort(error);
      if (follower !== undefined) abortRequest(follower, error);
    });
  }

  #bodyRead(error: ServalError | undefined): void {
    // An error that can be answered is not a loss.
    if (error !== undefined && refusalStatus(error) === undefined) this.fail(error);
    else this.#watch();
  }

  /** Watches for the client's end while the exchange waits for something other than its bytes. */
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
        if (response instanceof Response) discardSource(response.body);
        return false;
      }
      if (response instanceof Response && response.status >= 200) return this.#send(response);
      throw noResponse(this.request, response);
    } catch (error) {
      if (response instanceof Response) discardSource(response.body);
      return this.#fail(error);
    }
  }

  /** Sends a response, or adds it to the writer. Throws if it can't be sent. */
  #send(response: Response<Body>): boolean {
    this.#phase = "sending";
    const { request, body: own } = this;
    const { reader, writer, isStopping, settings } = this.#owner;
    const { body } = response;
    if (own !== undefined && body === own.incoming) {
      // The request's body is sent back as the response: it must be asked for before, and its errors found before.
      if (own.failure !== undefined) throw own.failure;
      if (own.isAwaited) {
        reader.keepRest();
        own.goAhead(() => this.#continue(() => this.#respond(response)));
        return false;
      }
    }
    const departure = departureOf(response, request);
    // A request that has been read already is answered too, also if this connection is to end.
    const goesOn = (settings.keepsAlive && !isStopping) || (own?.isDone !== false && reader.hasRest);
    const mayKeep = goesOn && departure.framing !== "eof";
    const keepAlive = mayKeep && keepsAlive(request, response, own);
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

  /** Part of the response has been sent. */
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

  /** Whether a handler failed because its signal told it to stop. */
  #hasGivenUp(failure: unknown): boolean {
    if (this.#controller?.signal.aborted !== true) return false;
    return failure === this.#error || (failure instanceof Error && failure.name === "AbortError");
  }
}

/** Whether the client of a handler's exchange has gone, and gets no response. */
export function isAbandoned(exchange: Exchange): boolean {
  return exchange instanceof RequestExchange && exchange.isAbandoned;
}

/** Whether a request asks for another protocol on its stream (RFC 9110 7.8 and 9.3.6). */
export function asksToSwitch({ method, headers }: Request): boolean {
  return headers.has("Upgrade") || method === "CONNECT";
}
