import type { Peer } from "../core/index.ts";
import { checkFunction, checkNumber, checkOptions, invalidArgument, optionSet } from "../core/internal.ts";
import type * as http from "../http/index.ts";
import type { AcceptTlsOptions, ListenOptions } from "../net/index.ts";
import { checkNames } from "../net/internal.ts";
import type { RateOptions, Timeouts } from "../websocket/index.ts";
import { streamOptionNames, type OptionsOf } from "../websocket/internal.ts";
import type { AdmissionOptions } from "./admission.ts";
import type { Origins } from "./origin.ts";
import type { ProxyOptions } from "./proxies.ts";
import type { ServerWebSocket } from "./server-websocket.ts";

/** Options of `serve` and `mount`: those of each connection's `Stream`, and those of all together. */
export interface ServerOptions<Data = unknown> extends OptionsOf<ServerWebSocket<Data>, Data>, AdmissionOptions {
  /**
   * Handles a whole connection, pulled: `for await (const message of ws) …`. Returning closes with 1000, throwing with
   * 1011. In the place of the handler `message`.
   */
  connection?: ((ws: ServerWebSocket<Data>) => unknown) | undefined;
  /**
   * The path of the URL whose upgrades are taken, without a query, such as "/chat". Default all paths. `serve` gives
   * upgrades of other paths to `fetch`, and answers 404 without one; `mount` leaves them to others that listen for
   * upgrades, and answers 404 if nobody does.
   */
  path?: string | undefined;
  /**
   * Which pages may connect, besides those of the host that they connect to; others get 403. What sends no Origin is no
   * browser, and may connect. Default none.
   */
  origins?: Origins | undefined;
  /**
   * Adds headers to every response of the handshake, last of all; the request is undefined where none could be read.
   * What it changes of the handshake's own makes the handshake fail with 500.
   */
  decorate?(response: http.Response, request: http.Request | undefined): void;
  /** Which proxies are believed when they say whom a request comes from. Default none. */
  proxies?: ProxyOptions | undefined;
  /**
   * How fast each peer may send; false for as fast as it likes. Default `{ messages: 10_000, bytes: 64 MiB, burst: 2000 }`:
   * a peer that sends faster is slowed down.
   */
  rate?: RateOptions | false | undefined;
}

/**
 * Deadlines of `serve`, in milliseconds; Infinity for none. `header` bounds the head of each request, `handshake` what
 * comes before the first one (PROXY header and TLS) and after one that asks for a WebSocket (the hook `upgrade`, the 101).
 * Give `keepAlive` more than a proxy in front keeps its connections.
 */
export interface ServeTimeouts extends Partial<Timeouts>, http.ServeTimeouts {}

/** Options of `serve`. */
export interface ServeOptions<Data = unknown> extends ServerOptions<Data> {
  /** The TCP port to listen on; 0 for any that is free. Default 0. */
  port?: number | undefined;
  /** The address or name to listen on. Default all addresses of the machine. */
  host?: string | undefined;
  /** The path of a Unix socket to listen on, in the place of a port. */
  unix?: string | undefined;
  /** How many connections may wait to be accepted. Default 511; the operating system may have a lower limit. */
  backlog?: number | undefined;
  /** Has it speak TLS: the options of `net.acceptTls`, such as `{ cert, key }`. `setSecureContext` changes them later. */
  tls?: AcceptTlsOptions | undefined;
  /** With `tls`, whether connections without TLS are taken too, on the same port. Default false. */
  plain?: boolean | undefined;
  /**
   * Whether each connection begins with a header of the PROXY protocol, which names the client: true where one must,
   * "optional" where one may. For servers that nobody but the proxy can reach: nothing proves what a header says.
   * Default false.
   */
  proxyProtocol?: boolean | "optional" | undefined;
  /**
   * Answers plain HTTP requests, with the standard types; bodies flow both ways as they are asked for. If it throws, the
   * answer is 500 and `fetchError` gets the error. Without this option the answer is 426.
   */
  fetch?: FetchHandler | undefined;
  /**
   * Gets what `fetch`, or the body of its response, fails with, and the request; the client gets 500, or the connection
   * ends inside the response. By default the console gets it. The handler `error` is the WebSockets'.
   */
  fetchError?: ((error: unknown, request: http.Request) => unknown) | undefined;
  /** See {@link ServeTimeouts}. */
  timeouts?: ServeTimeouts | undefined;
  /** The most bytes that the body of a plain request may have; Infinity for no limit. Default 1 MiB. */
  maxBodySize?: number | undefined;
}

