import type { BufferSource, ByteStream, CloseInfo, Peer, ServalError } from "../core/index.ts";
import { Stream, type PreparedMessage, type PrepareOptions } from "../websocket/index.ts";
import type { Settings } from "../websocket/internal.ts";
import type { Place } from "./admission.ts";

/** What a socket needs from its server, and reports to it. */
export interface SocketOwner {
  subscribe(topic: string, ws: ServerWebSocket): boolean;
  unsubscribe(topic: string, ws: ServerWebSocket): boolean;
  /** Tells the application, after the change. */
  subscribed(topic: string, ws: ServerWebSocket): void;
  unsubscribed(topic: string, ws: ServerWebSocket): void;
  publish(
    topic: string,
    data: string | BufferSource | PreparedMessage,
    options: PrepareOptions | undefined,
    except: ServerWebSocket,
  ): number;
  /** The socket has ended, and can't subscribe any more. */
  leaving(ws: ServerWebSocket): void;
  /** Its subscriptions have ended too. */
  left(ws: ServerWebSocket, info: CloseInfo): void;
  /** Whether requests are shown to others. */
  readonly showsRequests: boolean;
}

const none: ReadonlySet<string> = new Set();

/**
 * A WebSocket of a server: a `Stream` that can subscribe to the server's topics. Its `peer` is the client, also behind
 * a trusted proxy.
 */
export class ServerWebSocket<Data = unknown> extends Stream<Data> {
  /** Whether the socket has opened. @internal */
  hasOpened = false;
  /** Its place among the connections of its address. @internal */
  readonly place: Place;
  readonly #owner: SocketOwner;
  #topics: Set<string> | undefined;

  /** @internal */
  constructor(
    next: ByteStream,
    settings: Settings<ServerWebSocket<Data>, Data>,
    owner: SocketOwner,
    peer: Peer | undefined,
    place: Place,
  ) {
    // Its handlers are called with this class, not with Stream.
    super(next, settings as unknown as Settings<Stream<Data>, Data>, peer);
    this.#owner = owner;
    this.place = place;
  }

  /** The topics that the socket is subscribed to; after its end, those that it was subscribed to then. */
  get topics(): ReadonlySet<string> {
    return this.#topics ?? none;
  }

  /**
   * Subscribes to a topic, until `unsubscribe` or the end. Returns false if it was already subscribed, or has ended.
   * Throws `core.invalid_argument` for a topic that is no string.
   */
  subscribe(topic: string): boolean {
    if (!this.#owner.subscribe(topic, this)) return false;
    (this.#topics ??= new Set()).add(topic);
    this.#owner.subscribed(topic, this);
    return true;
  }

  /**
   * Ends a subscription. Returns false if there was none. Throws `core.invalid_argument` for a topic that is no string:
   * the end of the socket ends all of them.
   */
  unsubscribe(topic: string): boolean {
    if (!this.#owner.unsubscribe(topic, this)) return false;
    this.#topics!.delete(topic);
    this.#owner.unsubscribed(topic, this);
    return true;
  }

  /** Publishes a message to the other subscribers of a topic; see `Server.publish`. */
  publish(topic: string, data: string | BufferSource | PreparedMessage, options?: PrepareOptions): number {
    return this.#owner.publish(topic, data, options, this);
  }

  /** A handler of its subscriptions has failed, which ends the connection. Returns false if it is not open. @internal */
  failed(error: ServalError): boolean {
    const { connection } = this;
    if (connection === undefined || connection.ended !== undefined) return false;
    connection.resumed(error);
    return true;
  }

  /** @internal */
  protected override get isRequestSeen(): boolean {
    return this.#owner.showsRequests;
  }

  /** @internal */
  protected override ended(info: CloseInfo): void {
    const owner = this.#owner;
    owner.leaving(this);
    // They stay in `topics`, for the handler `close`.
    for (const topic of this.#topics ?? none) if (owner.unsubscribe(topic, this)) owner.unsubscribed(topic, this);
    owner.left(this, info);
  }
}
