import type { BufferSource, ByteStream, Clock, CloseInfo, Peer, ServalError } from "../core/index.ts";
import {
  checkFunction,
  currentContext,
  invalidArgument,
  isPromise,
  reportError,
  runReported,
  type AsyncContext,
} from "../core/internal.ts";
import { Response, type Request } from "../http/index.ts";
import type { Transport } from "../net/index.ts";
import { prepare, PreparedMessage, type MessageData, type PrepareOptions } from "../websocket/index.ts";
import { checkSendOptions, sendOptions, Settings, thrownBy, type Observer } from "../websocket/internal.ts";
import { Admission, uncounted, type Place } from "./admission.ts";
import { backpressures, closes, handshakes, messages, opens, refusals } from "./channels.ts";
import { Drain, type DrainOptions, type DrainReport } from "./drain.ts";
import { DrainSignals } from "./fetch-info.ts";
import { streamOptions, type ServerOptions } from "./options.ts";
import { originRule, type OriginRule } from "./origin.ts";
import { clientOf, trusts, type ClientOf } from "./proxies.ts";
import { Refusals } from "./refuse.ts";
import { ServerWebSocket, type SocketOwner } from "./server-websocket.ts";
import { Counters, type Refusal, type ServerStatistics } from "./statistics.ts";
import { Topics } from "./topics.ts";

/** What a hub needs of plain connections. With `mount` these belong to the HTTP server. */
export interface PlainConnections {
  /** How many plain connections there are. */
  readonly size: number;
  /** Ends each after the request being answered. */
  stop(): void;
  /** Ends all now. */
  end(): void;
}

const nobody: ReadonlySet<never> = new Set<never>();

type SubscriptionHandler<Data> = (ws: ServerWebSocket<Data>, topic: string) => unknown;

const noPlain: PlainConnections = { size: 0, stop() {}, end() {} };

/**
 * What all WebSockets of a server share: settings, limits, topics, counters, and their end. Used by `serve` and
 * `mount`.
 */
export class Hub<Data> implements Observer<ServerWebSocket<Data>>, SocketOwner {
  readonly settings: Settings<ServerWebSocket<Data>, Data>;
  readonly admission: Admission;
  readonly counters: Counters = new Counters();
  /** The client that a request comes from. */
  readonly clientOf: ClientOf;
  /** Sockets from the beginning of their handshake to their end. */
  readonly sockets: Set<ServerWebSocket<Data>> = new Set();
  readonly plain: PlainConnections;
  readonly refusals: Refusals;
  /** What drives the connections; those of `mount` are Node's. */
  transport: Transport = "socket";
  readonly drainSignals: DrainSignals = new DrainSignals();
  /** How many handlers have an unsettled promise. */
  handlers = 0;
  readonly #isAllowed: OriginRule;
  readonly #isProxy: (peer: Peer) => boolean;
  readonly #topics = new Topics<ServerWebSocket<Data>>();
  readonly #onSubscribe: SubscriptionHandler<Data> | undefined;
  readonly #onUnsubscribe: SubscriptionHandler<Data> | undefined;
  /** The contexts of sockets, for these two; undefined without them. */
  readonly #contexts: WeakMap<ServerWebSocket<Data>, AsyncContext> | undefined;
  #drain: Drain | undefined;

  /** Throws `core.invalid_argument` for invalid options. */
  constructor(options: ServerOptions<Data>, plain: PlainConnections = noPlain) {
    this.settings = new Settings(streamOptions(options), this);
    this.admission = new Admission(options);
    this.refusals = new Refusals(this.clock, this.admission.most);
    this.clientOf = clientOf(options.proxies);
    this.#isProxy = trusts(options.proxies);
    this.plain = plain;
    this.#isAllowed = originRule(options.origins);
    this.#onSubscribe = options.subscribe;
    this.#onUnsubscribe = options.unsubscribe;
    checkFunction("subscribe", options.subscribe);
    checkFunction("unsubscribe", options.unsubscribe);
    if (options.subscribe !== undefined || options.unsubscribe !== undefined) this.#contexts = new WeakMap();
  }

  get clock(): Clock {
    return this.settings.clock;
  }

  get connections(): number {
    return this.plain.size + this.sockets.size;
  }

  // ---- opening ----

