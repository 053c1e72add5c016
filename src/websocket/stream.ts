import {
  abortError,
  complete,
  coreError,
  handled,
  promised,
  ServalError,
  toByteStream,
  type ByteStream,
  type CloseInfo,
  type Handler,
  type NextLayer,
  type Peer,
} from "../core/index.ts";
import type { Request } from "../http/index.ts";
import { AcceptOperation, type Accepted, type AcceptOwner } from "./accept.ts";
import { room } from "./application.ts";
import { closeCode } from "./close-code.ts";
import { websocketError } from "./errors.ts";
import { opcode } from "./frame.ts";
import type { HandlersOf, Message } from "./handlers.ts";
import {
  Settings,
  type AcceptOptions,
  type AcceptSource,
  type CloseOptions,
  type OptionsOf,
  type ReadOptions,
} from "./options.ts";
import { checkHandler } from "../core/completion.ts";
import { offAbort, onAbort } from "../core/on-abort.ts";
import { acceptInput, checkClose, checkControl, checkMessage } from "./check.ts";
import { Session } from "./session.ts";
import { tell } from "./tell.ts";

/** The handlers among the options of a {@link Stream}. */
export interface Handlers<Data = unknown> extends HandlersOf<Stream<Data>> {}

/** Options of a {@link Stream}; sizes in bytes, times in milliseconds, Infinity for none. */
export interface StreamOptions<Data = unknown> extends OptionsOf<Stream<Data>, Data> {}

const nothing: Uint8Array = new Uint8Array(0);

/** How a connection ends that was never open. */
const neverOpen: CloseInfo = { code: closeCode.abnormal, reason: "", clean: false };

