import type { ByteStream, ReadHandler } from "../core/byte-stream.ts";
import { copyOf } from "../core/bytes.ts";
import { isPromise, type Handler } from "../core/completion.ts";
import { Deadline } from "../core/deadline.ts";
import type { ServalError } from "../core/error.ts";
import { abortError, coreError, invalidArgument, transportError } from "../core/errors.ts";
import { FlatBuffer } from "../core/flat-buffer.ts";
import { offAbort, onAbort } from "../core/on-abort.ts";
import { reportError } from "../core/report.ts";
import { emptyBody, type Body } from "./body.ts";
import { dateValue } from "./date.ts";
import { IncomingBody } from "./incoming-body.ts";
import { checkRequest, expectsContinue, refusal, refusalStatus } from "./refusal.ts";
import { RequestBody } from "./request-body.ts";
import { RequestParser } from "./request-parser.ts";
import type { Request } from "./request.ts";
import { ResponseWriter } from "./response-writer.ts";
import { Response } from "./response.ts";
import { connectionField, departureOf, headText, Serializer } from "./serializer.ts";
import type { Exchange, IncomingRequest, RequestHandler, ServeSettings } from "./serve-options.ts";
import { hasToken } from "./token-list.ts";

/** More than this, in bytes, is written before more requests are answered. */
const mostGathered = 64 * 1024;

/** How many pipelined requests are answered before others have their turn. */
const mostInTurn = 128;

/** How many bytes of a body that nobody wanted are read so that the connection can be kept. */
const mostDrained = 64 * 1024;

/** How many milliseconds a client may take to end its side once we have ended ours. */
const lingerMs = 5_000;

/** What ends a connection from outside. */
export interface ServerConnectionSignals {
  readonly stop?: AbortSignal | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The server's side of HTTP/1.1 on one stream (RFC 9112 9): reads requests and answers them in order. One is dealt with
 * at a time; responses that are ready at once gather, and those to all requests of one read leave in one write.
 */
export class ServerConnection implements Exchange {
  readonly stream: ByteStream;
  readonly #handler: RequestHandler;
  readonly #settings: ServeSettings;
  readonly #signals: ServerConnectionSignals;
  readonly #completed: Handler;
  readonly #buffer: FlatBuffer = new FlatBuffer();
  readonly #writer: ResponseWriter;
  /** For the client to send what it has to: a head, the next request, its end. */
  readonly #deadline: Deadline;
  #parser: RequestParser;
  /** The bytes that are being looked at, and how many of them are used up: only inside `#takeRequests`. */
  #bytes: Uint8Array | undefined;
  #used = 0;
  #inTurn = 0;
  /** The request that is being answered, and its body, if it has one. */
  #request: IncomingRequest | undefined;
  #body: RequestBody | undefined;
  /** A read of requests is in flight. */
  #isReading = false;
  #isFirst = true;
  #isStopping = false;
  #isLeaving = false;
  #hasEnded = false;

  constructor(
    stream: ByteStream,
    handler: RequestHandler,
    settings: ServeSettings,
    signals: ServerConnectionSignals,
    completed: Handler,
  ) {
    this.stream = stream;
    this.#handler = handler;
    this.#settings = settings;
    this.#signals = signals;
    this.#completed = completed;
    this.#deadline = new Deadline(settings.clock, this.#onDeadline);
    this.#writer = new ResponseWriter(stream, settings.clock, settings.timeouts.write, (error) => this.#close(error));
    this.#parser = new RequestParser(settings.parser);
  }

