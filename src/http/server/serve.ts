import { toByteStream, type ByteStream, type Handler, type NextLayer } from "../../core/index.ts";
import { completeUnbound, invalidArgument } from "../../core/internal.ts";
import { ServerConnection } from "./server-connection.ts";
import { ServeSettings, type RequestHandler, type ServeOptions } from "./serve-options.ts";

/**
 * Serves HTTP/1.1 on one stream: reads requests, calls the handler for each, and writes the responses in order, until
 * the client or a response ends the connection. It keeps connections alive, answers pipelined requests in order, sends
 * 100 (Continue) when the body is first read, reads the rest of unread bodies, and refuses invalid requests with 400,
 * 408, 413, 414, 417, 431, 501 or 505.
 *
 * Completes when the connection has ended and its stream is closed, or released to the handler. Without a completion
 * handler, returns a promise. After an orderly end it completes without an error; otherwise with the error of a request
 * (which was answered), `http.partial_message`, `core.timeout`, `core.aborted` if the option `signal` has fired, or the
 * stream's error. A failure of the handler is not such an error: see the option `error`. An operation already in flight
 * on the stream is misuse, `core.operation_pending`; with a completion handler it throws.
 */
export function serve(next: NextLayer, handler: RequestHandler, completed: Handler): void;
export function serve(next: NextLayer, handler: RequestHandler, options?: ServeOptions): Promise<void>;
export function serve(
  next: NextLayer,
  handler: RequestHandler,
  options: ServeOptions | undefined,
  completed: Handler,
): void;
export function serve(
  next: NextLayer,
  handler: RequestHandler,
  options: ServeOptions | Handler = {},
  completed?: Handler,
): Promise<void> | void {
  if (typeof options === "function") return serve(next, handler, undefined, options);
  return completeUnbound(completed, (done) => {
    if (typeof handler !== "function")
      throw invalidArgument("serve takes a handler: a function from a request to a Response");
    serveBy(toByteStream(next), handler, new ServeSettings(options), options, done);
  });
}

/** {@link serve} for many connections with the same settings. */
export function serveBy(
  stream: ByteStream,
  handler: RequestHandler,
  settings: ServeSettings,
  options: Pick<ServeOptions, "buffered" | "signal" | "stop">,
  completed: Handler,
): void {
  new ServerConnection(stream, handler, settings, options, completed).start(options.buffered);
}
