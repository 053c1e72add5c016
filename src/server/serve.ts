import { abortError, coreError, ServalError, type ByteStream, type Peer } from "../core/index.ts";
import { attentive, checkFunction, offAbort, onAbort, reportError, runReported } from "../core/internal.ts";
import type { Request, Response } from "../http/index.ts";
import { ServeSettings } from "../http/internal.ts";
import { listen, type AcceptTlsOptions, type Listener, type ListenOptions, type SocketStream } from "../net/index.ts";
import { uncounted, type Place } from "./admission.ts";
import { serveConnection, type ConnectionOwner } from "./connection.ts";
import type { DrainOptions, DrainReport } from "./drain.ts";
import { Hub, type PlainConnections } from "./hub.ts";
import { HubServer } from "./hub-server.ts";
import { Opening } from "./opening.ts";
import { checkServerOptions, placeOf, splitTimeouts, type FetchHandler, type ServeOptions } from "./options.ts";
import { checkPath } from "./path.ts";
import { tooMany, tooManyFromAddress } from "./refuse.ts";
import type { Server } from "./server.ts";
import { unixUrl } from "./unix-url.ts";

/**
 * Starts a server: WebSocket upgrades go to the handlers, or to `connection`, plain requests to `fetch`. Fulfils when
 * it listens. Rejects with `net.address_in_use` and the like if it can't, and with `core.invalid_argument` for invalid
 * options.
 */
export async function serve<Data = unknown>(options: ServeOptions<Data>): Promise<Server<Data>> {
  const server = new RunningServer<Data>(options);
  await server.listen(placeOf(options));
  return server;
}

class RunningServer<Data> extends HubServer<Data> implements Server<Data>, ConnectionOwner<Data>, PlainConnections {
  readonly hub: Hub<Data>;
  readonly http: ServeSettings;
  readonly fetch: FetchHandler | undefined;
  readonly path: string | undefined;
  readonly #opening: Opening;
  readonly #stopping = new AbortController();
  readonly #ending = new AbortController();
  /** How many connections are plain, including those that are opening. */
  #plain = 0;
  #listener!: Listener;

  constructor(options: ServeOptions<Data>) {
    super();
    checkServerOptions("serve", options);
    const { fetch, fetchError, path, maxBodySize, timeouts } = options;
    checkFunction("fetch", fetch);
    checkFunction("fetchError", fetchError);
    const { sockets, requests } = splitTimeouts(timeouts);
    this.hub = new Hub({ ...options, timeouts: sockets }, this);
    this.fetch = fetch;
    this.path = checkPath(path);
    this.#opening = new Opening(options);
    const { clock, maxHeaderSize, maxHeadersCount } = this.hub.settings;
    const limits = { maxHeaderSize, maxHeadersCount, maxBodySize };
    const error = (error: unknown, request: Request): void => {
      this.hub.counters.fetchFailed(error);
      if (fetchError === undefined) reportError(error);
      else runReported(() => fetchError(error, request));
    };
    this.http = new ServeSettings({ clock, ...limits, timeouts: requests, error });
  }

  async listen(place: ListenOptions): Promise<void> {
    this.#listener = await listen(place, (stream) => this.#accepted(stream));
    this.hub.transport = this.#listener.transport;
  }

  // ---- connections ----

  #accepted(stream: SocketStream): void {
    const { hub } = this;
    const { peer } = stream;
    hub.counters.accepted++;
    if (!hub.admission.hasRoom(hub.connections)) {
      hub.refused("maxConnections", peer);
      this.#refuse(stream, tooMany());
      return;
    }
    const place = this.#opening.namesClient ? uncounted : hub.enter(peer);
    if (place === undefined) {
      this.#refuse(stream, tooManyFromAddress());
      return;
    }
    this.#plain++;
    if (this.#opening.isNeeded) void this.#open(stream, place);
    else serveConnection(stream, this, place);
  }

  #refuse(stream: ByteStream, response: Response): void {
    // With TLS the client could not read a plain response.
    if (this.#opening.isNeeded) stream.close();
    else this.hub.refusals.refuse(stream, response);
  }

  /** Opens a connection that does not begin with a request, within `timeouts.handshake`. */
  async #open(stream: SocketStream, given: Place): Promise<void> {
    const { hub } = this;
    const { handshake } = hub.settings.timeouts.server;
    const deadline = new AbortController();
    // Before its first request nothing is lost.
    const abort = (): void => deadline.abort(abortError(this.stopping));
    onAbort(this.stopping, abort);
    const timer =
      handshake === Infinity
        ? undefined
        : attentive(hub.clock).setTimer(handshake, () => deadline.abort(coreError("core.timeout")));
    try {
      const opened = await this.#opening.open(stream, deadline.signal);
      const place = this.#opening.namesClient ? hub.enter(opened.peer) : given;
      if (place !== undefined) {
        serveConnection(opened, this, place);
        return;
      }
      opened.close();
      this.connectionLeft(false, undefined);
    } catch (error) {
      stream.close();
      given.leave();
      const { reason } = deadline.signal as { reason: unknown };
      const failure = (reason instanceof ServalError ? reason : error) as ServalError;
      // One that a drain ends here has lost nothing.
      this.connectionLeft(false, failure.condition === "aborted" ? undefined : failure);
    } finally {
      timer?.cancel();
      offAbort(this.stopping, abort);
    }
  }

  connectionLeft(isUpgraded: boolean, error: ServalError | undefined): void {
    this.#plain--;
    if (isUpgraded) return;
    if (error !== undefined && error.condition !== "aborted") this.hub.counters.failed(error, false);
    this.hub.plainLeft(error !== undefined);
  }

  get size(): number {
    return this.#plain;
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal;
  }

  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  stop(): void {
    this.#stopping.abort();
  }

  end(): void {
    this.#stopping.abort();
    this.#ending.abort();
  }

  // ---- the owner's view ----

  get url(): string {
    const { address, port, unix } = this.address;
    if (unix !== undefined) return unixUrl(unix, this.#opening.hasTls);
    // The unspecified address can be listened on, but not connected to.
    const host = address === "::" || address === "0.0.0.0" ? "localhost" : address!;
    return `${this.#opening.hasTls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  }

  get port(): number | undefined {
    return this.address.port;
  }

  get address(): Peer {
    return this.#listener.address();
  }

  setSecureContext(tls: AcceptTlsOptions): void {
    this.#opening.setSecureContext(tls);
  }

  async drain(options?: DrainOptions): Promise<DrainReport> {
    const report = this.hub.drain(options);
    // A proxy may have sent a request before it can notice that the server leaves, and may not send a POST again
    // (RFC 9110 section 9.2.2): so it is answered, as the last of its connection.
    this.http.keepsAlive = false;
    await this.#listener.close();
    return report;
  }
}
