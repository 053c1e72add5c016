import { abortError, transportError } from "../../core/index.ts";
import type { ByteStream, Handler, ServalError } from "../../core/index.ts";
import { cost, currentContext, soon, turnBudget, type AsyncContext, type TurnWaiter } from "../../core/internal.ts";
import { departureOf } from "../codec/serializer.ts";
import { httpError } from "../messages/errors.ts";
import { refusalStatus } from "../messages/refusal-status.ts";
import { lingerMs, mostDrained, mostGathered } from "./bounds.ts";
import { asksToSwitch, RequestExchange, type ExchangeOwner } from "./exchange.ts";
import { Lingering } from "./lingering.ts";
import { timeoutError } from "./passed-deadline.ts";
import { checkRequest, refusal } from "./refusal.ts";
import { RequestReader, type RequestTaker } from "./request-reader.ts";
import { ResponseWriter } from "./response-writer.ts";
import type { RequestHandler, ServeOptions, ServeSettings } from "./serve-options.ts";
import { offSignals, onSignals } from "./signals.ts";

/**
 * The server's side of HTTP/1.1 on one stream (RFC 9112 9): reads requests and has them answered in order, one at a
 * time. Responses that are ready at once are collected; those to all requests of one read leave in one write.
 */
export class ServerConnection implements ExchangeOwner, RequestTaker, TurnWaiter {
  readonly stream: ByteStream;
  readonly handler: RequestHandler;
  readonly settings: ServeSettings;
  readonly reader: RequestReader;
  /** Made for the first response: a request that becomes a WebSocket needs none. */
  #writer: ResponseWriter | undefined;
  isStopping = false;
  hasEnded = false;
  /** Signals that end it. */
  readonly #signals: Pick<ServeOptions, "signal" | "stop">;
  readonly #completed: Handler;
  /** The context in which the handler is called, for any cause: bytes, room, a signal. */
  readonly context: AsyncContext = currentContext();
  /** The request being answered; undefined between requests. */
  #exchange: RequestExchange | undefined;
  /** See `TurnMember`. */
  spent = 0;
  spentIn = 0;
  /** The connection has used up its share of this turn: nothing is read or answered before the next. */
  #isOverdrawn = false;
  #lingering: Lingering | undefined;
  #read: (() => void) | undefined;

  constructor(
    stream: ByteStream,
    handler: RequestHandler,
    settings: ServeSettings,
    signals: Pick<ServeOptions, "signal" | "stop">,
    completed: Handler,
  ) {
    this.stream = stream;
    this.handler = handler;
    this.settings = settings;
    this.#signals = signals;
    this.#completed = completed;
    this.reader = new RequestReader(stream, settings, this, this.context);
  }

  get writer(): ResponseWriter {
    return this.#writer ?? this.#makeWriter();
  }

  /** A function of its own, as the next ones: those with a closure in them allocate at each call. */
  #makeWriter(): ResponseWriter {
    const { stream, settings, context } = this;
    const writer = (this.#writer = new ResponseWriter(stream, settings, (error) => this.close(error), context));
    if (this.hasEnded) writer.close();
    return writer;
  }

