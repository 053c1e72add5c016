import { invalidArgument } from "../core/errors.ts";
import type { Peer } from "../core/index.ts";
import { isPlainObject } from "../core/plain-object.ts";
import { ServeSettings } from "../http/index.ts";
import { listen, type Listener } from "../net/index.ts";
import { Settings, type Stream, type StreamOptions } from "../websocket/index.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import type { ServeOptions } from "./options.ts";
import type { Fetch } from "./plain-http.ts";

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens, for people and for `fetch`: `http://127.0.0.1:8080`; for a Unix socket `unix:` and its path. */
  readonly url: string;
  /** The TCP port, or undefined for a Unix socket. */
  readonly port: number | undefined;
  /** The address and port, or the path, that it listens on. */
  readonly address: Peer;
  /** How many connections are open. */
  readonly connections: number;
  /**
   * Stops listening and closes every connection: a WebSocket with 1001, a plain one behind the request that is being
   * answered. Fulfils when all have ended, which takes at most `timeouts.handshake`. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Starts a server: WebSocket upgrades go to the handlers, or to `connection`, plain requests to `fetch`. Fulfils once it
 * listens. Rejects with `net.address_in_use` and the like if it can't, with `core.invalid_argument` for options that
 * can't be meant.
 */
export async function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server> {
  const server = new RunningServer<Data>(options);
  await server.listen(options);
  return server;
}

class RunningServer<Data> implements Server, ConnectionOwner<Data> {
  readonly settings: Settings<Stream<Data>, Data>;
  readonly http: ServeSettings;
  readonly fetch: Fetch | undefined;
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  readonly #connections = new Set<Connection<Data>>();
  #listener!: Listener;
  #closing: Promise<void> | undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(options: ServeOptions<Data>) {
    this.settings = new Settings(streamOptions(options));
    this.fetch = options.fetch;
    const { clock, handshakeBufferSize, timeouts } = this.settings;
    const { handshake } = timeouts.server;
    this.http = new ServeSettings({
      clock,
      headerLimit: handshakeBufferSize,
      timeouts: { header: handshake, idle: handshake, write: handshake },
      bodyLimit: options.bodyLimit,
    });
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  async listen({ port, host, path }: ServeOptions<Data>): Promise<void> {
    if (path !== undefined && (port !== undefined || host !== undefined)) {
      throw invalidArgument("serve takes a path, or a port and host, not both");
    }
    const where = path === undefined ? { port: port ?? 0, ...(host === undefined ? {} : { host }) } : { path };
    this.#listener = await listen(where, (stream) => {
      const connection = new Connection<Data>(stream, this);
      this.#connections.add(connection);
      connection.start();
    });
  }

  get url(): string {
    const { address, port, path } = this.address;
    if (path !== undefined) return `unix:${path}`;
    // The unspecified address is one to listen on, not one to connect to.
    const host = address === "::" || address === "0.0.0.0" ? "localhost" : address!;
    return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  get port(): number | undefined {
    return this.address.port;
  }

  get address(): Peer {
    return this.#listener.address();
  }

  get connections(): number {
    return this.#connections.size;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  ended(connection: Connection<Data>): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#whenEmpty?.();
  }

  async #close(): Promise<void> {
    const stopped = this.#listener.close();
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    for (const connection of this.#connections) connection.close();
    this.#stopping.abort();
    // An answer may take as long as it likes, but not the server's end.
    const { clock, timeouts } = this.settings;
    const { handshake } = timeouts.server;
    const timer = handshake === Infinity ? undefined : clock.setTimer(handshake, () => this.#ending.abort());
    if (this.#connections.size > 0) await empty;
    timer?.cancel();
    await stopped;
  }
}

/** The options of each connection's stream; `connection` is run when it opens. */
function streamOptions<Data>(options: ServeOptions<Data>): StreamOptions<Data> {
  if (!isPlainObject(options)) throw invalidArgument("serve takes a plain object of options, such as { port: 8080 }");
  const { port: _port, host: _host, path: _path, fetch, bodyLimit: _bodyLimit, connection, ...stream } = options;
  if (fetch !== undefined && typeof fetch !== "function") throw invalidArgument("The option fetch must be a function");
  if (connection === undefined) return stream;
  if (typeof connection !== "function") throw invalidArgument("The option connection must be a function");
  if (stream.message !== undefined) throw invalidArgument("serve takes a message handler or connection, not both");
  const run = async (ws: Stream<Data>): Promise<void> => {
    await options.open?.(ws);
    await connection(ws);
    void ws.close();
  };
  return { ...stream, open: run };
}
