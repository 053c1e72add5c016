import {
  complete,
  coreError,
  promised,
  ServalError,
  toByteStream,
  type BufferSource,
  type ByteStream,
  type CloseInfo,
  type Handler,
  type NextLayer,
  type Peer,
  type Role,
} from "../core/index.ts";
import { checkOptions, checkSignal, invalidArgument, offAbort, onAbort, show } from "../core/internal.ts";
import type { Request, Response } from "../http/index.ts";
import { ServerHandshake } from "./operations/server-handshake.ts";
import {
  acceptInput,
  checkCompletion,
  checkHandshake,
  checkPart,
  checkSend,
  checkSendable,
  handlerOf,
  optionsOf,
} from "./operations/arguments.ts";
import { closeCode } from "./frames/close-code.ts";
import { websocketError } from "./frames/errors.ts";
import { opcode } from "./frames/frame.ts";
import { checkClose, checkControl } from "./options/control.ts";
import type { HandlersOf, MessageData } from "./options/handlers.ts";
import { ClientHandshake } from "./operations/client-handshake.ts";
import { Message } from "./operations/message.ts";
import type { HandshakeResult, OpeningOwner } from "./operations/opening.ts";
import type {
  AcceptOptions,
  AcceptSource,
  CloseOptions,
  ControlOptions,
  HandshakeOptions,
  OptionsOf,
  ReadOptions,
  SendOptions,
  WriteOptions,
} from "./options/options.ts";
import {
  checkKind,
  checkSendValues,
  closeOptions,
  controlOptions,
  handshakeOptions,
  readOptions,
  writeOptions,
} from "./options/of-operations.ts";
import { receive } from "./operations/receive.ts";
import { headOf, requestOf } from "./handshake/request-text.ts";
import { PreparedMessage, type WholeData } from "./protocol/prepared.ts";
import { Connection } from "./connection/connection.ts";
import type { ReceivedPart } from "./connection/delivery.ts";
import type { Opened } from "./connection/sending.ts";
import type { DataOpcode } from "./protocol/outgoing.ts";
import { Settings, streamOptions } from "./options/settings.ts";
import { writeSource, type MessageSource, type Sendable } from "./operations/source.ts";
import type { Statistics } from "./options/statistics.ts";
import { tell } from "./connection/tell.ts";
import { transmit } from "./operations/transmit.ts";

/** The handlers among the options of a {@link Stream}. */
export interface Handlers<Data = unknown> extends HandlersOf<Stream<Data>> {}

/** Options of a {@link Stream}; sizes in bytes, times in milliseconds, Infinity for none. */
export interface StreamOptions<Data = unknown> extends OptionsOf<Stream<Data>, Data> {
  /** The peer's address, where the next layer can't tell it. */
  peer?: Peer | undefined;
}

const nothing: Uint8Array = new Uint8Array(0);

/** How a connection ends that was never open. */
const neverOpen: CloseInfo = { code: closeCode.abnormal, reason: "", clean: false };

/**
 * A WebSocket over any stream of bytes (RFC 6455).
 *
 * Everything it does is made of the next layer's `readSome` and `writeSome`. It is used by one owner: pulled with
 * {@link read} and `for await`, or pushed to the handler `message` of its options, never both. Operations that take a
 * completion handler as their last argument call it exactly once, and never inside the call; without one they return a
 * promise, which need not be awaited.
 */
export class Stream<Data = unknown> {
  /** The layer below. Once the stream is open, nobody else may read from it or write to it. */
  readonly nextLayer: ByteStream;
  /** The peer's address, where it is known. */
  readonly peer: Peer | undefined;
  /** What the `upgrade` hook said of the connection; the application's to use. */
  data: Data = undefined as Data;

  /** Typed without `Data`, so that `Stream<X>` is assignable to `Stream`. */
  readonly #settings: Settings<Stream>;
  /** The request, or its text while the application has not asked for it: then it is parsed at the first look. */
  #request: Request | string | undefined;
  #response: Response | undefined;
  #protocol = "";
  #opening: ServerHandshake | ClientHandshake | undefined;
  #connection: Connection<Stream> | undefined;
  #started = false;
  /** The message whose parts are being read, if `nextMessage` gave it. */
  #message: Message | undefined;
  #ended: CloseInfo | undefined;
  #closed: Promise<CloseInfo> | undefined;
  #waiting: ((info: CloseInfo) => void)[] | undefined;

