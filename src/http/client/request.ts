import { complete, FlatBuffer, toByteStream, type Handler, type NextLayer } from "../../core/index.ts";
import {
  checkClock,
  checkFunction,
  checkNumber,
  checkOptions,
  invalidArgument,
  optionSet,
  show,
} from "../../core/internal.ts";
import { RequestOperation } from "./request-operation.ts";
import type { IncomingResponse, RequestOptions } from "./request-options.ts";
import { Request } from "../messages/request.ts";

const requestOptions = optionSet(
  "http.request",
  [
    "buffer",
    "clock",
    "interim",
    "maxBodySize",
    "maxChunkExtensionSize",
    "maxHeadersCount",
    "maxHeaderSize",
    "signal",
    "timeouts",
  ],
  "{ signal: AbortSignal.timeout(5000) }",
);
const noOptions: RequestOptions & NonNullable<RequestOptions["timeouts"]> = {};
const timeoutOptions = optionSet("timeouts", ["continue"], "{ continue: 500 }", ["http.request"]);

/**
 * Sends a request on a stream, and completes with the response when its head has been read; the body is read from the
 * stream on demand. The stream can be used for the next request when the body has been read to its end and
 * `response.keepAlive` is true. Headers are sent unchanged (set Host yourself); framing headers are added.
 *
 * The response is read while the request's body is being sent. A response of 400 or more that arrives early ends the
 * sending; the stream is closed after the response, and its `keepAlive` is false. With `Expect: 100-continue` the body
 * waits for the server's 100, so a body that is refused is not sent.
 *
 * Never completes inside the call; without a handler, returns a promise. Fails with the errors of `read` and `write`,
 * with `http.interim_limit`, with `http.unexpected_response` if the server sent bytes before the request, and with
 * `core.aborted` if the signal fired, which also ends the reading of the body and closes the stream. After a failure
 * the stream is closed, by a reset if part of the request was not sent.
 */
export function request(next: NextLayer, message: Request, handler: Handler<IncomingResponse>): void;
export function request(next: NextLayer, message: Request, options?: RequestOptions): Promise<IncomingResponse>;
export function request(
  next: NextLayer,
  message: Request,
  options: RequestOptions | undefined,
  handler: Handler<IncomingResponse>,
): void;
export function request(
  next: NextLayer,
  message: Request,
  options: RequestOptions | Handler<IncomingResponse> = noOptions,
  handler?: Handler<IncomingResponse>,
): Promise<IncomingResponse> | void {
  if (typeof options === "function") return request(next, message, undefined, options);
  return complete(handler, (done) => {
    if (!(message instanceof Request)) {
      throw invalidArgument(
        "request sends an http.Request: make one by new http.Request({ … }) or http.Request.from(…)",
      );
    }
    // RFC 9112 3.2: a server refuses a request without Host.
    if (message.version >= 11 && !message.headers.has("Host")) {
      throw invalidArgument('The request has no Host: give it one by headers: { Host: "example.com" }');
    }
    if (options !== noOptions) checkOptions(requestOptions, options);
    const { buffer = new FlatBuffer(), timeouts = noOptions } = options;
    if (!(buffer instanceof FlatBuffer)) throw invalidArgument(`buffer must be a core.FlatBuffer, not ${show(buffer)}`);
    const clock = checkClock(options.clock);
    checkFunction("interim", options.interim);
    if (timeouts !== noOptions) checkOptions(timeoutOptions, timeouts);
    const patience = checkNumber("timeouts.continue", timeouts.continue, 1000);
    const operation = new RequestOperation(toByteStream(next), buffer, message, options, done);
    operation.start(clock, patience);
  });
}