  /** Begins, with bytes that were read before. Throws what the stream says of misuse; then nothing was started. */
  start(buffered: Uint8Array | undefined): void {
    if (buffered !== undefined && buffered.length > 0) {
      this.#buffer.append(buffered);
      queueMicrotask(this.#takeBuffered);
    } else {
      this.stream.readSome(this.#onRead);
      this.#isReading = true;
    }
    this.#deadline.set(this.#settings.timeouts.header);
    const { stop, signal } = this.#signals;
    if (stop !== undefined) watch(stop, this.#onStop);
    if (signal !== undefined) watch(signal, this.#onAbort);
  }

  release(): Uint8Array {
    const request = this.#request;
    if (request === undefined || !asksToSwitch(request)) {
      throw invalidArgument("A stream can be released only while a request with Upgrade, or CONNECT, is answered");
    }
    if (this.#body?.isReading === true) throw coreError("core.operation_pending");
    const rest = this.#bytes === undefined ? this.#buffer.data() : this.#bytes.subarray(this.#used);
    const released = copyOf(rest, rest.length);
    this.#end(undefined);
    return released;
  }

  readonly #onStop = (): void => {
    this.#isStopping = true;
    // Between requests nothing is lost.
    if (this.#isReading && !this.#parser.gotSome) this.#close(undefined);
  };

  readonly #onAbort = (): void => this.#close(abortError(this.#signals.signal!));

  readonly #onDeadline = (): void => {
    if (this.#isLeaving || !this.#parser.gotSome) this.#close(undefined);
    else this.#refuse(coreError("core.timeout", { message: "The head of the request took too long" }));
  };

  // Requests in.

  #read(): void {
    if (this.#hasEnded) return;
    if (this.#isStopping && !this.#parser.gotSome) {
      this.#leave(undefined);
      return;
    }
    const { idle, header } = this.#settings.timeouts;
    if (!this.#isFirst) this.#deadline.set(this.#parser.gotSome ? header : idle);
    // A head has its time from its first byte on.
    this.#isFirst = this.#parser.gotSome;
    this.#isReading = true;
    this.#start(() => this.stream.readSome(this.#onRead));
  }

  readonly #onRead: ReadHandler = (error, bytes) => {
    this.#isReading = false;
    if (this.#hasEnded || this.#isLeaving) return;
    if (error !== undefined) {
      this.#close(error);
    } else if (bytes === undefined) {
      this.#onEnd();
    } else if (this.#buffer.size > 0) {
      this.#buffer.append(bytes);
      this.#takeRequests(this.#buffer.data());
    } else {
      this.#takeRequests(bytes);
    }
  };

  /** Nobody waits for the answer to half a request; without any of one, this is how a connection ends. */
  #onEnd(): void {
    try {
      this.#parser.end();
    } catch (error) {
      this.#leave((error as ServalError).code === "http.end_of_stream" ? undefined : (error as ServalError));
    }
  }

  readonly #takeBuffered = (): void => {
    if (this.#hasEnded) return;
    if (this.#buffer.size > 0) this.#takeRequests(this.#buffer.data());
    else this.#writer.flush(() => this.#read());
  };

  /** Answers the requests in `bytes`: those of the buffer or, where that is empty, the stream's. */
  #takeRequests(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#used = 0;
    try {
      while (this.#takeRequest(bytes));
    } catch (error) {
      this.#refuse(error as ServalError);
    }
    this.#keepRest();
  }

  /** Takes one request, if it is all there. Returns whether it is answered, and the next one may be taken. */
  #takeRequest(bytes: Uint8Array): boolean {
    this.#used += this.#parser.put(this.#used === 0 ? bytes : bytes.subarray(this.#used));
    const request: IncomingRequest | undefined = this.#parser.message;
    if (request === undefined) {
      this.#inTurn = 0;
      this.#keepRest();
      this.#writer.flush(() => this.#read());
      return false;
    }
    this.#deadline.clear();
    this.#isFirst = false;
    this.#request = request;
    const wrong = checkRequest(request);
    if (wrong !== undefined) throw wrong;
    if (!this.#parser.isDone) this.#expectBody(request);
    // Who may take the stream over finds nothing being written.
    if (this.#writer.size === 0 || !asksToSwitch(request)) return this.#answer(request);
    this.#keepRest();
    this.#writer.flush(() => {
      if (this.#answer(request)) this.#takeBuffered();
    });
    return false;
  }

  #expectBody(request: IncomingRequest): void {
    this.#keepRest();
    const expect = request.version >= 11 ? request.fields.joined("Expect") : undefined;
    const isAwaited = expect !== undefined && expectsContinue(expect);
    const { stream } = this;
    this.#body = new RequestBody(stream, this.#buffer, this.#parser, this.#writer, this.#settings, isAwaited);
    request.body = new IncomingBody(this.#body);
  }

  /** What is not used up of the bytes being looked at stays in the buffer. */
  #keepRest(): void {
    const bytes = this.#bytes;
    this.#bytes = undefined;
    if (bytes === undefined || this.#hasEnded) return;
    if (this.#buffer.size > 0) this.#buffer.consume(this.#used);
    else if (this.#used < bytes.length) this.#buffer.append(bytes.subarray(this.#used));
  }

  // Responses out.

  /** Has the handler answer. Returns whether that is done, and the next request may be taken at once. */
  #answer(request: IncomingRequest): boolean {
    let result: ReturnType<RequestHandler>;
    try {
      result = this.#handler(request, this);
    } catch (error) {
      return this.#fail(request, error);
    }
    if (!isPromise(result)) return this.#respond(request, result);
    this.#keepRest();
    // Who has asked before is not to wait for this one.
    if (!this.#hasEnded) this.#writer.flush(ignore);
    result.then(
      (response) => this.#later(() => this.#respond(request, response)),
      (error: unknown) => this.#later(() => this.#fail(request, error)),
    );
    return false;
  }

  #later(finish: () => boolean): void {
    if (this.#hasEnded) finish();
    else
      this.#writer.flush(() => {
        if (finish()) this.#takeBuffered();
      });
  }

  #respond(request: IncomingRequest, response: Response<Body> | undefined | void): boolean {
    if (this.#hasEnded) return false;
    if (!(response instanceof Response) || response.status < 200) {
      return this.#fail(request, new TypeError("The handler of a request must return a Response with a final status"));
    }
    try {
      return this.#send(request, response);
    } catch (error) {
      return this.#fail(request, error);
    }
  }

  /** Sends a response, or gathers it. Returns whether the next request may be taken at once. */
  #send(request: IncomingRequest, response: Response<Body>): boolean {
    if (response.body === request.body && this.#body?.isAwaited === true) {
      // It is read while it is sent back, and then it is too late to ask for it.
      this.#keepRest();
      this.#body.goAhead(() => {
        if (this.#respond(request, response)) this.#takeBuffered();
      });
      return false;
    }
    const departure = departureOf(response, request);
    const keepAlive = departure.framing !== "eof" && this.#keepsAlive(request, response);
    const { body } = response;
    if (body instanceof Uint8Array) {
      const head = headText(response, departure, this.#more(response, departure, keepAlive));
      this.#writer.add(head, request.method === "HEAD" ? emptyBody : body);
      return this.#afterResponse(keepAlive);
    }
    this.#keepRest();
    const more = this.#settings.date && !response.fields.has("Date") ? `Date: ${dateValue()}\r\n` : "";
    this.#writer.send(new Serializer(response, { request, keepAlive, more }), (error) => {
      if (error === undefined) {
        if (this.#afterResponse(keepAlive)) this.#takeBuffered();
        return;
      }
      // Half of it is out: that it is not all must be seen.
      if (error.condition !== "transport" && error !== this.#body?.error) this.#report(error.code === "http.body_failed" ? error.cause : error, request);
      this.#close(error);
    });
    return false;
  }

  #keepsAlive(request: IncomingRequest, response: Response<Body>): boolean {
    if (this.#isStopping || !request.keepAlive) return false;
    // Whether a client that waits for 100 sends its body all the same, nobody can tell.
    if (this.#body !== undefined && (this.#body.isAwaited || this.#body.error !== undefined)) return false;
    return !hasToken(response.fields.joined("Connection"), "close");
  }

  /** Behind a response. Returns whether the next request may be taken at once. */
  #afterResponse(keepAlive: boolean): boolean {
    const body = this.#request?.body;
    if (!keepAlive) {
      this.#keepRest();
      this.#writer.flush(() => this.#leave(undefined));
      return false;
    }
    if (body instanceof IncomingBody && !body.isDone) {
      this.#keepRest();
      this.#writer.flush(() => body.detach(() => this.#drain(mostDrained)));
      return false;
    }
    this.#nextMessage();
    if (++this.#inTurn < mostInTurn && this.#writer.size < mostGathered) return true;
    this.#keepRest();
    this.#writer.flush(() => this.#yield());
    return false;
  }

  #nextMessage(): void {
    this.#body?.close();
    this.#body = this.#request = undefined;
    this.#parser = new RequestParser(this.#settings.parser);
  }

  /** Lets others have their turn, where this has had one. */
  #yield(): void {
    if (this.#inTurn < mostInTurn) {
      this.#takeBuffered();
      return;
    }
    this.#inTurn = 0;
    this.#settings.clock.setTimer(0, this.#takeBuffered);
  }

  /** Reads what is left of a body that nobody wanted. */
  #drain(left: number): void {
    if (this.#hasEnded) return;
    const body = this.#body!;
    if (body.isDone) {
      this.#nextMessage();
      this.#takeBuffered();
    } else if (left < 0 || (this.#parser.contentLengthRemaining ?? 0) > mostDrained) {
      this.#leave(undefined);
    } else {
      body.readPart((error, part) => {
        if (error === undefined) this.#drain(left - (part?.length ?? 0));
        else this.#leave(error);
      });
    }
  }

  /** The handler has failed, or what it returned can't be sent. */
  #fail(request: IncomingRequest, error: unknown): boolean {
    const own = this.#body?.error;
    // What is wrong with the request's body is the client's to hear.
    if (!this.#hasEnded && own !== undefined && error === own) {
      this.#refuse(own);
      return false;
    }
    this.#report(error, request);
    if (this.#hasEnded) return false;
    return this.#send(request, new Response({ status: 500, body: "The server failed to answer the request\n" }));
  }

  #report(error: unknown, request: IncomingRequest): void {
    const { onError } = this.#settings;
    try {
      if (onError === undefined) reportError(error);
      else onError(error, request);
    } catch (thrown) {
      reportError(thrown);
    }
  }

  /** Tells the client what is wrong with its request, and ends: where the next one begins, nobody knows. */
  #refuse(error: ServalError): void {
    const status = refusalStatus(error);
    if (status === undefined) {
      this.#close(error);
      return;
    }
    this.#keepRest();
    this.#deadline.clear();
    const request = this.#request;
    const response = refusal(error, status);
    const departure = departureOf(response, request);
    this.#writer.flush(() => {
      this.#writer.add(
        headText(response, departure, this.#more(response, departure, false)),
        request?.method === "HEAD" ? emptyBody : response.body,
      );
      this.#writer.flush(() => this.#leave(error));
    });
  }

  /** The fields that are ours to add. */
  #more(response: Response<Body>, departure: ReturnType<typeof departureOf>, keepAlive: boolean): string {
    const request = this.#request;
    const connection = connectionField(response, departure, request === undefined ? { keepAlive } : { keepAlive, request });
    return this.#settings.date && !response.fields.has("Date") ? `${connection}Date: ${dateValue()}\r\n` : connection;
  }

