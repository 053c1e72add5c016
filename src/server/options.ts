import type { Peer } from "../core/index.ts";
import { checkFunction, checkNumber, checkOptions, invalidArgument, optionSet } from "../core/internal.ts";
import type * as http from "../http/index.ts";
import type { AcceptTlsOptions, ListenOptions, TlsStream, Transport } from "../net/index.ts";
import { checkNames } from "../net/internal.ts";
import type { RateOptions, Timeouts, UpgradeAccepted, UpgradeHook } from "../websocket/index.ts";
import { streamOptionNames, type OptionsOf } from "../websocket/internal.ts";
import type { AdmissionOptions } from "./admission.ts";
import type { Origins } from "./origin.ts";
import type { ProxyOptions } from "./proxies.ts";
import type { ServerWebSocket } from "./server-websocket.ts";

/** Options of `serve` and `mount`: those of each connection's `Stream`, and those of the server. */
export interface ServerOptions<Data = unknown>
  extends OptionsOf<ServerWebSocket<Data>, Data, ServerWebSocket<Data | undefined>>, AdmissionOptions {
  /**
   * Handles a whole connection by reading from it: `for await (const message of ws) …`. When it returns, the connection
   * closes with 1000; when it throws, with 1011. Instead of the handler `message`.
   */
  connection?: ((ws: ServerWebSocket<Data>) => unknown) | undefined;
  /**
   * A socket has subscribed to a topic; and no longer is, since it has unsubscribed or ended. Called after the change,
   * within the call of `ws.subscribe` or `ws.unsubscribe`, and at the end before `close`. `server.subscribers(topic)`
   * then tells whether it is the first one, or was the last. A failure closes the connection with 1011 and goes to
   * `error`, or to the console once `close` has run; a drain waits for a promise.
   */
  subscribe?: ((ws: ServerWebSocket<Data>, topic: string) => unknown) | undefined;
  /** See `subscribe`. */
  unsubscribe?: ((ws: ServerWebSocket<Data>, topic: string) => unknown) | undefined;
  /**
   * The URL path whose upgrades are accepted, without a query, such as "/chat". Default: all paths. `serve` passes
   * upgrades of other paths to `fetch`, and answers 404 without it; `mount` leaves them to other listeners for
   * upgrades, and answers 404 if there are none.
   */
  path?: string | undefined;
  /**
   * The pages that may connect, besides those of the host that they connect to; others get 403. A client without Origin
   * is no browser, and may connect. Default none.
   */
  origins?: Origins | undefined;
  /**
   * Adds headers to every response of the handshake, after all others; the request is undefined if none could be read.
   * Changing headers of the handshake itself fails the handshake with 500.
   */
  decorate?(response: http.Response, request: http.Request | undefined): void;
  /** The proxies that are trusted to say which client a request comes from. Default none. */
  proxies?: ProxyOptions | undefined;
  /**
   * How fast each peer may send; false for no limit. Default `{ messages: 10_000, bytes: 64 MiB, burst: 2000 }`: a peer
   * that sends faster is slowed down.
   */
  rate?: RateOptions | false | undefined;
}

/**
 * Deadlines of `serve`, in milliseconds; Infinity for none. `header` bounds the head of each request. `handshake`
 * bounds what comes before the first request (PROXY header and TLS) and what follows a request for a WebSocket (the
 * hook `upgrade`, the 101). Set `keepAlive` longer than a proxy in front keeps its connections.
 */
export interface ServeTimeouts extends Partial<Timeouts>, http.ServeTimeouts {}

/**
 * The hook `upgrade` of a server whose sockets have data of a type: it accepts a request only with such data. A server
 * without the hook, or without a type, has no data; a type with undefined allows both.
 */
export type UpgradeRule<Data> = undefined extends Data
  ? unknown
  : {
      /** Accepts a request with data, or refuses it. */
      upgrade: (...given: Parameters<UpgradeHook>) => DataResult<Data> | Promise<DataResult<Data>>;
    };

/** What the hook `upgrade` returns if it must give data: an object that has them, or a response to refuse. */
export type DataResult<Data> = (UpgradeAccepted<Data> & { data: Data }) | http.Response | http.FetchResponse;

/** Options of `serve`; with a type for `ws.data`, `upgrade` must give it. */
export type ServeOptions<Data = unknown> = BaseServeOptions<Data> & UpgradeRule<Data>;