  /**
   * Stands on `next`: a `ByteStream`, a Node `Duplex`, or a pair `{ readable, writable }` of Web streams. Nothing is
   * read or written before {@link accept} or {@link handshake}. Throws `core.invalid_argument` for options that can't be meant.
   */
  constructor(next: NextLayer, options?: StreamOptions<Data>);
  /** With settings that were made once for many connections. @internal */
  constructor(next: NextLayer, settings: Settings<Stream<Data>, Data>, peer?: Peer);
  constructor(next: NextLayer, options: StreamOptions<Data> | Settings<Stream<Data>, Data> = {}, own?: Peer) {
    const isChecked = options instanceof Settings;
    if (!isChecked) checkOptions(streamOptions, options);
    const settings = isChecked ? options : new Settings<Stream<Data>, Data>(options);
    const peer = isChecked ? own : options.peer;
    this.#settings = settings as unknown as Settings<Stream>;
    this.nextLayer = toByteStream(next);
    this.peer = peer ?? peerOf(this.nextLayer);
  }

  /** Whether the application may have the request already, other than by a hook, and expect the same object again. @internal */
  protected get isRequestSeen(): boolean {
    return true;
  }

  /** Called at the end of the connection, before handlers and promises. @internal */
  protected ended(_info: CloseInfo): void {}

