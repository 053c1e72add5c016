import {
  complete,
  coreError,
  promised,
  toByteStream,
  type ByteStream,
  type CloseInfo,
  type Handler,
  type NextLayer,
  type Peer,
  type Role,
  type ServalError,
} from "../core/index.ts";
import {
  checkObject,
  checkOptions,
  checkSignal,
  completeUnbound,
  currentContext,
  offAbort,
  onAbort,
  type AsyncContext,
  type Cancellation,
} from "../core/internal.ts";
import type { Request, Response } from "../http/index.ts";
import { Connection } from "./connection/connection.ts";
import { tell } from "./connection/tell.ts";
import { terminatedError } from "./connection/turns.ts";
import { closeCode } from "./frames/close-code.ts";
import { websocketError } from "./frames/errors.ts";
import { headOf, requestOf, responseOf } from "./handshake/head-text.ts";
import { MessageStream } from "./message-stream.ts";
import {
  acceptInput,
  attachInput,
  checkCompletion,
  checkHandshake,
  handlerOf,
  optionsOf,
  peerOf,
} from "./operations/arguments.ts";
import { checkClose } from "./options/control.ts";
import { ClientHandshake, inputOf, type UpgradeInput } from "./operations/client-handshake.ts";
import { misused } from "./operations/misused.ts";
import type { HandshakeResult } from "./operations/opening.ts";
import { ServerHandshake, type AcceptInput } from "./operations/server-handshake.ts";
import type { HandlersOf } from "./options/handlers.ts";
import { handshakeOptions } from "./options/of-operations.ts";
import type {
  AcceptOptions,
  AcceptSource,
  AttachOptions,
  CloseOptions,
  HandshakeOptions,
  OptionsOf,
} from "./options/options.ts";
import { Settings, streamOptions } from "./options/settings.ts";

/** The handlers among the options of a {@link Stream}. */
export interface Handlers<Data = unknown> extends HandlersOf<Stream<Data>> {}

/** Options of a {@link Stream}; sizes in bytes, times in milliseconds, Infinity for none. */
export interface StreamOptions<Data = unknown> extends OptionsOf<Stream<Data>, Data> {
  /** The peer's address, if the next layer does not have it. */
  peer?: Peer | undefined;
}

/** The close info of a connection that never opened. */
const neverOpen: CloseInfo = { code: closeCode.abnormal, reason: "", clean: false };

/**
 * A WebSocket over any stream of bytes (RFC 6455).
 *
 * It uses only the next layer's `ByteStream` operations. It has one owner, which either reads with {@link read} and
 * `for await` (pulled), or has a handler `message` in its options (pushed), never both. Operations that take a
 * completion handler as their last argument call it exactly once, and never inside the call; without one they return a
 * promise, which need not be awaited. With a handler misuse throws, else it rejects. Misuse by `write`, `writeSome`,
 * `ping`, `pong` or `close` whose promise nothing handles counts as a handler that rejects: `websocket.handler_failed`.
 */
export class Stream<Data = unknown> extends MessageStream {
  /** The layer below. Once the stream is open, nothing else may read from it or write to it. */
  readonly nextLayer: ByteStream;
  /** The `data` that the `upgrade` hook returned; the application may change it. */
  data: Data = undefined as Data;

  /** Typed without `Data`, so that `Stream<X>` is assignable to `Stream`. */
  readonly #settings: Settings<Stream>;
  /** The request, or its text until the application asks for the request; then it is parsed. */
  #request: Request | string | undefined;
  /** The response, or its text, in the same way. */
  #response: Response | string | undefined;
  /** As it was given, or once it was asked for. */
  #peer: Peer | undefined;
  #protocol = "";
  #opening: ServerHandshake | ClientHandshake | undefined;
  #started = false;
  #ended: CloseInfo | undefined;
  #closed: Promise<CloseInfo> | undefined;
  #waiting: ((info: CloseInfo) => void)[] | undefined;