/** The options of `serve` one by one. */
export interface BaseServeOptions<Data = unknown> extends ServerOptions<Data> {
  /** The TCP port to listen on; 0 for any free one. Default 0. */
  port?: number | undefined;
  /** The address or name to listen on. Default: all addresses of the machine. */
  host?: string | undefined;
  /** The path of a Unix socket to listen on, instead of a port. */
  unix?: string | undefined;
  /** How many connections may wait to be accepted. Default 511; the operating system may have a lower limit. */
  backlog?: number | undefined;
  /**
   * What drives the connections, see {@link ListenOptions.transport}. `stats().transport` says which it is. Default: the
   * environment variable `SERVAL_TRANSPORT`, or else `"handle"` on Linux and `"socket"` elsewhere.
   */
  transport?: Transport | undefined;
  /**
   * Serves over TLS, with the options of `net.acceptTls`, such as `{ cert, key }`. `setSecureContext` changes them
   * later. Of the application protocols that a client offers (ALPN), `http/1.1` is selected, and a client that offers
   * only others is refused; `ALPNProtocols` or `ALPNCallback` select otherwise, but HTTP/1.1 is spoken in any case.
   */
  tls?: AcceptTlsOptions | undefined;
  /** With `tls`, whether connections without TLS are accepted too, on the same port. Default false. */
  plain?: boolean | undefined;
  /**
   * Whether each connection begins with a header of the PROXY protocol, which names the client: true if it is required,
   * "optional" if it may be absent. Only for servers that nobody but the proxy can reach: nothing proves what a header
   * says. Default false.
   */
  proxyProtocol?: boolean | "optional" | undefined;
  /**
   * Answers plain HTTP requests, with the standard types or an `http.Response`; bodies are streamed in both directions.
   * If it throws, the response is 500 and `fetchError` gets the error. Without this option the response is 426. See
   * {@link FetchHandler}.
   */
  fetch?: FetchHandler | undefined;
  /**
   * Called when `fetch`, or the body of its response, fails, with the error and the request; the client gets 500, or
   * the connection ends inside the response. By default the console shows the error. Errors of WebSockets go to the
   * handler `error` instead.
   */
  fetchError?: ((error: unknown, request: http.Request) => unknown) | undefined;
  /** See {@link ServeTimeouts}. */
  timeouts?: ServeTimeouts | undefined;
  /** The most bytes of a plain request's body; Infinity for no limit. Default 1 MiB. */
  maxBodySize?: number | undefined;
}

/**
 * A handler of plain HTTP requests, with the standard types; `info` has more about the request. `request.signal` aborts
 * when the client goes before it has its response, as `http.Exchange.signal` does. The response may also be an
 * `http.Response`, whose body can be a file. A Content-Length that it sets must be the body's length: then a stream is
 * not chunked, and one of another length ends in a reset. If the promise of `request.json()` or `request.formData()`
 * rejects since the body is malformed, and the handler rejects with its error, the response is 400.
 */
export type FetchHandler = (
  request: Request,
  info: FetchInfo,
) => Response | http.Response<http.Body> | Promise<Response | http.Response<http.Body>>;

/** What `fetch` gets besides the request. */
export interface FetchInfo {
  /** The client; behind trusted proxies, the one that they name. */
  readonly peer: Peer | undefined;
  /** What is known of the connection's TLS; undefined without TLS, also if a proxy has ended that. */
  readonly tls: TlsInfo | undefined;
  /**
   * Aborts when the server begins to drain, with a `core.aborted`, so that a response without an end, such as an event
   * stream, can end. If the handler rejects with the reason, or with an AbortError, the response is 503.
   */
  readonly signal: AbortSignal;
}

/** The TLS of a connection: the members of `net.TlsStream` that describe it. */
export type TlsInfo = Pick<
  TlsStream,
  "alpnProtocol" | "authorizationError" | "authorized" | "cipher" | "peerCertificate" | "protocol" | "servername"
>;

/** Options of `mount`; with a type for `ws.data`, `upgrade` must give it. */
export type MountOptions<Data = unknown> = ServerOptions<Data> & UpgradeRule<Data>;

const ofServer = [
  "connection",
  "subscribe",
  "unsubscribe",
  "path",
  "origins",
  "proxies",
  "maxConnections",
  "maxConnectionsPerAddress",
] as const;
const ofServe = [
  "port",
  "host",
  "unix",
  "backlog",
  "transport",
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

/** Refuses unknown options of `taker` with `core.invalid_argument`. */
export function checkServerOptions(taker: "serve" | "mount", options: object): void {
  checkOptions(taker === "serve" ? serveOptions : mountOptions, options);
}

/** The address to listen on. Throws `core.invalid_argument` if it is invalid. */
export function placeOf({
  port,
  host,
  unix,
  backlog,
  transport,
}: Pick<ServeOptions, "port" | "host" | "unix" | "backlog" | "transport">): ListenOptions {
  if (unix !== undefined && (port !== undefined || host !== undefined)) {
    throw invalidArgument("serve takes a port and host, or unix, the path of a Unix socket, not both");
  }
  checkNames({ host, unix });
  checkNumber("port", port, 0, { isWhole: true, most: 65_535 });
  return unix === undefined ? { port: port ?? 0, host, backlog, transport } : { unix, backlog, transport };
}

/**
 * Separates the deadlines of `serve` into those of WebSockets and those of requests. Throws `core.invalid_argument` for
 * other names.
 */
export function splitTimeouts(timeouts: ServeTimeouts = {}): {
  sockets: Partial<Timeouts>;
  requests: http.ServeTimeouts;
} {
  checkOptions(timeoutOptions, timeouts);
  const { header, body, write, keepAlive, ...sockets } = timeouts;
  return { sockets, requests: { header, body, write, keepAlive } };
}

/** The options of each connection's stream; `connection` runs when it opens. */
export function streamOptions<Data>(
  options: ServerOptions<Data>,
): OptionsOf<ServerWebSocket<Data>, Data, ServerWebSocket<Data | undefined>> {
  const others: readonly string[] = [...ofServer, ...ofServe];
  const stream: ReturnType<typeof streamOptions<Data>> = Object.fromEntries(
    Object.entries(options).filter(([name]) => !others.includes(name)),
  );
  stream.rate = options.rate === undefined ? defaultRate : options.rate;
  const { connection } = options;
  if (connection === undefined) return stream;
  checkFunction("connection", connection);
  if (stream.message !== undefined)
    throw invalidArgument("Use either the handler message or the handler connection, not both");
  stream.open = async (ws) => {
    await options.open?.(ws);
    await connection(ws);
    void ws.close();
  };
  return stream;
}
