import type { BufferSource, Peer } from "../core/index.ts";
import type { AcceptTlsOptions } from "../net/index.ts";
import type { PreparedMessage, PrepareOptions } from "../websocket/index.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import type { ServerWebSocket } from "./server-websocket.ts";
import type { ServerStatistics } from "./statistics.ts";

/** All WebSockets of a server: what `mount` gives, and `serve` with more. */
export interface MountedServer<Data = unknown> extends AsyncDisposable {
  /** The WebSockets that are opening, open or closing. */
  readonly sockets: ReadonlySet<ServerWebSocket<Data>>;
  /** How many connections there are, plain ones among them. */
  readonly connections: number;
  /**
   * Sends a message to all that are subscribed to a topic; returns to how many it was sent. It is framed once, and compressed once
   * for each size of window. Nobody waits: of a subscriber for whom it is too much, the option `overflow` says what
   * becomes of the message or the subscriber ("wait" drops it here). Throws `core.invalid_argument` for what is no message.
   */
  publish(topic: string, data: string | BufferSource | PreparedMessage, options?: PrepareOptions): number;
  /** How many are subscribed to a topic. */
  subscribers(topic: string): number;
  /** What has gone on since the start: connections, messages, refusals, and how often each limit took hold. */
  stats(): ServerStatistics;
  /**
   * Ends in good order. Listens no more, answers new requests with 503 and Retry-After, and closes every WebSocket with
   * `code`, after what is queued for it; plain connections end after the response that is being made. What is left at
   * `timeout`, 30,000 ms by default, or when `signal` aborts, is cut off; a WebSocket whose peer does not answer the close,
   * after `timeouts.handshake`. Fulfils with how many went which way, when all have ended and no handler is at work any
   * more, at the latest at the timeout. What handlers write after the close is not sent. A second call gets the same, and
   * may only make it sooner. Rejects for one reason alone, before anything was done: `core.invalid_argument`, for options
   * that can't be meant.
   */
  drain(options?: DrainOptions): Promise<DrainReport>;
  /** Drains with a timeout of `timeouts.handshake`, 30,000 ms by default. Idempotent; also `await using`. */
  close(): Promise<void>;
}

/** A running server. */
export interface Server<Data = unknown> extends MountedServer<Data> {
  /**
   * Where it listens, for people and for `fetch`: `http://127.0.0.1:8080`, `https:` with TLS; for a Unix socket `unix:` and
   * its path.
   */
  readonly url: string;
  /** The TCP port, or undefined for a Unix socket. */
  readonly port: number | undefined;
  /** The address and port, or the path, that it listens on. */
  readonly address: Peer;
  /**
   * Changes the certificate, and anything else of the option `tls`, for connections from now on; open connections stay as
   * they are. Node's `tls.Server.setSecureContext`. Throws `core.invalid_argument` for options of no use, and for a
   * server without TLS; then nothing has changed.
   */
  setSecureContext(tls: AcceptTlsOptions): void;
}