/**
 * A WebSocket over any stream of bytes (RFC 6455). Beast's `websocket::stream`.
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

  readonly #settings: Settings<Stream<Data>, Data>;
  #request: Request | undefined;
  #protocol = "";
  #accepting: AcceptOperation<Data> | undefined;
  #session: Session<Stream<Data>> | undefined;
  #started = false;
  #ended: CloseInfo | undefined;
  #closed: Promise<CloseInfo> | undefined;
  #waiting: ((info: CloseInfo) => void)[] = [];

  /**
   * Stands on `next`: a `ByteStream`, a Node `Duplex`, or a pair `{ readable, writable }` of Web streams. Nothing is
   * read or written before {@link accept}. Throws `core.invalid_argument` for options that can't be meant.
   */
  constructor(next: NextLayer, options: StreamOptions<Data> | Settings<Stream<Data>, Data> = {}) {
    this.#settings = options instanceof Settings ? options : new Settings(options);
    this.nextLayer = toByteStream(next);
    this.peer = this.#settings.options.peer ?? peerOf(this.nextLayer);
  }

  /** The upgrade request, once it was received; also of a handshake that failed. */
  get request(): Request | undefined {
    return this.#request;
  }

  /** The subprotocol that was agreed on; empty if none. */
  get protocol(): string {
    return this.#protocol;
  }

  /** Whether messages can be sent and received: after the handshake, and until either side begins to close. */
  get isOpen(): boolean {
    return this.#session?.isOpen === true;
  }

  /** Whether the message last received was text. Beast's `got_text`. */
  get gotText(): boolean {
    return this.#session?.protocol.incoming.isText === true;
  }

  /** How many bytes, frame headers included, wait to be sent. */
  get bufferedAmount(): number {
    return this.#session?.protocol.outgoing.bufferedAmount ?? 0;
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
   * `websocket.already_started` afterwards. Beast's `async_accept`.
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
      this.#accept(source, options, done);
    });
  }

  /**
   * Receives the next message: a string for text, bytes for binary. One at a time (`core.operation_pending`). At the end
   * of the connection it fails with `websocket.closed`, whose `close` says how; with the violation, limit or transport
   * error that ended it otherwise. Not for a stream with a `message` handler (`websocket.pushed`). Beast's `async_read`.
   */
  read(options?: ReadOptions): Promise<Message>;
  read(handler: Handler<Message>): void;
  read(options: ReadOptions, handler: Handler<Message>): void;
  read(...given: (ReadOptions | Handler<Message> | undefined)[]): Promise<Message> | undefined {
    const handler = typeof given.at(-1) === "function" ? (given.pop() as Handler<Message>) : undefined;
    const signal = (given[0] as ReadOptions | undefined)?.signal;
    return complete(handler, (done) => {
      const session = this.#opened();
      if (signal === undefined) session.read(done);
      else readUntilAborted(session, signal, done);
    });
  }

  /**
   * Receives messages until the connection ends: normally after a clean close, with the error that {@link read} would
   * give otherwise. Leaving the loop leaves the connection open.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    const next = (done: Handler<IteratorResult<Message>>): void => {
      this.#opened().read((error, value) => {
        if (error === undefined) done(undefined, { done: false, value });
        else done(error.close?.clean === true ? undefined : error, { done: true, value: undefined });
      });
    };
    const iterator: AsyncIterableIterator<Message> = {
      next: () => promised(next),
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /**
   * Sends a message: text for a string, binary for bytes. Completes when less than `highWaterMark` waits to be sent;
   * with `websocket.closed`, or what ended the connection, if it can't be sent. Writers may overlap: messages leave
   * whole, in the order of the calls. Bytes up to 16 KiB are copied at the call; more must not change until the write
   * has settled. Beast's `async_write`.
   */
  write(data: Message): Promise<void>;
  write(data: Message, handler: Handler): void;
  write(data: Message, handler?: Handler): Promise<void> | undefined {
    return this.#write(typeof data === "string" ? opcode.text : opcode.binary, data, handler);
  }

  /** Sends bytes that are UTF-8 as a text message; they are not checked. Otherwise as {@link write}. */
  writeText(data: Uint8Array): Promise<void>;
  writeText(data: Uint8Array, handler: Handler): void;
  writeText(data: Uint8Array, handler?: Handler): Promise<void> | undefined {
    return this.#write(opcode.text, data, handler);
  }

  /**
   * Queues a message, and says whether there is room for more: false once `highWaterMark` is reached (the message is
   * queued all the same, and `drain` will be called), and when the stream is closing or closed (then it is not).
   * Bytes up to 16 KiB are copied; more must not change any more. Throws `websocket.not_open` before the handshake.
   */
  send(data: Message): boolean {
    return this.#opened().send(typeof data === "string" ? opcode.text : opcode.binary, checkMessage(data));
  }

  /** Queues bytes that are UTF-8 as a text message; they are not checked. Otherwise as {@link send}. */
  sendText(data: Uint8Array): boolean {
    return this.#opened().send(opcode.text, checkMessage(data));
  }

  /** Sends a ping with up to 125 bytes (RFC 6455 section 5.5.2); completes as {@link write} does. */
  ping(payload?: Uint8Array | string): Promise<void>;
  ping(payload: Uint8Array | string, handler: Handler): void;
  ping(payload: Uint8Array | string = nothing, handler?: Handler): Promise<void> | undefined {
    return this.#control(opcode.ping, payload, handler);
  }

  /** Sends a pong that nobody asked for, with up to 125 bytes (RFC 6455 section 5.5.3); completes as {@link write} does. */
  pong(payload?: Uint8Array | string): Promise<void>;
  pong(payload: Uint8Array | string, handler: Handler): void;
  pong(payload: Uint8Array | string = nothing, handler?: Handler): Promise<void> | undefined {
    return this.#control(opcode.pong, payload, handler);
  }

  /**
   * Closes in an orderly way (RFC 6455 section 7.1.2): sends what is queued and a close frame, drops data that still
   * comes, awaits the peer's close frame, tears the transport down; after `timeouts.handshake` closes it all the same.
   * Completes when the transport is closed, never with an error: {@link closed} says how it ended. Always allowed; during
   * `accept` it aborts that, and a stream that is closing goes on as it was. Throws `core.invalid_argument` for a code
   * or reason that can't be sent. Beast's `async_close`.
   */
  close(options?: CloseOptions): Promise<void>;
  close(options: CloseOptions, handler: Handler): void;
  close(options: CloseOptions = {}, handler?: Handler): Promise<void> | undefined {
    return complete(handler, (done) => {
      const { code, reason } = checkClose(options);
      if (this.#session === undefined) this.terminate();
      else this.#session.close(code, reason);
      // Behind that, which may have ended the stream at once: nothing completes inside the call.
      this.#onceClosed(() => tell(done, undefined, undefined));
    });
  }

  /** Ends the connection now, without a close frame. What is pending fails with `core.aborted`. Always allowed. */
  terminate(): void {
    const aborted = coreError("core.aborted", { message: "The WebSocket was closed on this side" });
    if (this.#session !== undefined) this.#session.lost(aborted);
    else if (this.#accepting !== undefined) this.#accepting.abort(aborted);
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
    if (this.#accepting !== undefined) throw acceptPending();
    if (this.#started) throw websocketError("websocket.already_started");
    const input = acceptInput(source, options);
    const owner: AcceptOwner<Data> = {
      received: (received) => {
        this.#request = received;
      },
      completed: (error, accepted) => {
        this.#accepting = undefined;
        if (accepted === undefined) tell(done, error, undefined);
        else this.#open(accepted, done);
      },
      ended: () => this.#end(neverOpen),
    };
    const operation = new AcceptOperation<Data>(this.nextLayer, this.#settings, this.peer, owner);
    this.#started = true;
    this.#accepting = operation;
    try {
      operation.start(input);
    } catch (misuse) {
      this.#started = false;
      this.#accepting = undefined;
      throw misuse;
    }
  }

  #open({ protocol, data, rest }: Accepted<Data>, done: Handler): void {
    this.#protocol = protocol;
    this.data = data as Data;
    this.#session = new Session<Stream<Data>>(this, this.nextLayer, "server", this.#settings, (info) =>
      this.#end(info),
    );
    tell(done, undefined, undefined);
    // Behind the completion, so that a promise's continuation too comes before the first message.
    this.#session.start(rest);
  }

  #end(info: CloseInfo): void {
    if (this.#ended !== undefined) return;
    this.#ended = info;
    for (const waiting of this.#waiting.splice(0)) waiting(info);
  }

  #onceClosed(callback: (info: CloseInfo) => void): void {
    const info = this.#ended;
    if (info === undefined) this.#waiting.push(callback);
    else queueMicrotask(() => callback(info));
  }

  #opened(): Session<Stream<Data>> {
    if (this.#session !== undefined) return this.#session;
    if (this.#accepting !== undefined) throw acceptPending();
    throw websocketError("websocket.not_open");
  }

  #write(code: typeof opcode.text | typeof opcode.binary, data: Message, handler?: Handler): Promise<void> | undefined {
    return this.#settle(handler, (session) => session.write(code, checkMessage(data)));
  }

  #control(
    code: typeof opcode.ping | typeof opcode.pong,
    payload: Uint8Array | string,
    handler?: Handler,
  ): Promise<void> | undefined {
    return this.#settle(handler, (session) => session.control(code, checkControl(payload)));
  }

  /** Completes an operation that queues: at once, or when what it waits for has been written. */
  #settle(
    handler: Handler | undefined,
    queue: (session: Session<Stream<Data>>) => number | ServalError,
  ): Promise<void> | undefined {
    if (handler !== undefined) checkHandler(handler);
    let position: number | ServalError;
    let session: Session<Stream<Data>>;
    try {
      session = this.#opened();
      position = queue(session);
    } catch (misuse) {
      if (handler !== undefined) throw misuse;
      return handled(Promise.reject(misuse as ServalError));
    }
    if (position instanceof ServalError) {
      const error = position;
      if (handler === undefined) return handled(Promise.reject(error));
      queueMicrotask(() => handler(error));
      return undefined;
    }
    const until = position;
    if (!session.hasWritten(until)) return complete(handler, (done) => session.waitWritten(until, done));
    if (handler === undefined) return room;
    queueMicrotask(() => handler(undefined));
    return undefined;
  }
}

function readUntilAborted(
  session: Pick<Session<unknown>, "read" | "cancelRead">,
  signal: AbortSignal,
  done: Handler<Message>,
): void {
  if (signal.aborted) {
    queueMicrotask(() => done(abortError(signal), ""));
    return;
  }
  const giveUp = (): void => {
    offAbort(signal, giveUp);
    if (session.cancelRead(onRead)) queueMicrotask(() => done(abortError(signal), ""));
  };
  const onRead: Handler<Message> = (error, message) => {
    offAbort(signal, giveUp);
    done(error, message);
  };
  session.read(onRead);
  onAbort(signal, giveUp);
}

/** The address that the lowest layer, or one on the way to it, knows. */
function peerOf(stream: ByteStream): Peer | undefined {
  for (let layer: ByteStream | undefined = stream; layer !== undefined; layer = layer.nextLayer) {
    if (layer.peer !== undefined) return layer.peer;
  }
  return undefined;
}

function acceptPending(): ServalError {
  return coreError("core.operation_pending", { message: "accept is in progress: await it first" });
}
