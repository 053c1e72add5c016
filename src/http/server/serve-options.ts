import type { ByteStream, Clock } from "../../core/index.ts";
import {
  attentive,
  checkBoolean,
  checkClock,
  checkFunction,
  checkNumber,
  checkOptions,
  checkSignal,
  optionSet,
  reportError,
  runReported,
  type AttentiveClock,
  type NumberRule,
} from "../../core/internal.ts";
import type { Body } from "../messages/body.ts";
import type { IncomingBody } from "../operations/incoming-body.ts";
import type { Request } from "../messages/request.ts";
import { RequestParser, type RequestParserOptions } from "../codec/request-parser.ts";
import type { Response } from "../messages/response.ts";

/** Deadlines of {@link serve}, in milliseconds; Infinity for none. */
export interface ServeTimeouts {
  /**
   * For the whole head of a request, from its first byte, or from the start of the connection; then 408. Default
   * 30,000.
   */
  header?: number | undefined;
  /** For the body of a request, counting only the time of waiting for it; then 408. Default 300,000. */
  body?: number | undefined;
  /**
   * For the next request on a kept connection, which is then closed; and for a client that has ended its side, while
   * nothing of a response can be sent to it. More than 0. Default 60,000.
   */
  keepAlive?: number | undefined;
  /** For the client to take any of the bytes being written; then the connection is reset. Default 60,000. */
  write?: number | undefined;
}

/** Options of {@link serve}. */
export interface ServeOptions extends Pick<
  RequestParserOptions,
  "maxBodySize" | "maxChunkExtensionSize" | "maxHeadersCount" | "maxHeaderSize"
> {
  /** Bytes that the caller has already received, of the first request and after it. */
  buffered?: Uint8Array | undefined;
  /** See {@link ServeTimeouts}. */
  timeouts?: ServeTimeouts | undefined;
  /** Whether responses without Date get one (RFC 9110 6.6.1). Default true. */
  date?: boolean | undefined;
  /**
   * Called when the handler, or the body of its response, fails; the client gets 500, or the connection ends inside the
   * response. By default the console shows the error.
   */
  error?: ((error: unknown, request: Request) => void) | undefined;
  /**
   * When it fires, no more requests are read: the connection ends after the responses to the current one, and to those
   * that were read together with it.
   */
  stop?: AbortSignal | undefined;
  /** When it fires, the connection is closed at once. */
  signal?: AbortSignal | undefined;
  /** The source of time. Default: the platform's. */
  clock?: Clock | undefined;
}

/** A request as a server gets it; its body, if there is one, is read on demand. */
export type IncomingRequest = Request<Uint8Array | IncomingBody>;

/** What a handler gets besides the request. */
export interface Exchange {
  /**
   * The request's stream; its `peer` is the client. Do not read from it or write to it before {@link release}: later
   * responses would be taken for answers to other requests.
   */
  readonly stream: ByteStream;
  /**
   * Aborts when the connection is lost, or closed on this side, before the response has been sent, so that a handler
   * can stop work whose result is no longer wanted. The reason is the connection's `ServalError`, for instance
   * `core.connection_reset`, `core.timeout`, `core.aborted` if the option `signal` has fired, or `http.end_of_stream`
   * if the client has ended its side. Such a client has most likely gone, but it may still read (RFC 9112 section 8): a
   * response is sent if it comes within `timeouts.keepAlive`. If a handler then fails with the reason, or with an
   * AbortError, the option `error` is not called.
   *
   * While the handler or the body of its response makes the client wait, the stream is watched, so a loss is noticed at
   * once, unless the client has sent more than 16 KiB since its request; then the next read or write finds the loss.
   */
  readonly signal: AbortSignal;
  /**
   * Takes over the stream for another protocol, and returns the bytes read after the request. The handler then answers
   * on the stream itself, and returns nothing. All responses to earlier requests are written by then, and no read is in
   * flight. Only for a request with Upgrade, or CONNECT: throws `core.invalid_argument` for others, and if the
   * request's body has not been read.
   */
  release(): Uint8Array;
}