  #takeMoreLater(): void {
    this.writer.flush(() => this.takeMore());
  }

  #readLater(): void {
    this.writer.flush((this.#read ??= () => this.#readNext()));
  }

  get isWriting(): boolean {
    return this.#writer?.isWriting === true;
  }

  /** Begins, with bytes that were already read. Throws the stream's misuse errors; then nothing was started. */
  start(buffered: Uint8Array | undefined): void {
    this.reader.start(buffered);
    onSignals(this.#signals, this.#onStop, this.#onAbort, this.context);
  }

  release(): Uint8Array {
    const released = this.reader.rest();
    this.#end(undefined, ignore);
    return released;
  }

  readonly #onStop = (): void => {
    this.isStopping = true;
    // Between requests nothing is lost.
    if (this.reader.isReading && !this.reader.isInside) this.writer.flush(() => this.close(undefined));
  };

  readonly #onAbort = (): void => {
    // Its last response is sent.
    if (this.#lingering !== undefined) this.#lingering.end();
    else this.close(abortError(this.#signals.signal!));
  };

  // ---- requests ----

  arrived(): void {
    if (this.#writer?.isWriting === true) {
      // Nothing more is read before the client has taken its responses.
      this.reader.keepRest();
      this.#takeMoreLater();
      return;
    }
    if (turnBudget.isSpent && turnBudget.isGreedy(this)) {
      this.reader.keepRest();
      turnBudget.wait(this);
      return;
    }
    try {
      while (this.#takeRequest());
    } catch (error) {
      this.refuse(transportError(error));
    }
  }

  ended(error: ServalError | undefined): void {
    this.writer.flush(() => this.#leave(error));
  }

  /**
   * The client may still read its responses (RFC 9112 section 8), within the time of an idle one; far more often it has
   * gone.
   */
  halfClosed(): void {
    const error = httpError("http.end_of_stream", { message: "The client has ended its side" });
    this.#exchange?.fail(error);
    this.writer.limitSilence(this.settings.timeouts.keepAlive, error);
  }

  lost(error: ServalError): void {
    this.close(error);
  }

  expired(isInside: boolean): void {
    if (isInside) this.refuse(timeoutError("header"));
    // Between requests, silence is no failure.
    else if (this.reader.hasTaken) this.writer.flush(() => this.close(undefined));
    else this.close(timeoutError("header"));
  }

  /** Takes one request, if its head is complete. Returns whether it is answered and the next one may be taken. */
  #takeRequest(): boolean {
    const { reader } = this;
    const request = reader.take();
    if (request === undefined) {
      reader.keepRest();
      // The next read starts before this handler returns, so that the socket need not be paused.
      this.#writer?.write();
      this.#readNext();
      return false;
    }
    this.#isOverdrawn = turnBudget.spend(this, cost.request);
    const exchange = (this.#exchange = new RequestExchange(request, this));
    const wrong = checkRequest(request);
    if (wrong !== undefined) throw wrong;
    if (!reader.parser.isDone && exchange.expectBody()) this.#isOverdrawn = true;
    // A handler that may take over the stream must find no write in flight.
    if ((this.#writer?.size ?? 0) === 0 || !asksToSwitch(request)) return exchange.answer();
    reader.keepRest();
    this.writer.flush(() => {
      if (exchange.answer()) this.takeMore();
    });
    return false;
  }

  /** Continues after a response: with bytes already read, then with the stream. */
  takeMore(): void {
    if (this.hasEnded) return;
    if (this.reader.buffer.size > 0) this.reader.again();
    else this.#readLater();
  }

  #readNext(): void {
    if (this.hasEnded) return;
    if (!this.isStopping || this.reader.isInside) this.reader.read();
    else this.#leave(undefined);
  }

  // ---- after a response ----

  answered(keepAlive: boolean): boolean {
    const body = this.#exchange?.body;
    if (!keepAlive) {
      this.reader.keepRest();
      this.writer.flush(() => this.#leave(undefined));
      return false;
    }
    if (body?.isDone === false) {
      this.reader.keepRest();
      this.writer.flush(() => body.incoming.detach(() => body.drain(mostDrained, (error) => this.#drained(error))));
      return false;
    }
    this.#nextMessage();
    if (!this.#isOverdrawn && this.writer.size < mostGathered) return true;
    this.reader.keepRest();
    this.writer.flush(() => this.#goOn());
    return false;
  }

  /** Continues after an unread body, if it was short enough to be read to its end. */
  #drained(error: ServalError | undefined): void {
    if (this.hasEnded) return;
    if (this.#exchange?.body?.isDone !== true) {
      this.#leave(error);
      return;
    }
    this.#nextMessage();
    this.#goOn();
  }

  #nextMessage(): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.endBody();
    this.reader.next(exchange?.body !== undefined);
  }

  /** Continues in this turn, or in the next one if its share of this one is used up. */
  #goOn(): void {
    if (this.#isOverdrawn) turnBudget.wait(this);
    else this.takeMore();
  }

  takeTurn(): void {
    this.#isOverdrawn = false;
    this.takeMore();
  }

  // ---- the end ----

  /** Answers an invalid request, and ends: where the next one begins is unknown. */
  refuse(error: ServalError): void {
    const status = refusalStatus(error);
    if (status === undefined) {
      this.close(error);
      return;
    }
    this.reader.close();
    const response = refusal(error, status);
    this.writer.flush(() => {
      const request = this.#exchange?.request;
      this.writer.add(response, departureOf(response, request), request, false);
      this.writer.flush(() => this.#leave(error));
    });
  }

  /** Ends gracefully: the client can read its responses to the end. */
  #leave(error: ServalError | undefined): void {
    if (this.hasEnded) return;
    const over = (): void => this.close(error);
    const lingering = (this.#lingering = new Lingering(this.stream, this.settings.clock, lingerMs, over));
    const readsHead = this.reader.bequeath(lingering.onRead);
    const readsBody = this.#exchange?.body?.bequeath(lingering.readOn) === true;
    lingering.start(readsHead || readsBody);
  }

  /** Ends at once. */
  close(error: ServalError | undefined): void {
    // Part of a response must not look like all of it.
    if (this.isWriting) this.reset(error);
    else this.#end(error, () => this.stream.close());
  }

  reset(error: ServalError | undefined): void {
    this.#end(error, () => this.stream.reset());
  }

  #end(error: ServalError | undefined, end: () => void): void {
    if (this.hasEnded) return;
    const exchange = this.#exchange;
    this.hasEnded = true;
    end();
    if (error !== undefined) exchange?.fail(error);
    this.#lingering?.cancel();
    this.reader.close();
    exchange?.body?.close();
    this.#writer?.close();
    offSignals(this.#signals, this.#onStop, this.#onAbort);
    // Not inside the application's call of `release` or `abort`.
    soon(this.context, this.#completed, undefined, error);
  }
}

function ignore(): void {}
