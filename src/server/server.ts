import type { BufferSource, Peer } from "../core/index.ts";
import type { AcceptTlsOptions } from "../net/index.ts";
import type { PreparedMessage, PrepareOptions } from "../websocket/index.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import type { ServerWebSocket } from "./server-websocket.ts";
import type { ServerStatistics } from "./statistics.ts";

/** All WebSockets of a server: the result of `mount`; that of `serve` has more. */
export interface MountedServer<Data = unknown> extends AsyncDisposable {
  /** The WebSockets that are opening, open or closing. One that is opening has no `data` yet. */
  readonly sockets: ReadonlySet<ServerWebSocket<Data | undefined>>;
  /** How many connections there are, including plain ones. */
  readonly connections: number;
  /**
   * Sends a message to all subscribers of a topic; returns how many it was sent to. It is framed once, and compressed
   * once for each size of window. It never waits: for a subscriber that is over its limit, the option `overflow`
   * decides about the message or the subscriber ("wait" drops the message here). Throws `core.invalid_argument` for
   * invalid data.
   */
  publish(topic: string, data: string | BufferSource | PreparedMessage, options?: PrepareOptions): number;
  /**
   * The subscribers of a topic now; `size` is their number. Do not keep the set: it is another one after the topic has
   * had no subscribers. Throws `core.invalid_argument` for a topic that is no string.
   */
  subscribers(topic: string): ReadonlySet<ServerWebSocket<Data>>;
  /** The counts since the start: connections, messages, refusals, and how often each limit was reached. */
  stats(): ServerStatistics;
  /**
   * Ends the server gracefully. It stops listening, answers new upgrades with 503 and Retry-After, and closes every
   * WebSocket with `code`, after its queued messages. Plain requests that still come on open connections are answered,
   * each as the last of its connection; when the WebSockets have ended, the connections do after the response being
   * made. Connections that remain at `timeout`, 30,000 ms by default, or when `signal` aborts, are cut off; so is a
   * WebSocket whose peer does not answer the close within `timeouts.handshake`. Messages that handlers send after the
   * close are dropped. Fulfils with the numbers of each outcome when all connections have ended and no handler is
   * running, at the latest at the timeout. A second call returns the same, and can only make it sooner. Rejects only
   * with `core.invalid_argument` for invalid options, before anything was done.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /**
   * Drains with a timeout of `timeouts.handshake`, 30,000 ms by default. Idempotent; also called by `await using`. It
   * rejects with `core.invalid_argument` for any argument, such as options, which `drain` takes.
   */
  close(): Promise<void>;
}

/** A running server. */
export interface Server<Data = unknown> extends MountedServer<Data> {
  /**
   * The address it listens on, for people, `connect` and `fetch`: `http://127.0.0.1:8080`, without the option `host`
   * `http://localhost:8080`, or `https:` with TLS; for a Unix socket, where only `connect` takes it,
   * `ws+unix:/path/to.sock:`, or `wss+unix:` with TLS. A target may follow.
   */
  readonly url: string;
  /** The TCP port; undefined for a Unix socket. */
  readonly port: number | undefined;
  /** The address and port, or the path, that it listens on. */
  readonly address: Peer;
  /**
   * Changes the certificate, and anything else of the option `tls`, for new connections; open ones stay as they are.
   * Like Node's `tls.Server.setSecureContext`. Throws `core.invalid_argument` for invalid options, and for a server
   * without TLS; then nothing has changed.
   */
  setSecureContext(tls: AcceptTlsOptions): void;
}