/**
 * Answers a request, at once or by a promise; returns nothing if it has released the stream. If it throws, the client
 * gets 500, or for an error of the request's own body the matching status.
 */
export type RequestHandler = (
  request: IncomingRequest,
  exchange: Exchange,
) => Response<Body> | undefined | void | Promise<Response<Body> | undefined | void>;

const timeoutNames = ["header", "body", "keepAlive", "write"];
const limitNames = ["maxBodySize", "maxChunkExtensionSize", "maxHeadersCount", "maxHeaderSize"];
const serveOptions = optionSet(
  "http.serve",
  [...limitNames, "buffered", "clock", "date", "error", "signal", "stop", "timeouts"],
  "{ maxBodySize: 1_000_000 }",
);
const timeoutOptions = optionSet("timeouts", timeoutNames, "{ header: 10_000 }", ["http.serve"]);

/** How many parsers are kept: most requests are parsed and answered in one turn. */
const mostParsers = 16;

/** Checked options with defaults filled in; made once for many connections. */
export class ServeSettings {
  readonly parser: RequestParserOptions;
  readonly timeouts: Readonly<Record<keyof ServeTimeouts, number>>;
  readonly date: boolean;
  readonly clock: Clock;
  /**
   * Whether connections are kept after a response. Once false, each response from then on ends its connection and says
   * so (RFC 9112 section 9.6), unless the next request has been read already; a connection that waits for a request stays
   * open for it: the client may have sent it.
   */
  keepsAlive = true;
  /** For deadlines. */
  readonly time: AttentiveClock;
  readonly #error: ((error: unknown, request: Request) => void) | undefined;
  /** Parsers to be used again, so many of them: a list that grew and shrank would allocate. */
  readonly #parsers: RequestParser[] = [];
  #spare = 0;

  constructor(options: ServeOptions) {
    checkOptions(serveOptions, options);
    const { timeouts: given = {}, error } = options;
    checkOptions(timeoutOptions, given);
    const timeout = (name: keyof ServeTimeouts, byDefault: number, rule?: NumberRule): number =>
      checkNumber(`timeouts.${name}`, given[name], byDefault, rule);
    const { maxHeaderSize, maxHeadersCount, maxBodySize, maxChunkExtensionSize } = options;
    this.parser = { maxHeaderSize, maxHeadersCount, maxBodySize, maxChunkExtensionSize };
    this.timeouts = {
      header: timeout("header", 30_000),
      body: timeout("body", 300_000),
      // Node takes 0 for no limit; here it would end every connection after one response.
      keepAlive: timeout("keepAlive", 60_000, { above: 0, unit: "milliseconds" }),
      write: timeout("write", 60_000),
    };
    checkFunction("error", error);
    checkSignal(options.signal);
    checkSignal(options.stop, "stop");
    // Throws here for options that it would refuse at each request.
    this.#parsers[this.#spare++] = new RequestParser(this.parser);
    this.date = checkBoolean("date", options.date, true);
    this.#error = error;
    this.clock = checkClock(options.clock);
    this.time = attentive(this.clock);
  }

  /** A parser for the next request of a connection, once it begins: a connection that waits has none. */
  takeParser(): RequestParser {
    return this.#spare === 0 ? new RequestParser(this.parser) : this.#parsers[--this.#spare]!;
  }

  /** Returns a parser that nothing uses any more. */
  giveBack(parser: RequestParser): void {
    if (this.#spare === mostParsers) return;
    parser.reset();
    this.#parsers[this.#spare++] = parser;
  }

  /** Reports a failure of the application. */
  report(error: unknown, request: Request): void {
    const told = this.#error;
    if (told === undefined) reportError(error);
    else runReported(() => told(error, request));
  }
}