  /** The upgrade request, once it was received or sent; also of a handshake that failed. */
  get request(): Request | undefined {
    if (typeof this.#request === "string") this.#request = requestOf(this.#request);
    return this.#request ?? this.#opening?.request;
  }

  /** In the client role, the server's response to it; also of a handshake that failed. */
  get response(): Response | undefined {
    return this.#response ?? this.#opening?.response;
  }

  /** The subprotocol that was agreed on; empty if none. */
  get protocol(): string {
    return this.#protocol;
  }

  /** Whether messages can be sent and received: after the handshake, and until either side begins to close. */
  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  /** Whether the message last received was text. */
  get gotText(): boolean {
    return this.#connection?.protocol.incoming.isText === true;
  }

  /** How many bytes, frame headers included, wait to be sent. */
  get bufferedAmount(): number {
    return this.#connection?.bufferedAmount ?? 0;
  }

  /** What has gone over the connection, and how. Throws `websocket.not_open` before the handshake. */
  stats(): Statistics {
    return this.#opened().statistics;
  }

  /**
   * Fulfils once the connection has ended and the transport is closed, in whatever way: with 1005 for a close frame
   * without a code, 1006 where there was none or the handshake failed. Never rejects.
   */
  get closed(): Promise<CloseInfo> {
    return (this.#closed ??= new Promise((resolve) => this.#onceClosed(resolve)));
  }

  /**
   * Performs the opening handshake in the server role (RFC 6455 section 4.2). The request comes from the next layer;
   * or from bytes that the caller has received, which are copied before the call returns, and the next layer; or from
   * a request that the caller has read, with bytes it read past that as `buffered`. What is left of the bytes are the
   * first frames.
   *
   * A valid upgrade is answered with 101 and opens the stream. Anything else completes with an error and, where it can
   * still be sent, a response that says why: 405 for `websocket.bad_method`, 426 for `websocket.bad_sec_version`, 431
   * for `websocket.buffer_overflow`, 505 for `http.bad_version`, 500 for a hook that throws, what the `upgrade` hook returned for
   * `websocket.upgrade_declined`, and 400 for everything else. The transport is then torn down and closed. Other errors: `websocket.closed`
   * if the stream ends before the first byte, `http.partial_message` if it ends later, `core.timeout` after
   * `timeouts.handshake`, `core.aborted`, and the next layer's.
   *
   * One handshake for each stream, ever: a second is `core.operation_pending` while the first is running, and
   * `websocket.already_started` afterwards.
   */
  accept(source?: AcceptSource, options?: AcceptOptions): Promise<void>;
  accept(options: AcceptOptions): Promise<void>;
  accept(handler: Handler): void;
  accept(source: AcceptSource | AcceptOptions, handler: Handler): void;
  accept(source: AcceptSource, options: AcceptOptions, handler: Handler): void;
  accept(...given: (AcceptSource | AcceptOptions | Handler | undefined)[]): Promise<void> | undefined {
    const handler = typeof given.at(-1) === "function" ? (given.pop() as Handler) : undefined;
    return complete(handler, (done) => {
      const [source, options] = given as [AcceptSource | AcceptOptions | undefined, AcceptOptions | undefined];
      if (given.length > 2) checkCompletion("accept", given[2]);
      this.#accept(source, options, done);
    });
  }

  /**
   * Performs the opening handshake in the client role (RFC 6455 section 4.1): asks `host`, the value of Host, for `target`.
   *
   * Fails with `websocket.upgrade_declined` for a status other than 101, with the whole response in the error's
   * `response`; for a 101 that is wrong with `websocket.bad_http_version`, `no_upgrade`, `no_upgrade_websocket`,
   * `no_connection`, `no_connection_upgrade`, `no_sec_accept`, `bad_sec_accept`, `bad_sec_protocol`,
   * `bad_sec_extensions`, and the `http` errors of a malformed one; `websocket.closed` and `http.partial_message` where
   * the stream ends before it or inside it; `core.timeout` after `timeouts.handshake`; `core.aborted`. The next layer is
   * then closed. What can't be asked for is `core.invalid_argument`. One handshake for each stream, as {@link accept}
   * says.
   */
  handshake(host: string, target: string, options?: HandshakeOptions): Promise<void>;
  handshake(host: string, target: string, handler: Handler): void;
  handshake(host: string, target: string, options: HandshakeOptions, handler: Handler): void;
  handshake(
    host: string,
    target: string,
    ...given: (HandshakeOptions | Handler | undefined)[]
  ): Promise<void> | undefined {
    return complete(handlerOf(given), (done) => {
      this.#handshake(host, target, optionsOf<HandshakeOptions>(given, handshakeOptions), done);
    });
  }

  /**
   * Receives the next message: a string for text, bytes for binary. One at a time (`core.operation_pending`). At the end
   * of the connection it fails with `websocket.closed`, whose `close` says how; with the violation, limit or transport
   * error that ended it otherwise. Not for a stream with a `message` handler (`websocket.pushed`).
   */
  read(options?: ReadOptions): Promise<MessageData>;
  read(handler: Handler<MessageData>): void;
  read(options: ReadOptions, handler: Handler<MessageData>): void;
  read(...given: (ReadOptions | Handler<MessageData> | undefined)[]): Promise<MessageData> | undefined {
    return this.#receive<MessageData>("read", given, false, (connection, done) => connection.read(done));
  }

  /**
   * Receives the next bytes of a message, as they come, with its kind and whether it ends with them: so a message of any
   * size flows through, also a compressed one, in pieces of at most 64 KiB. Otherwise as {@link read}. Before the end of
   * the message `read` is `websocket.message_in_progress`.
   */
  readSome(options?: ReadOptions): Promise<ReceivedPart>;
  readSome(handler: Handler<ReceivedPart>): void;
  readSome(options: ReadOptions, handler: Handler<ReceivedPart>): void;
  readSome(...given: (ReadOptions | Handler<ReceivedPart> | undefined)[]): Promise<ReceivedPart> | undefined {
    return this.#receive<ReceivedPart>("readSome", given, true, (connection, done) => connection.readSome(done));
  }

  /**
   * Receives the beginning of the next message: its kind, and its parts as they come. What is unread of the message before
   * is dropped. Otherwise as {@link read}.
   */
  nextMessage(options?: ReadOptions): Promise<Message>;
  nextMessage(handler: Handler<Message>): void;
  nextMessage(options: ReadOptions, handler: Handler<Message>): void;
  nextMessage(...given: (ReadOptions | Handler<Message> | undefined)[]): Promise<Message> | undefined {
    return this.#receive<Message>("nextMessage", given, false, (connection, done) => {
      if (connection.protocol.incoming.isInParts) throw websocketError("websocket.message_in_progress");
      const begun: Handler<ReceivedPart> = (error, part) => {
        if (error !== undefined) done(error, undefined as unknown as Message);
        else done(undefined, (this.#message = new Message(part, connection)));
      };
      connection.readSome(begun);
      return begun;
    });
  }

  /**
   * Receives messages until the connection ends: normally after a clean close, with the error that {@link read} would
   * give otherwise. Leaving the loop leaves the connection open.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageData> {
    const next = (done: Handler<IteratorResult<MessageData>>): void => {
      this.read((error, value) => {
        if (error === undefined) done(undefined, { done: false, value });
        else done(error.close?.clean === true ? undefined : error, { done: true, value: undefined });
      });
    };
    const iterator: AsyncIterableIterator<MessageData> = {
      next: () => promised(next),
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /**
   * Sends a message: text for a string; binary for an `ArrayBuffer`, a view of one, or a list of these, which are not
   * joined; what {@link prepare} made. A `Blob`, and an iterable, sync or async, give the parts of one message, each read
   * when it is its message's turn and there is room for it. A Blob is binary, an iterable what its first part is, a {@link Message} that is passed on
   * what it was.
   *
   * Completes when less than `highWaterMark` waits to be sent; with `websocket.closed`, or what ended the connection, if it
   * can't be sent; with `websocket.queue_overflow` where `overflow` says so; with `websocket.source_failed` for a Blob or an
   * iterable that fails, which ends the connection if its message had begun.
   *
   * Writers may overlap: messages leave whole, in the order of the calls. Bytes up to 16 KiB are copied at the call; more
   * must not change until the write has settled.
   */
  write(data: Sendable, options?: WriteOptions): Promise<void>;
  write(data: Sendable, handler: Handler): void;
  write(data: Sendable, options: WriteOptions, handler: Handler): void;
  write(data: Sendable, ...given: (WriteOptions | Handler | undefined)[]): Promise<void> | undefined {
    // Checked at once: the caller may not await the promise.
    const options = optionsOf<WriteOptions>(given, writeOptions);
    const signal = checkSignal(options?.signal);
    return transmit(
      this.#connection ?? this.#notOpen,
      (connection) => {
        if (options !== undefined) checkSendValues(options);
        const whole = checkSendable(data);
        if (whole === undefined) return writeSource(connection, data as MessageSource | Blob, options);
        return connection.write(codeOf(whole, options), whole, options?.compress !== false, signal !== undefined);
      },
      signal,
      handlerOf(given),
    );
  }

  /**
   * Sends the next part of a message, the last one with `final`: so a message need not be there as a whole, nor fit into
   * memory. The first part says what the message is; the message keeps its place, and others wait until it is finished.
   * Otherwise as {@link write}; but a `signal` that aborts after the call gives only the wait up, and the part is sent.
   */
  writeSome(data: string | BufferSource, final: boolean, options?: WriteOptions): Promise<void>;
  writeSome(data: string | BufferSource, final: boolean, handler: Handler): void;
  writeSome(data: string | BufferSource, final: boolean, options: WriteOptions, handler: Handler): void;
  writeSome(
    data: string | BufferSource,
    final: boolean,
    ...given: (WriteOptions | Handler | undefined)[]
  ): Promise<void> | undefined {
    const options = optionsOf<WriteOptions>(given, writeOptions, "writeSome");
    return transmit(
      this.#connection ?? this.#notOpen,
      (connection) => {
        if (options !== undefined) checkSendValues(options);
        if (typeof final !== "boolean") throw invalidArgument(`final must be true or false, not ${show(final)}`);
        return connection.writeSome(codeOf(data, options), checkPart(data), final, options?.compress !== false);
      },
      checkSignal(options?.signal),
      handlerOf(given),
    );
  }

  /**
   * Queues a message, of all that {@link write} takes, and returns whether there is room for more: false once
   * `highWaterMark` is reached (the message is queued all the same, and `drain` will be called), and when the stream is
   * closing or closed (then it is not). Bytes up to 16 KiB are copied; more must not change any more. A Blob counts at
   * once, what an iterable gives when it is read; one that fails ends the connection with `websocket.source_failed`, since no
   * caller is waiting. Throws `websocket.not_open` before the handshake.
   */
  send(data: Sendable, options?: SendOptions): boolean;
  send(data: Sendable, options?: SendOptions, callback?: undefined): boolean {
    if (options !== undefined || callback !== undefined) checkSend(options, callback);
    const whole = checkSendable(data);
    const connection = this.#opened();
    if (whole !== undefined) return connection.send(codeOf(whole, options), whole, options?.compress !== false);
    const queued = writeSource(connection, data as MessageSource | Blob, options);
    if (queued instanceof ServalError && queued.code === "websocket.source_failed") throw queued;
    return connection.hasRoomAfter(queued);
  }

  /**
   * Sends a ping with up to 125 bytes (RFC 6455 section 5.5.2); completes as {@link write} does. A `signal` that aborts
   * gives the wait up.
   */
  ping(payload?: string | BufferSource, options?: ControlOptions): Promise<void>;
  ping(payload: string | BufferSource, handler: Handler): void;
  ping(payload: string | BufferSource, options: ControlOptions, handler: Handler): void;
  ping(
    payload: string | BufferSource = nothing,
    ...given: (ControlOptions | Handler | undefined)[]
  ): Promise<void> | undefined {
    return this.#control("ping", payload, given);
  }

  /** Sends a pong that answers no ping, with up to 125 bytes (RFC 6455 section 5.5.3); otherwise as {@link ping}. */
  pong(payload?: string | BufferSource, options?: ControlOptions): Promise<void>;
  pong(payload: string | BufferSource, handler: Handler): void;
  pong(payload: string | BufferSource, options: ControlOptions, handler: Handler): void;
  pong(
    payload: string | BufferSource = nothing,
    ...given: (ControlOptions | Handler | undefined)[]
  ): Promise<void> | undefined {
    return this.#control("pong", payload, given);
  }

  /**
   * Closes in an orderly way (RFC 6455 section 7.1.2): sends what is queued, a Blob or list to its end, but no more of another iterable
   * or of a message in parts, then a close frame; drops data that still comes, awaits the peer's close frame, tears the transport down; after `timeouts.handshake` closes it all the same.
   * Completes when the transport is closed, never with an error: {@link closed} says how it ended. Always allowed; during
   * the handshake it aborts that, and a stream that is closing goes on as it was. A `signal` that aborts terminates it.
   * Throws `core.invalid_argument` for a code or reason that can't be sent.
   */
  close(options?: CloseOptions): Promise<void>;
  close(options: CloseOptions, handler: Handler): void;
  close(options: CloseOptions = {}, handler?: Handler): Promise<void> | undefined {
    if (handler !== undefined && typeof handler !== "function") {
      // `close(code, reason)` is what other libraries take.
      checkOptions(closeOptions, options);
      checkCompletion("close", handler);
    }
    return complete(handler, (done) => {
      const { code, reason } = checkClose(options);
      const signal = checkSignal(options.signal);
      const terminate = (): void => this.terminate();
      if (this.#connection === undefined || signal?.aborted === true) terminate();
      else this.#connection.close(code, reason);
      if (signal !== undefined && this.#ended === undefined) onAbort(signal, terminate);
      // After that, which may have ended the stream at once: nothing completes inside the call.
      this.#onceClosed(() => {
        if (signal !== undefined) offAbort(signal, terminate);
        tell(done, undefined, undefined);
      });
    });
  }

  /** Ends the connection now, without a close frame. What is pending fails with `core.aborted`. Always allowed. */
  terminate(): void {
    const aborted = coreError("core.aborted", { message: "The WebSocket was closed on this side" });
    if (this.#connection !== undefined) this.#connection.lost(aborted);
    else if (this.#opening !== undefined) this.#opening.abort(aborted);
    else {
      this.#started = true;
      this.nextLayer.close();
      // Outside of the call: it may be that of `close`, with a handler.
      queueMicrotask(() => this.#end(neverOpen));
    }
  }

  /** Closes with 1000 and waits for the end: `await using ws = …`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(source: AcceptSource | AcceptOptions | undefined, options: AcceptOptions | undefined, done: Handler): void {
    this.#checkNew();
    const input = acceptInput(source, options);
    const operation = new ServerHandshake(this.nextLayer, this.#settings, this.peer, this.#ownerOf("server", done));
    this.#start(operation, () => operation.start(input));
  }

  #handshake(host: string, target: string, options: HandshakeOptions | undefined, done: Handler): void {
    this.#checkNew();
    const { protocols, headers, signal } = checkHandshake(options);
    const { maxHeaderSize, deflate, timeouts, clock, options: hooks } = this.#settings;
    const { handshake: handshakeMs } = timeouts.client;
    const decorate = hooks.decorate && ((request: Request): unknown => hooks.decorate!(request, undefined));
    const operation = new ClientHandshake(
      this.nextLayer,
      { host, target, protocols, headers, deflate, decorate, maxHeaderSize, handshakeMs, clock },
      this.#ownerOf("client", done),
    );
    this.#start(operation, () => operation.start(signal));
  }

  #checkNew(): void {
    if (this.#opening !== undefined) throw openingPending();
    if (this.#started) throw websocketError("websocket.already_started");
  }

  #ownerOf(role: Role, done: Handler): OpeningOwner {
    return {
      completed: (error, result) => this.#completed(role, error, result, done),
      ended: () => this.#end(neverOpen),
    };
  }

  #start(operation: ServerHandshake | ClientHandshake, start: () => void): void {
    this.#started = true;
    this.#opening = operation;
    try {
      start();
    } catch (misuse) {
      this.#started = false;
      this.#opening = undefined;
      throw misuse;
    }
  }

  #completed(role: Role, error: ServalError | undefined, result: HandshakeResult | undefined, done: Handler): void {
    const { request, response } = this.#opening!;
    this.#opening = undefined;
    this.#request = request;
    this.#response = response;
    if (result === undefined) {
      tell(done, error, undefined);
      return;
    }
    if (role === "server") this.data = result.data as Data;
    this.#protocol = result.protocol;
    this.#compact();
    const opened: Opened = { role, deflate: result.deflate };
    this.#connection = new Connection<Stream>(this, this.nextLayer, opened, this.#settings, Stream.#onEnded);
    tell(done, undefined, undefined);
    // After the completion, so that a promise's continuation too comes before the first message.
    this.#connection.start(result.rest);
  }

  /** Saves memory: request and response stay as long as the connection, and are rarely looked at again. */
  #compact(): void {
    const request = this.request;
    const { upgrade, decorate } = this.#settings.options;
    const isSeen = this.isRequestSeen || upgrade !== undefined || decorate !== undefined;
    if (request !== undefined && !isSeen) this.#request = headOf(request) ?? request;
    request?.headers.compact();
    this.#response?.headers.compact();
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

  #opened(): Connection<Stream> {
    if (this.#connection !== undefined) return this.#connection;
    throw this.#notOpen;
  }

  get #notOpen(): ServalError {
    return this.#opening === undefined ? websocketError("websocket.not_open") : openingPending();
  }

  /** Receives the rest of the message before (`goesOn`), or drops that rest and receives what follows. */
  #receive<Result>(
    taker: string,
    given: (ReadOptions | Handler<Result> | undefined)[],
    goesOn: boolean,
    start: (connection: Connection<Stream>, done: Handler<Result>) => unknown,
  ): Promise<Result> | undefined {
    return complete(handlerOf<Result>(given), (done) => {
      const signal = checkSignal(optionsOf<ReadOptions>(given, readOptions, taker)?.signal);
      const connection = this.#opened();
      const message = this.#message;
      const skips = !goesOn && message !== undefined && connection.protocol.incoming.isInParts;
      const startWanted = (wanted: Handler<Result>): unknown => {
        const waiting = start(connection, wanted);
        // Only now: misuse changes nothing, and a read that is given up before leaves the rest to be dropped by the next.
        this.#message = undefined;
        return waiting;
      };
      receive(connection, { skips, signal }, startWanted, done);
      if (signal?.aborted !== true) message?.leave();
    });
  }

  #control(
    taker: "ping" | "pong",
    payload: string | BufferSource,
    given: readonly unknown[],
  ): Promise<void> | undefined {
    return transmit(
      this.#connection ?? this.#notOpen,
      (connection) =>
        taker === "ping" ? connection.ping(checkControl(payload)) : connection.pong(checkControl(payload)),
      checkSignal(optionsOf<ControlOptions>(given, controlOptions, taker)?.signal),
      handlerOf(given),
    );
  }
}

/** What a message is sent as. */
function codeOf(data: WholeData | BufferSource, options: SendOptions | undefined): DataOpcode {
  const byDefault = typeof data === "string" ? "text" : "binary";
  const kind = data instanceof PreparedMessage ? data.kind : (options?.kind ?? byDefault);
  return checkKind(kind) === "text" ? opcode.text : opcode.binary;
}

/** The address that the lowest layer, or one on the way to it, knows. */
function peerOf(stream: ByteStream): Peer | undefined {
  for (let layer: ByteStream | undefined = stream; layer !== undefined; layer = layer.nextLayer) {
    if (layer.peer !== undefined) return layer.peer;
  }
  return undefined;
}

function openingPending(): ServalError {
  return coreError("core.operation_pending", { message: "The handshake is in progress: await it first" });
}