/** A handler of plain HTTP requests, with the standard types; `info` has what those can't say. */
export type FetchHandler = (request: Request, info: FetchInfo) => Response | Promise<Response>;

/** What a request does not say of itself. */
export interface FetchInfo {
  /** The client; behind trusted proxies the one that they name. */
  readonly peer: Peer | undefined;
}

/** Options of `mount`. */
export interface MountOptions<Data = unknown> extends ServerOptions<Data> {}

const ofServer = ["connection", "path", "origins", "proxies", "maxConnections", "maxConnectionsPerAddress"] as const;
const ofServe = [
  "port",
  "host",
  "unix",
  "backlog",
  "tls",
  "plain",
  "proxyProtocol",
  "fetch",
  "fetchError",
  "maxBodySize",
] as const;
const example = "{ message(ws, message) { … } }";
const serveOptions = optionSet("serve", [...streamOptionNames, ...ofServe, ...ofServer], example);
const mountOptions = optionSet("mount", [...streamOptionNames, ...ofServer], example);
const timeoutOptions = optionSet(
  "timeouts",
  ["handshake", "idle", "keepAlivePings", "header", "body", "write", "keepAlive"],
  "{ keepAlive: 10_000 }",
  ["serve"],
);

const defaultRate: RateOptions = { messages: 10_000, bytes: 64 * 1024 * 1024 };

/** Refuses what is not an option of `taker`. Throws `core.invalid_argument`. */
export function checkServerOptions(taker: "serve" | "mount", options: object): void {
  checkOptions(taker === "serve" ? serveOptions : mountOptions, options);
}

/** Where to listen. Throws `core.invalid_argument` for what is no place. */
export function placeOf({
  port,
  host,
  unix,
  backlog,
}: Pick<ServeOptions, "port" | "host" | "unix" | "backlog">): ListenOptions {
  if (unix !== undefined && (port !== undefined || host !== undefined)) {
    throw invalidArgument("serve takes a port and host, or unix, the path of a Unix socket, not both");
  }
  checkNames({ host, unix });
  checkNumber("port", port, 0, { isWhole: true, most: 65_535 });
  return unix === undefined ? { port: port ?? 0, host, backlog } : { unix, backlog };
}

/** The deadlines of `serve`: those of WebSockets, and those of requests. Throws `core.invalid_argument` for other names. */
export function splitTimeouts(timeouts: ServeTimeouts = {}): {
  sockets: Partial<Timeouts>;
  requests: http.ServeTimeouts;
} {
  checkOptions(timeoutOptions, timeouts);
  const { header, body, write, keepAlive, ...sockets } = timeouts;
  return { sockets, requests: { header, body, write, keepAlive } };
}

/** The options of each connection's stream; `connection` is run when it opens. */
export function streamOptions<Data>(options: ServerOptions<Data>): OptionsOf<ServerWebSocket<Data>, Data> {
  const others: readonly string[] = [...ofServer, ...ofServe];
  const stream: OptionsOf<ServerWebSocket<Data>, Data> = Object.fromEntries(
    Object.entries(options).filter(([name]) => !others.includes(name)),
  );
  stream.rate = options.rate === undefined ? defaultRate : options.rate;
  const { connection } = options;
  if (connection === undefined) return stream;
  checkFunction("connection", connection);
  if (stream.message !== undefined) throw invalidArgument("There can be a handler message or connection, not both");
  stream.open = async (ws) => {
    await options.open?.(ws);
    await connection(ws);
    void ws.close();
  };
  return stream;
}
