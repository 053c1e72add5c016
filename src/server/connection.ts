import { FlatBuffer, type ByteStream, type ServalError, type Timer } from "../core/index.ts";
import { reportError, runReported } from "../core/report.ts";
import { hasToken, read, RequestParser, Response, write, type Request } from "../http/index.ts";
import { closeCode, Stream, type Settings } from "../websocket/index.ts";
import { answer, type Fetch } from "./plain-http.ts";

/** What a connection needs of its server. */
export interface ConnectionOwner<Data> {
  readonly settings: Settings<Stream<Data>, Data>;
  readonly fetch: Fetch | undefined;
  /** The connection has ended; its transport is closed. */
  ended(connection: Connection<Data>): void;
}

/** How many pipelined requests are answered before others have their turn. */
const mostInTurn = 32;

/**
 * One accepted connection: reads requests and answers them in order, until one becomes a WebSocket or the peer or the
 * server ends it.
 */
export class Connection<Data> {
  readonly #stream: ByteStream;
  readonly #owner: ConnectionOwner<Data>;
  readonly #buffer: FlatBuffer = new FlatBuffer();
  #parser: RequestParser | undefined;
  #ws: Stream<Data> | undefined;
  #timer: Timer | undefined;
  /** A request is being answered: it is finished before the connection is closed. */
  #answering = false;
  #closing = false;
  #ended = false;
  #answeredInTurn = 0;

  constructor(stream: ByteStream, owner: ConnectionOwner<Data>) {
    this.#stream = stream;
    this.#owner = owner;
  }

  /** Reads the next request. */
  readRequest(): void {
    this.#answering = false;
    this.#startDeadline();
    const parser = new RequestParser({ headerLimit: this.#owner.settings.handshakeBufferSize });
    this.#parser = parser;
    read(this.#stream, this.#buffer, parser, undefined, this.#onRequest);
  }

  /** Ends in an orderly way: a WebSocket with 1001, once it is open; HTTP behind the request that is being answered. */
  close(): void {
    this.#closing = true;
    if (this.#ws?.isOpen === true) void this.#ws.close({ code: closeCode.goingAway });
    else if (!this.#answering) this.#end();
    // An answer may take as long as it likes, but not the server's end.
    else if (this.#ws === undefined) this.#startDeadline();
  }

  readonly #onRequest = (error: ServalError | undefined, request: Request): void => {
    if (this.#ended) return;
    this.#stopDeadline();
    this.#answering = true;
    const received = this.#parser?.request;
    // An upgrade with a body is the handshake's to refuse.
    const isReadable = error === undefined || error.code === "http.unexpected_body";
    if (isReadable && received !== undefined && isWebSocket(received)) this.#upgrade(received);
    else if (error !== undefined) this.#refuse(error);
    else void answer(this.#owner.fetch, request).then((response) => this.#respond(response, request));
  };

  #upgrade(request: Request): void {
    const ws = new Stream<Data>(this.#stream, this.#owner.settings);
    this.#ws = ws;
    // It may live long, and has no more use for it.
    this.#parser = undefined;
    const buffered = this.#buffer.data();
    this.#buffer.clear();
    void ws.closed.then(() => this.#owner.ended(this));
    ws.accept(request, { buffered }, (error) => {
      if (error !== undefined && isOwn(error)) this.#tell(ws, error);
      if (this.#closing) this.close();
    });
  }

  /** A hook has failed: the peer was told nothing of it but 500. */
  #tell(ws: Stream<Data>, error: ServalError): void {
    const { error: handler } = this.#owner.settings.options;
    if (handler === undefined) reportError(error.cause ?? error);
    else runReported(() => handler(ws, error));
  }

  /** Answers a request that could not be read. */
  #refuse(error: ServalError): void {
    if (error.condition === "transport" || error.condition === "aborted" || error.condition === "closed") this.#end();
    else this.#respond(refusal(error), this.#parser?.request);
  }

  #respond(response: Response, request: Request | undefined): void {
    if (this.#ended) return;
    // Without a sound request before it, nobody can tell where the next one begins.
    const keepAlive =
      request?.keepAlive === true &&
      !this.#closing &&
      this.#parser?.hasBody !== true &&
      !hasToken(response.fields.joined("Connection"), "close");
    const omitBody = request?.method === "HEAD";
    if (!keepAlive) response.fields.set("Connection", "close");
    else if (request.version === 10) response.fields.set("Connection", "keep-alive");
    this.#startDeadline();
    try {
      write(this.#stream, response, { omitBody }, (error) => {
        this.#stopDeadline();
        if (error !== undefined) this.#end();
        else if (keepAlive && !this.#closing) this.#readNext();
        else this.#tearDown();
      });
    } catch {
      // fetch returned what HTTP can't carry.
      this.#end();
    }
  }

  /** Requests that have come in one read must not keep everybody else waiting until all are answered. */
  #readNext(): void {
    if (this.#buffer.size === 0 || ++this.#answeredInTurn < mostInTurn) {
      this.readRequest();
      return;
    }
    this.#answering = false;
    this.#answeredInTurn = 0;
    setImmediate(() => {
      if (!this.#ended) this.readRequest();
    });
  }

  /** Lets the peer read the response to its end before the transport goes. */
  #tearDown(): void {
    this.#startDeadline();
    this.#stream.teardown("server", () => this.#end());
  }

  #startDeadline(): void {
    const { clock, timeouts } = this.#owner.settings;
    this.#stopDeadline();
    if (timeouts.server.handshake !== Infinity)
      this.#timer = clock.setTimer(timeouts.server.handshake, () => this.#end());
  }

  #stopDeadline(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopDeadline();
    this.#buffer.clear();
    this.#stream.close();
    this.#owner.ended(this);
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

function refusal(error: ServalError): Response {
  const status = statusOf(error);
  return new Response({ status, body: `${status === 413 ? "Requests can't have a body here" : error.message}\n` });
}

function statusOf(error: ServalError): number {
  switch (error.code) {
    case "http.unexpected_body":
      return 413;
    case "http.header_limit":
    case "http.field_limit":
      return 431;
    case "http.bad_version":
      return 505;
    default:
      return 400;
  }
}