  // The end.

  /** Starts an operation of the stream's. What that throws is misuse: someone else uses the stream too. */
  #start(operation: () => void): void {
    try {
      operation();
    } catch (misuse) {
      this.#close(transportError(misuse));
    }
  }

  /** Ends in good order: the client reads what it was sent to its end. */
  #leave(error: ServalError | undefined): void {
    if (this.#hasEnded) return;
    if (this.#isReading || this.#body?.isReading === true) {
      // For what the client has promised and not sent.
      this.#close(error);
      return;
    }
    this.#isLeaving = true;
    this.#deadline.set(lingerMs);
    this.#start(() => this.stream.teardown("server", () => this.#close(error)));
  }

  #close(error: ServalError | undefined): void {
    if (this.#hasEnded) return;
    this.stream.close();
    this.#end(error);
  }

  #end(error: ServalError | undefined): void {
    this.#hasEnded = true;
    this.#deadline.cancel();
    this.#body?.close();
    this.#writer.close();
    this.#buffer.clear();
    const { stop, signal } = this.#signals;
    if (stop !== undefined) offAbort(stop, this.#onStop);
    if (signal !== undefined) offAbort(signal, this.#onAbort);
    this.#completed(error, undefined);
  }
}

function watch(signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) queueMicrotask(callback);
  else onAbort(signal, callback);
}

/** Whether a request asks for another protocol on its stream: RFC 9110 7.8 and 9.3.6. */
function asksToSwitch({ method, fields }: Request): boolean {
  return fields.has("Upgrade") || method === "CONNECT";
}

function ignore(): void {}