  /** Counts a connection of a client. If its address has too many, counts a refusal and returns undefined. */
  enter(client: Peer | undefined, request?: Request): Place | undefined {
    // A proxy's connections belong to many clients, and are counted when the client is known.
    if (client !== undefined && this.#isProxy(client)) return uncounted;
    const place = this.admission.enter(client);
    if (place === undefined) this.refused("maxConnectionsPerAddress", client, request);
    return place;
  }

  /** The refusal of a request to open a WebSocket, before its handshake; undefined if it is admitted. */
  refusal(request: Request, client: Peer | undefined): Response | undefined {
    if (this.#drain !== undefined) return this.drainingResponse(request, client);
    if (!this.#isAllowed(request)) {
      this.refused("origins", client, request);
      const origin = request.headers.first("Origin");
      const body = `Pages of the origin ${origin} may not connect to this server (see the option origins)\n`;
      return new Response({ status: 403, body });
    }
    return undefined;
  }

  /** The response to every request while the server drains. */
  drainingResponse(request: Request, client: Peer | undefined): Response {
    this.refused("draining", client, request);
    const headers = { "Retry-After": `${this.#drain!.secondsLeft}`, Connection: "close" };
    return new Response({ status: 503, headers, body: "The server is shutting down\n" });
  }

  /** Opens a WebSocket for an admitted request, with the bytes read after it. */
  upgrade(
    stream: ByteStream,
    request: Request,
    buffered: Uint8Array,
    client: Peer | undefined,
    place: Place = uncounted,
  ): void {
    const ws = new ServerWebSocket<Data>(stream, this.settings, this, client, place);
    this.sockets.add(ws);
    this.#contexts?.set(ws, currentContext());
    if (handshakes.hasSubscribers) handshakes.publish({ ws, request });
    ws.acceptRequest(request, buffered, (error) => {
      if (error !== undefined) this.#notOpened(ws, request, error);
      else this.#drain?.close(ws);
    });
  }

  get showsRequests(): boolean {
    return handshakes.hasSubscribers;
  }

  /** Counts a refusal, and reports it. */
  refused(reason: Refusal, peer: Peer | undefined, request?: Request, ws?: ServerWebSocket<Data>, error?: Error): void {
    this.counters.refused[reason]++;
    if (refusals.hasSubscribers) {
      refusals.publish({ reason, peer, request, ws, error });
    }
  }

  #notOpened(ws: ServerWebSocket<Data>, request: Request, error: ServalError): void {
    if (error.condition !== "aborted") this.counters.failed(error, false);
    if (error.condition === "closed" || error.condition === "transport") this.counters.abandoned++;
    const reason = refusalOf(error);
    if (reason !== undefined) this.refused(reason, ws.peer, request, ws, error);
    if (reason === "failed") this.#tell(ws, error);
  }

  /** Reports the failure of a hook, of which the peer sees only 500. */
  #tell(ws: ServerWebSocket<Data>, error: ServalError): void {
    const { error: handler } = this.settings.options;
    if (handler === undefined) reportError(error.cause ?? error);
    else runReported(() => handler(ws, error));
  }

  // ---- events of sockets ----

  opened(ws: ServerWebSocket<Data>): void {
    ws.hasOpened = true;
    this.counters.opened++;
    if (opens.hasSubscribers) opens.publish({ ws });
  }

  message(ws: ServerWebSocket<Data>, message: MessageData): void {
    if (messages.hasSubscribers) messages.publish({ ws, message });
  }

  backpressure(ws: ServerWebSocket<Data>): void {
    if (!backpressures.hasSubscribers) return;
    backpressures.publish({ ws, bufferedAmount: ws.bufferedAmount });
  }

  working(change: 1 | -1): void {
    this.handlers += change;
    if (this.handlers === 0) this.#drain?.look();
  }

  failed(_: ServerWebSocket<Data>, error: ServalError): void {
    this.counters.failed(error, true);
  }

  leaving(ws: ServerWebSocket<Data>): void {
    this.sockets.delete(ws);
  }

  /** A socket has ended, whether it had opened or not. */
  left(ws: ServerWebSocket<Data>, info: CloseInfo): void {
    ws.place.leave();
    if (!ws.hasOpened) {
      this.#drain?.plainLeft(true);
      return;
    }
    this.counters.ended(info.code, ws.stats());
    if (closes.hasSubscribers) closes.publish({ ws, ...info });
    this.#drain?.left(info.clean);
  }

  /** A plain connection has ended, `isCut` if before its last response was sent. */
  plainLeft(isCut: boolean): void {
    this.#drain?.plainLeft(isCut);
  }

  // ---- topics ----

