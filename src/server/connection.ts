import type { ByteStream, ServalError } from "../core/index.ts";
import { reportError, runReported } from "../core/report.ts";
import {
  hasToken,
  IncomingBody,
  serveBy,
  type Body,
  type Exchange,
  type IncomingRequest,
  type Request,
  type Response,
  type ServeSettings,
} from "../http/index.ts";
import { closeCode, refuseUpgrade, Stream, type Settings } from "../websocket/index.ts";
import { answer, type Fetch } from "./plain-http.ts";

/** What a connection needs of its server. */
export interface ConnectionOwner<Data> {
  readonly settings: Settings<Stream<Data>, Data>;
  readonly http: ServeSettings;
  readonly fetch: Fetch | undefined;
  /** When it fires, a plain connection ends behind the request that is being answered. */
  readonly stopping: AbortSignal;
  /** When it fires, a plain connection ends at once. */
  readonly ending: AbortSignal;
  /** The connection has ended; its transport is closed. */
  ended(connection: Connection<Data>): void;
}

/** One accepted connection: answers requests in order, until one becomes a WebSocket or the peer or the server ends it. */
export class Connection<Data> {
  readonly #stream: ByteStream;
  readonly #owner: ConnectionOwner<Data>;
  #ws: Stream<Data> | undefined;
  #isClosing = false;

  constructor(stream: ByteStream, owner: ConnectionOwner<Data>) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** Begins to read requests. */
  start(): void {
    const { http, stopping, ending } = this.#owner;
    serveBy(this.#stream, this.#onRequest, http, { stop: stopping, signal: ending }, () => {
      // Released, it ends with its WebSocket.
      if (this.#ws === undefined) this.#owner.ended(this);
    });
  }

  /** Ends a WebSocket in an orderly way, with 1001, once it is open; the server's signals end the rest. */
  close(): void {
    this.#isClosing = true;
    if (this.#ws?.isOpen === true) void this.#ws.close({ code: closeCode.goingAway });
  }

  readonly #onRequest = (
    request: IncomingRequest,
    exchange: Exchange,
  ): Response<Body> | Promise<Response<Body>> | undefined => {
    if (!isWebSocket(request)) return answer(this.#owner.fetch, request);
    // What does not even ask for it is refused as what it is, and so is what has a body.
    if (!request.fields.has("Upgrade") || request.body instanceof IncomingBody) return refuseUpgrade(request);
    this.#upgrade(request, exchange);
    return undefined;
  };

  #upgrade(request: Request, exchange: Exchange): void {
    const ws = new Stream<Data>(this.#stream, this.#owner.settings);
    this.#ws = ws;
    const buffered = exchange.release();
    void ws.closed.then(() => this.#owner.ended(this));
    ws.accept(request, { buffered }, (error) => {
      if (error !== undefined && isOwn(error)) this.#tell(ws, error);
      if (this.#isClosing) this.close();
    });
  }

  /** A hook has failed: the peer was told nothing of it but 500. */
  #tell(ws: Stream<Data>, error: ServalError): void {
    const { error: handler } = this.#owner.settings.options;
    if (handler === undefined) reportError(error.cause ?? error);
    else runReported(() => handler(ws, error));
  }
}

/** Whether a request wants to be a WebSocket, well formed or not: if not, the handshake says what is wrong. */
function isWebSocket(request: Request): boolean {
  return request.fields.has("Sec-WebSocket-Key") || hasToken(request.fields.joined("Upgrade"), "websocket");
}

/** Whether a handshake failed by the application's hooks; of HTTP, the peer's part has been read without fault by then. */
function isOwn(error: ServalError): boolean {
  return error.condition === "misuse" || (error.code.startsWith("http.") && error.code !== "http.unexpected_body");
}