  /**
   * Stands on `next`: a `ByteStream`, a Node `Duplex`, or a pair `{ readable, writable }` of Web streams. Nothing is
   * read or written before {@link accept} or {@link handshake}. Throws `core.invalid_argument` for invalid options.
   */
  constructor(next: NextLayer, options?: StreamOptions<Data>);
  /** With settings that were made once for many connections. @internal */
  constructor(next: NextLayer, settings: Settings<Stream<Data>, Data>, peer?: Peer);
  constructor(next: NextLayer, options: StreamOptions<Data> | Settings<Stream<Data>, Data> = {}, own?: Peer) {
    super();
    const isChecked = options instanceof Settings;
    if (!isChecked) checkOptions(streamOptions, options);
    const settings = isChecked ? options : new Settings<Stream<Data>, Data>(options);
    const peer = isChecked ? own : checkObject("peer", options.peer, "an object such as { address, port }");
    this.#settings = settings as unknown as Settings<Stream>;
    this.nextLayer = toByteStream(next);
    this.#peer = peer;
  }

  /**
   * Whether the application may already have the request, other than by a hook, and expect the same object again.
   * @internal
   */
  protected get isRequestSeen(): boolean {
    return true;
  }

  /** Called at the end of the connection, before handlers and promises. @internal */
  protected ended(_info: CloseInfo): void {}