  subscribe(topic: string, ws: ServerWebSocket<Data>): boolean {
    checkTopic(topic);
    return this.sockets.has(ws) && this.#topics.add(topic, ws);
  }

  unsubscribe(topic: string, ws: ServerWebSocket<Data>): boolean {
    checkTopic(topic);
    return this.#topics.delete(topic, ws);
  }

  subscribed(topic: string, ws: ServerWebSocket<Data>): void {
    if (this.#onSubscribe !== undefined) this.#tellOf(this.#onSubscribe, ws, topic);
  }

  unsubscribed(topic: string, ws: ServerWebSocket<Data>): void {
    if (this.#onUnsubscribe !== undefined) this.#tellOf(this.#onUnsubscribe, ws, topic);
  }

  #tellOf(handler: SubscriptionHandler<Data>, ws: ServerWebSocket<Data>, topic: string): void {
    const context = this.#contexts!.get(ws)!;
    const failed = (cause: unknown, hasClosed: boolean): void =>
      context.runInAsyncScope(() => this.#handlerFailed(ws, cause, hasClosed), undefined);
    try {
      const result = context.runInAsyncScope(handler, undefined, ws, topic);
      if (!isPromise(result)) return;
      // A drain waits for it.
      this.working(1);
      result.then(
        () => this.working(-1),
        (cause: unknown) => {
          this.working(-1);
          failed(cause, true);
        },
      );
    } catch (cause) {
      failed(cause, false);
    }
  }

  /** A handler of subscriptions has failed; `hasClosed`: if the socket has ended, its `close` has run. */
  #handlerFailed(ws: ServerWebSocket<Data>, cause: unknown, hasClosed: boolean): void {
    const error = thrownBy("websocket.handler_failed", cause);
    if (ws.failed(error)) return;
    this.counters.failed(error, true);
    // `close` is the last handler to run.
    if (hasClosed) reportError(cause);
    else this.#tell(ws, error);
  }

  subscribers(topic: string): ReadonlySet<ServerWebSocket<Data>> {
    checkTopic(topic);
    return this.#topics.of(topic) ?? nobody;
  }

  publish(
    topic: string,
    data: string | BufferSource | PreparedMessage,
    options: PrepareOptions | undefined,
    except?: ServerWebSocket,
  ): number {
    checkTopic(topic);
    if (options !== undefined) checkSendOptions(sendOptions, options, "publish");
    const message = data instanceof PreparedMessage ? data : prepare(data, options);
    const subscribers = this.#topics.of(topic);
    if (subscribers === undefined) return 0;
    const { overflow } = this.settings;
    let sent = 0;
    for (const ws of subscribers) {
      if (ws === except || !ws.isOpen) continue;
      const isFull = ws.isOverfull;
      // With "wait", one slow subscriber would delay the others.
      if (isFull && overflow === "wait") {
        this.counters.limits.maxBufferedAmount++;
        continue;
      }
      ws.send(message);
      if (!isFull) sent++;
    }
    return sent;
  }

  // ---- the server ----

  get isDraining(): boolean {
    return this.#drain !== undefined;
  }

  statistics(): ServerStatistics {
    const now = {
      transport: this.transport,
      connections: this.connections,
      sockets: this.sockets.size,
      topics: this.#topics.size,
      subscriptions: this.#topics.subscriptions,
    };
    const open = [...this.sockets].filter((ws) => ws.hasOpened);
    return this.counters.statistics(
      now,
      open.map((ws) => ws.stats()),
    );
  }

  /** Ends everything; another call can only make it sooner. */
  drain(options: DrainOptions | undefined): Promise<DrainReport> {
    if (this.#drain === undefined) {
      this.#drain = new Drain(this, options);
      // Not inside the application's call.
      queueMicrotask(() => this.drainSignals.abort());
    } else this.#drain.shorten(options);
    return this.#drain.report;
  }
}

/** The reason of a refusal, if the upgrade failed by one. */
function refusalOf({ code, condition }: ServalError): Refusal | undefined {
  if (code === "websocket.upgrade_declined") return "declined";
  // Other errors of HTTP can't come from the peer here, since its request has already been parsed.
  if (condition === "misuse" || (code.startsWith("http.") && code !== "http.unexpected_body")) return "failed";
  return condition === "handshake_failed" ? "malformed" : undefined;
}

function checkTopic(topic: string): void {
  if (typeof topic !== "string") throw invalidArgument(`A topic must be a string, not ${typeof topic}`);
}
