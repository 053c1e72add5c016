import type { Stream, StreamOptions } from "../websocket/index.ts";

/** Options of `serve`, besides those of each connection's `Stream`. */
export interface ServeOptions<Data = unknown> extends StreamOptions<Data> {
  /** The TCP port to listen on; 0 for any that is free. Default 0. */
  port?: number | undefined;
  /** The address or name to listen on. Default all addresses of the machine. */
  host?: string | undefined;
  /** The path of a Unix socket to listen on, in the place of a port. */
  path?: string | undefined;
  /**
   * Handles a whole connection, pulled: `for await (const message of ws) …`. Returning closes with 1000, throwing with
   * 1011. In the place of the handler `message`.
   */
  connection?: ((ws: Stream<Data>) => unknown) | undefined;
  /**
   * Answers plain HTTP requests, with the standard types; bodies flow both ways as they are asked for. If it throws, the
   * answer is 500 and the error goes to the console. Without this option the answer is 426.
   */
  fetch?: ((request: Request) => Response | Promise<Response>) | undefined;
  /** The most bytes that the body of a plain request may have; Infinity for no limit. Default 1 MiB. */
  bodyLimit?: number | undefined;
}
