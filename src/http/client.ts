import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { complete, type Handler } from "../core/completion.ts";
import { FlatBuffer } from "../core/flat-buffer.ts";
import { toByteStream, type NextLayer } from "../core/next-layer.ts";
import type { OperationOptions } from "./abort.ts";
import type { IncomingBody } from "./incoming-body.ts";
import { RequestOperation } from "./request-operation.ts";
import type { Request } from "./request.ts";
import type { ResponseParserOptions } from "./response-parser.ts";
import type { Response } from "./response.ts";

/** Options of {@link request}. */
export interface RequestOptions
  extends
    OperationOptions,
    Pick<ResponseParserOptions, "bodyLimit" | "chunkExtensionLimit" | "fieldLimit" | "headerLimit"> {
  /**
   * Where bytes behind the response are left, and read first: the same one for all requests on a stream, and for whoever
   * takes over behind a 101 or a CONNECT. Default one of its own, whose bytes are lost.
   */
  buffer?: FlatBuffer | undefined;
  /** Is told of each interim response (1xx but 101), such as 103 (Early Hints). At most 8 are taken. */
  onInterim?: ((response: Response) => void) | undefined;
  /** How many milliseconds a request with `Expect: 100-continue` waits for that before it sends its body. Default 1,000. */
  continueTimeout?: number | undefined;
  /** Where time comes from. Default the platform's. */
  clock?: Clock | undefined;
}

/** A response as a client gets it: its body, if it has one, is read as it is asked for. */
export type IncomingResponse = Response<Uint8Array | IncomingBody>;

/**
 * Sends a request on a stream, and completes with the response once its head is there; its body is read from the stream
 * as it is asked for. The stream can be used for the next request when the body has been read to its end and
 * `response.keepAlive` holds. Fields are sent as they are (Host is yours to set); what frames the body is added.
 *
 * While the body of the request is sent, the response is read already: one of 400 or more that comes early ends the
 * sending, and the stream is closed behind the response. With `Expect: 100-continue` the body waits for the server's
 * word, so one that is not wanted is not sent.
 *
 * Completes never inside the call; without a handler, returns a promise. Fails with what `read` and `write` fail with,
 * with `http.interim_limit`, and with `core.aborted` where the signal fired, which also ends the reading of the body and
 * closes the stream. Behind a failure, the stream is closed.
 */
export function request(
  next: NextLayer,
  message: Request,
  options?: RequestOptions,
): Promise<IncomingResponse>;
export function request(next: NextLayer, message: Request, handler: Handler<IncomingResponse>): void;
export function request(
  next: NextLayer,
  message: Request,
  options: RequestOptions | undefined,
  handler: Handler<IncomingResponse>,
): void;
export function request(
  next: NextLayer,
  message: Request,
  options: RequestOptions | Handler<IncomingResponse> = {},
  handler?: Handler<IncomingResponse>,
): Promise<IncomingResponse> | void {
  if (typeof options === "function") return request(next, message, undefined, options);
  return complete(handler, (done) => {
    const { buffer = new FlatBuffer(), clock = systemClock, continueTimeout = 1000 } = options;
    const operation = new RequestOperation(toByteStream(next), buffer, message, options, done);
    operation.start(clock, continueTimeout);
  });
}