  /** The peer's address, if it is known. */
  get peer(): Peer | undefined {
    return (this.#peer ??= peerOf(this.nextLayer));
  }

  /** The upgrade request, once it was received or sent; also of a failed handshake. */
  get request(): Request | undefined {
    if (typeof this.#request === "string") this.#request = requestOf(this.#request);
    return this.#request ?? this.#opening?.request;
  }

  /** For a client, the server's response; also of a failed handshake. */
  get response(): Response | undefined {
    if (typeof this.#response === "string") this.#response = responseOf(this.#response);
    return this.#response ?? this.#opening?.response;
  }

  /** The negotiated subprotocol; empty if none. */
  get protocol(): string {
    return this.#protocol;
  }

  /**
   * Fulfils when the connection has ended in any way and the transport is closed: with 1005 for a close frame without a
   * code, 1006 without a close frame or after a failed handshake. Never rejects.
   */
  get closed(): Promise<CloseInfo> {
    return (this.#closed ??= new Promise((resolve) => this.#onceClosed(resolve)));
  }

  /**
   * Performs the opening handshake as the server (RFC 6455 section 4.2). The request comes from the next layer; or from
   * bytes that the caller has received, which are copied before the call returns, and the next layer; or it is a
   * request that the caller has read, with the bytes after it as `buffered`. The bytes after the request are the first
   * frames.
   *
   * A valid upgrade is answered with 101 and opens the stream. Anything else completes with an error and, if it can
   * still be sent, a response that says why: 405 for `websocket.bad_method`, 426 for `websocket.bad_sec_version`, 431
   * for `websocket.buffer_overflow` and `http.field_limit`, 414 for `http.target_limit`, 501 for `http.method_limit`
   * and `http.unknown_transfer_coding`, 505 for `http.bad_version`, 500 for a hook that throws, the response of the
   * `upgrade` hook for `websocket.upgrade_declined`, and 400 for everything else. The transport is then torn down and
   * closed. Other errors: `websocket.closed` if the stream ends before the first byte, `http.partial_message` if it
   * ends later, `core.timeout` after `timeouts.handshake`, `core.aborted`, and the next layer's.
   *
   * A stream makes only one handshake: a second is `core.operation_pending` while the first is running, and
   * `websocket.already_started` afterwards.
   */
  accept(source?: AcceptSource, options?: AcceptOptions): Promise<void>;
  accept(options: AcceptOptions): Promise<void>;
  accept(handler: Handler): void;
  accept(source: AcceptSource | AcceptOptions, handler: Handler): void;
  accept(source: AcceptSource, options: AcceptOptions, handler: Handler): void;
  accept(...given: (AcceptSource | AcceptOptions | Handler | undefined)[]): Promise<void> | undefined {
    const handler = typeof given.at(-1) === "function" ? (given.pop() as Handler) : undefined;
    return completeUnbound(handler, (done) => {
      const [source, options] = given as [AcceptSource | AcceptOptions | undefined, AcceptOptions | undefined];
      if (given.length > 2) checkCompletion("accept", given[2]);
      this.#checkNew();
      this.#serve(acceptInput(source, options), done);
    });
  }

  /**
   * Performs the opening handshake as the client (RFC 6455 section 4.1): asks `host`, the value of Host, for `target`.
   *
   * Fails with `websocket.upgrade_declined` for a status other than 101, with the response in the error's `response`:
   * its body is cut after a second or 65,536 bytes, and that of a redirect is not waited for; for an invalid 101 with
   * `websocket.bad_http_version`, `no_upgrade`, `no_upgrade_websocket`, `no_connection`, `no_connection_upgrade`,
   * `no_sec_accept`, `bad_sec_accept`, `bad_sec_protocol`, `bad_sec_extensions`, and the `http` errors of a malformed
   * response; with `websocket.closed` and `http.partial_message` if the stream ends before it or inside it; with
   * `core.timeout` after `timeouts.handshake`; with `core.aborted`. The next layer is then closed. An invalid argument
   * is `core.invalid_argument`. A stream makes only one handshake, see {@link accept}.
   */
  handshake(host: string, target: string, options?: HandshakeOptions): Promise<void>;
  handshake(host: string, target: string, handler: Handler): void;
  handshake(host: string, target: string, options: HandshakeOptions, handler: Handler): void;
  handshake(
    host: string,
    target: string,
    ...given: (HandshakeOptions | Handler | undefined)[]
  ): Promise<void> | undefined {
    return completeUnbound(handlerOf(given), (done) => {
      const { protocols, headers, signal } = checkHandshake(optionsOf(given, handshakeOptions));
      this.#ask({ host, target, protocols, headers }, this.#settings.timeouts.client.handshake, signal, done);
    });
  }

  /** {@link handshake} as the last step of an attempt, whose limit takes the place of a deadline of its own. @internal */
  handshakeWithin(limit: Cancellation, upgrade: UpgradeInput): Promise<void> {
    return promised((done) => this.#ask(upgrade, Infinity, limit, done));
  }

  /**
   * Begins after an opening handshake that was made elsewhere: by a server of another library, by HTTP/2 (RFC 8441), or
   * not at all, if both sides know that they speak WebSocket. The stream is open when this returns; the handler `open`
   * and messages come after the call. `extensions` has the negotiated extensions, so the option `deflate` only says how
   * to compress. Throws `core.invalid_argument` for invalid options, and {@link accept}'s errors for a second
   * handshake.
   */
  attach(options: AttachOptions): void {
    this.#checkNew();
    const { role, request, response, data, result } = attachInput(options);
    this.#started = true;
    this.#request = request;
    this.#response = response;
    if (data !== undefined) this.data = data as Data;
    this.#open(role, result, currentContext());
  }

  /**
   * Closes gracefully (RFC 6455 section 7.1.2): sends queued messages, a Blob or list to its end, but no more of
   * another iterable or of a message in parts; then a close frame. Drops data received later, awaits the peer's close
   * frame, and tears the transport down; after `timeouts.handshake` it closes without the peer's. Completes when the
   * transport is closed, with no error but for misuse: {@link closed} has how it ended. Always allowed; during the handshake it
   * aborts that, and a stream that is already closing is not affected. A `signal` that aborts terminates it. Misuse is
   * `core.invalid_argument`: a code or reason that can't be sent.
   */
  close(options?: CloseOptions): Promise<void>;
  close(options: CloseOptions, handler: Handler): void;
  close(options: CloseOptions = {}, handler?: Handler): Promise<void> | undefined {
    let checked: ReturnType<typeof checkClose>;
    let signal: AbortSignal | undefined;
    try {
      checked = checkClose(options);
      signal = checkSignal(options.signal);
      // Other libraries take `close(code, reason)`.
      checkCompletion("close", handler);
    } catch (misuse) {
      if (typeof handler === "function") throw misuse;
      return misused(this.connection, misuse);
    }
    return complete(handler, (done) => {
      const { connection } = this;
      const terminate = (): void => this.terminate();
      if (connection === undefined || signal?.aborted === true) terminate();
      else connection.close(checked.code, checked.reason);
      if (signal !== undefined && this.#ended === undefined) onAbort(signal, terminate);
      // After the close, which may have ended the stream at once: nothing completes inside the call.
      this.#onceClosed(() => {
        if (signal !== undefined) offAbort(signal, terminate);
        tell(done, undefined, undefined);
      });
    });
  }

  /** Ends the connection now, without a close frame. Pending operations fail with `core.aborted`. Always allowed. */
  terminate(): void {
    const { connection } = this;
    if (connection !== undefined) connection.lost();
    else if (this.#opening !== undefined) this.#opening.abort(terminatedError());
    else {
      this.#started = true;
      this.nextLayer.close();
      // Outside of the call, which may be that of `close` with a handler.
      queueMicrotask(() => this.#end(neverOpen));
    }
  }

  /** Closes with 1000 and waits for the end: `await using ws = …`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** {@link accept} for a request that was read and arguments that are known to be valid. @internal */
  acceptRequest(request: Request, buffered: Uint8Array, done: Handler): void {
    this.#checkNew();
    this.#serve({ request, buffered: buffered.length === 0 ? [] : [buffered], signal: undefined }, done);
  }

  #serve(input: AcceptInput, done: Handler): void {
    const operation = new ServerHandshake(this.nextLayer, this.#settings, this, done);
    this.#start(operation, input);
  }

  #ask(upgrade: UpgradeInput, ms: number, signal: Cancellation | undefined, done: Handler): void {
    this.#checkNew();
    const operation = new ClientHandshake(this.nextLayer, inputOf(upgrade, ms, this.#settings), this, done);
    this.#start(operation, signal);
    this.#request = operation.head;
  }

  #start<Input>(operation: (ServerHandshake | ClientHandshake) & { start(input: Input): void }, input: Input): void {
    this.#opening = operation;
    try {
      operation.start(input);
    } catch (misuse) {
      this.#opening = undefined;
      throw misuse;
    }
    this.#started = true;
  }

  #checkNew(): void {
    if (this.#opening !== undefined) throw openingPending();
    if (this.#started) throw websocketError("websocket.already_started");
  }

  /** @internal */
  openingCompleted(error: ServalError | undefined, result: HandshakeResult | undefined): void {
    const opening = this.#opening!;
    const { request, response, context, done } = opening;
    this.#opening = undefined;
    if (request !== undefined) this.#request = request;
    this.#response = result === undefined ? response : response && (headOf(response) ?? response);
    if (result === undefined) {
      tell(done, error, undefined);
      return;
    }
    const role = opening instanceof ServerHandshake ? "server" : "client";
    if (role === "server") this.data = result.data as Data;
    this.#open(role, result, context, done);
  }

  /** @internal */
  openingEnded(): void {
    this.#end(neverOpen);
  }

  /** The handshake is done, here or elsewhere. */
  #open(role: Role, { protocol, deflate, rest }: HandshakeResult, context: AsyncContext, done?: Handler): void {
    this.#protocol = protocol;
    this.#compact();
    const opened = { role, deflate, context };
    const connection = new Connection<Stream>(this, this.nextLayer, opened, this.#settings, Stream.#onEnded);
    // The handlers get this object, which the connection was made with.
    this.connect(connection as unknown as Connection<unknown>);
    if (done !== undefined) tell(done, undefined, undefined);
    // After the completion, so that a promise's continuation too comes before the first message.
    connection.start(rest);
  }

  /** Saves memory: request and response stay as long as the connection, and are rarely used again. */
  #compact(): void {
    const request = this.#request;
    const { upgrade, decorate } = this.#settings.options;
    const isSeen = this.isRequestSeen || upgrade !== undefined || decorate !== undefined;
    if (typeof request === "object") {
      if (!isSeen) this.#request = headOf(request) ?? request;
      request.headers.compact();
    }
    if (typeof this.#response === "object") this.#response.headers.compact();
  }

  static readonly #onEnded = (ws: Stream, info: CloseInfo): void => ws.#end(info);

  #end(info: CloseInfo): void {
    if (this.#ended !== undefined) return;
    this.#ended = info;
    this.ended(info);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const each of waiting) each(info);
  }

  #onceClosed(callback: (info: CloseInfo) => void): void {
    const info = this.#ended;
    if (info === undefined) (this.#waiting ??= []).push(callback);
    else queueMicrotask(() => callback(info));
  }

  /** @internal */
  protected override get notOpen(): ServalError {
    return this.#opening === undefined ? websocketError("websocket.not_open") : openingPending();
  }
}

function openingPending(): ServalError {
  return coreError("core.operation_pending", { message: "The handshake is in progress: await it first" });
}
