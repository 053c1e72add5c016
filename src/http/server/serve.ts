import { complete, toByteStream, type ByteStream, type Handler, type NextLayer } from "../../core/index.ts";
import { invalidArgument } from "../../core/internal.ts";
import { ServerConnection } from "./server-connection.ts";
import { ServeSettings, type RequestHandler, type ServeOptions } from "./serve-options.ts";

/**
 * Serves HTTP/1.1 on one stream: reads requests, has the handler answer each, and writes the responses, in order, until
 * the client or a response ends the connection. It keeps connections alive, answers pipelined requests in order, sends
 * 100 (Continue) when a body that waits for it is asked for, reads the rest of unread bodies, and refuses
 * what it can't take with the status that says why: 400, 408, 413, 417, 431, 501, 505.
 *
 * Completes when the connection has ended, and its stream is closed, or is the handler's by `release`. Without a
 * completion handler, returns a promise. It completes with an error where that was not in good order: what was wrong with
 * a request (it has been answered), `http.partial_message`, `core.timeout`, `core.aborted` where the option `signal` has
 * fired, or the stream's error. A handler that fails is none: see the handler `error`. An operation of someone else's on
 * the stream is misuse, `core.operation_pending`: it throws where there is a completion handler.
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
  return complete(completed, (done) => {
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
