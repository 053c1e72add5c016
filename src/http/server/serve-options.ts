import type { ByteStream, Clock } from "../../core/index.ts";
import {
  checkBoolean,
  checkClock,
  checkFunction,
  checkNumber,
  checkOptions,
  checkSignal,
  optionSet,
  reportError,
  runReported,
  type NumberRule,
} from "../../core/internal.ts";
import type { Body } from "../messages/body.ts";
import type { IncomingBody } from "../operations/incoming-body.ts";
import type { Request } from "../messages/request.ts";
import { RequestParser, type RequestParserOptions } from "../codec/request-parser.ts";
import type { Response } from "../messages/response.ts";

/** Deadlines of {@link serve}, in milliseconds; Infinity for none. */
export interface ServeTimeouts {
  /** For the whole head of a request, from its first byte, or from the start of the connection; then 408. Default 30,000. */
  header?: number | undefined;
  /** For the body of a request, counting the time spent waiting for it; then 408. Default 300,000. */
  body?: number | undefined;
  /** For the next request on a connection that is kept; then it is closed. More than 0. Default 60,000. */
  keepAlive?: number | undefined;
  /** For the client to take any of the bytes that are being written; then the connection is reset. Default 60,000. */
  write?: number | undefined;
}

/** Options of {@link serve}. */
export interface ServeOptions extends Pick<
  RequestParserOptions,
  "maxBodySize" | "maxChunkExtensionSize" | "maxHeadersCount" | "maxHeaderSize"
> {
  /** Bytes of the first request, and after it, that the caller has received. */
  buffered?: Uint8Array | undefined;
  /** See {@link ServeTimeouts}. */
  timeouts?: ServeTimeouts | undefined;
  /** Whether responses that have no Date get one (RFC 9110 6.6.1). Default true. */
  date?: boolean | undefined;
  /**
   * The handler, or the body of its response, has failed with `error`: the client gets 500, or the connection ends inside
   * the response. By default the error goes to the console.
   */
  error?: ((error: unknown, request: Request) => void) | undefined;
  /** When it fires, no more requests are taken: the connection ends after the response to the one that has begun. */
  stop?: AbortSignal | undefined;
  /** When it fires, the connection is closed at once. */
  signal?: AbortSignal | undefined;
  /** Where time comes from. Default the platform's. */
  clock?: Clock | undefined;
}

/** A request as a server gets it: its body, if it has one, is read as it is asked for. */
export type IncomingRequest = Request<Uint8Array | IncomingBody>;

/** What a handler knows besides the request. */
export interface Exchange {
  /**
   * The stream that the request came on; its `peer` is the client. Nothing may be read from it or written to it before
   * {@link release}: every later response would be taken for the answer to another request.
   */
  readonly stream: ByteStream;
  /**
   * Aborts when the connection is lost, or closed on this side, before the response has been sent, so that a handler can
   * give up work whose result is not wanted any more. The reason is the `ServalError` of the connection: for instance
   * `core.connection_reset`, `core.timeout`, `core.aborted` where the option `signal` has fired, or `http.end_of_stream`
   * where the client has ended its side. In most cases the client has gone then; a response is sent all the same, if
   * there is one. A handler that fails with the reason, or with an AbortError, is not told to the handler `error`.
   *
   * Once the signal is asked for and the handler makes the client wait, one read is in flight. Bytes of the next requests
   * that it brings are kept, and nothing more is read. Where nothing can be read, the next read or write has to fail
   * first: while some of the request's body is still to come; for a request with Upgrade, or CONNECT, whose stream may be
   * released; for one after which the connection ends, of HTTP/1.0 or with `Connection: close`; and once other requests
   * have come after it.
   */
  readonly signal: AbortSignal;
  /**
   * Takes the stream over, for another protocol, and returns the bytes that have been read after the request: the
   * handler answers on the stream by itself, and returns nothing. All responses to earlier requests are written by then,
   * and nothing is being read. Only for a request with Upgrade, or CONNECT: throws `core.invalid_argument` for others,
   * and for one whose body has not been read.
   */
  release(): Uint8Array;
}

/**
 * Answers a request, at once or by a promise. Nothing, where it has released the stream. If it throws, the client gets
 * 500; for an error of the request's own body, the status that goes with that.
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

/** Options with all defaults in their places; made once for many connections. */
export class ServeSettings {
  readonly parser: RequestParserOptions;
  readonly timeouts: Readonly<Record<keyof ServeTimeouts, number>>;
  readonly date: boolean;
  readonly clock: Clock;
  readonly #error: ((error: unknown, request: Request) => void) | undefined;

  constructor(options: ServeOptions) {
    checkOptions(serveOptions, options);
    const { timeouts: given = {}, error } = options;
    checkOptions(timeoutOptions, given);
    const timeout = (name: keyof ServeTimeouts, byDefault: number, rule?: NumberRule): number =>
      checkNumber(`timeouts.${name}`, given[name], byDefault, rule);
    this.parser = options;
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
    // What it would complain about for each request, it does now.
    new RequestParser(options);
    this.date = checkBoolean("date", options.date, true);
    this.#error = error;
    this.clock = checkClock(options.clock);
  }

  /** Tells of a failure of the application's. */
  report(error: unknown, request: Request): void {
    const told = this.#error;
    if (told === undefined) reportError(error);
    else runReported(() => told(error, request));
  }
}
