import { complete, promised, ServalError, type BufferSource, type Handler } from "../core/index.ts";
import { checkSignal, invalidArgument, show } from "../core/internal.ts";
import type { Connection } from "./connection/connection.ts";
import type { ReceivedPart } from "./connection/delivery.ts";
import { websocketError } from "./frames/errors.ts";
import { opcode } from "./frames/frame.ts";
import { checkPart, checkSend, checkSendable, handlerOf, optionsOf } from "./operations/arguments.ts";
import { Message } from "./operations/message.ts";
import { MessageIterator } from "./operations/message-iterator.ts";
import { receive } from "./operations/receive.ts";
import { writeSource, type MessageSource, type Sendable } from "./operations/source.ts";
import { letGo, transmit, transmitAtOnce } from "./operations/transmit.ts";
import { checkCloseCode, checkControl } from "./options/control.ts";
import type { MessageData } from "./options/handlers.ts";
import {
  checkKind,
  checkSendValues,
  controlOptions,
  readOptions,
  writeOptions,
  writeSomeOptions,
} from "./options/of-operations.ts";
import type { ControlOptions, ReadOptions, SendOptions, WriteOptions, WriteSomeOptions } from "./options/options.ts";
import type { Statistics } from "./options/statistics.ts";
import type { DataOpcode } from "./protocol/outgoing.ts";
import { PreparedMessage, type WholeData } from "./protocol/prepared.ts";

const nothing: Uint8Array = new Uint8Array(0);

/**
 * Receives and sends the messages of a {@link Stream}. Each call checks its arguments, puts them into one shape and passes
 * them to the {@link Connection}.
 */
export abstract class MessageStream {
  /** Set once the stream is open, and kept after its end. */
  #connection: Connection<unknown> | undefined;
  /** The message that `nextMessage` returned last, until its parts have been read. */
  #message: Message | undefined;

  /** Whether messages can be sent and received: from the end of the handshake until either side begins to close. */
  get isOpen(): boolean {
    return this.#connection?.isOpen === true;
  }

  /** Whether the message last received was text. */
  get gotText(): boolean {
    return this.#connection?.protocol.incoming.isText === true;
  }

  /** The number of bytes that wait to be sent, frame headers included. */
  get bufferedAmount(): number {
    return this.#connection?.bufferedAmount ?? 0;
  }

  /** Whether more waits to be sent than `maxBufferedAmount`, with the objects that it takes. @internal */
  get isOverfull(): boolean {
    return this.#connection?.isOverfull === true;
  }

  /** Counts of messages, bytes and pauses of the connection. Throws `websocket.not_open` before the handshake. */
  stats(): Statistics {
    return this.#opened().statistics;
  }

  /**
   * Receives the next message: a string for text, bytes for binary. A second read while one is pending fails with
   * `core.operation_pending`, a read of a stream that has a `message` handler with `websocket.pushed`. After the closing
   * handshake a read fails with `websocket.closed`, whose `close` has the code and reason; after any other end, with the
   * violation, limit or transport error that caused it.
   */
  read(options?: ReadOptions): Promise<MessageData>;
  read(handler: Handler<MessageData>): void;
  read(options: ReadOptions, handler: Handler<MessageData>): void;
  read(...given: (ReadOptions | Handler<MessageData> | undefined)[]): Promise<MessageData> | undefined {
    if (given.length === 0) {
      const message = this.#readAtOnce();
      return message === undefined ? promised((done) => this.#read(done)) : Promise.resolve(message);
    }
    return this.#receive<MessageData>("read", given, false, (connection, done) => connection.read(done));
  }

  /**
   * Receives the next bytes of a message as soon as they arrive, with the message's kind and whether they are its last. A
   * message of any size can be received in this way; a compressed one comes in parts of at most 64 KiB. Fails as
   * {@link read} does. Until the last part has been received, `read` fails with `websocket.message_in_progress`.
   */
  readSome(options?: ReadOptions): Promise<ReceivedPart>;
  readSome(handler: Handler<ReceivedPart>): void;
  readSome(options: ReadOptions, handler: Handler<ReceivedPart>): void;
  readSome(...given: (ReadOptions | Handler<ReceivedPart> | undefined)[]): Promise<ReceivedPart> | undefined {
    return this.#receive<ReceivedPart>("readSome", given, true, (connection, done) => connection.readSome(done));
  }

  /**
   * Receives the next message as soon as it begins: its kind, and an iteration over its parts. Drops the unread rest of the
   * message before it. Fails as {@link read} does.
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
   * Receives messages until the connection ends. After a clean close the loop ends; after any other end it throws the error
   * of {@link read}. Leaving the loop early leaves the connection open.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<MessageData> {
    return new MessageIterator(
      () => this.#readAtOnce(),
      (done) => this.#read(done),
    );
  }

  /**
   * Sends one message. A string is sent as text; an `ArrayBuffer`, a view of one, or a list of these (which are not
   * joined) as binary; a message of {@link prepare} as what it was prepared as. A `Blob` or an iterable, sync or async,
   * gives the message in parts, each read when the message has its turn and there is room for the part. A Blob is sent
   * as binary, an iterable as the kind of its first part, a received {@link Message} as what it was received as.
   *
   * Completes when fewer than `highWaterMark` bytes wait to be sent. Fails with `websocket.closed`, or the error that
   * ended the connection, if the message can't be sent; with `websocket.queue_overflow` if the option `overflow`
   * forbids it; with `websocket.source_failed` if a Blob or an iterable fails, which ends the connection if its message
   * had begun.
   *
   * To cancel a transfer, abort the `signal`: a message that waits is withdrawn. If part of a message from a Blob or an
   * iterable has been sent, no more of it is read, its `return` is called, and the connection closes with `abortCode`
   * (1011), since half a message is none. Where a cancelled transfer must not cost the connection, send it as many
   * messages.
   *
   * Writes may overlap: messages are sent whole, in the order of the calls. Up to 16 KiB of bytes are copied by the
   * call; larger buffers must not change until the write has settled, nor after it was aborted.
   */
  write(data: Sendable, options?: WriteOptions): Promise<void>;
  write(data: Sendable, handler: Handler): void;
  write(data: Sendable, options: WriteOptions, handler: Handler): void;
  write(data: Sendable, first?: WriteOptions | Handler, second?: Handler): Promise<void> | undefined {
    const open = this.#connection;
    if (first === undefined && second === undefined && open !== undefined) {
      // Nearly every message is one of these two, so they take no list of arguments and no closure.
      const code = typeof data === "string" ? opcode.text : data instanceof Uint8Array ? opcode.binary : undefined;
      const done = code === undefined ? undefined : transmitAtOnce(open, code, data as MessageData);
      if (done !== undefined) return done;
    }
    return transmit(
      open ?? this.notOpen,
      writeOptions,
      second === undefined ? [first] : [first, second],
      (connection, options: WriteOptions | undefined) => {
        if (options !== undefined) checkSendValues(options);
        if (options?.abortCode !== undefined) checkCloseCode(options.abortCode);
        const whole = checkSendable(data);
        if (whole === undefined) return writeSource(connection, data as MessageSource | Blob, options);
        const isPatient = options?.signal !== undefined;
        return connection.write(codeOf(whole, options), whole, options?.compress !== false, isPatient);
      },
      "write",
      data,
    );
  }

  /**
   * Sends the next part of a message, with `final` the last one, so that the whole message need never be in memory. The
   * message is of the kind of its first part. Other messages wait until it is finished. Completes and fails as
   * {@link write} does, but a `signal` that aborts after the call only ends the wait: the part is sent.
   */
  writeSome(data: string | BufferSource, final: boolean, options?: WriteSomeOptions): Promise<void>;
  writeSome(data: string | BufferSource, final: boolean, handler: Handler): void;
  writeSome(data: string | BufferSource, final: boolean, options: WriteSomeOptions, handler: Handler): void;
  writeSome(
    data: string | BufferSource,
    final: boolean,
    ...given: (WriteSomeOptions | Handler | undefined)[]
  ): Promise<void> | undefined {
    return transmit(
      this.#connection ?? this.notOpen,
      writeSomeOptions,
      given,
      (connection, options: WriteSomeOptions | undefined) => {
        if (options !== undefined) checkSendValues(options);
        if (typeof final !== "boolean") throw invalidArgument(`final must be true or false, not ${show(final)}`);
        return connection.writeSome(codeOf(data, options), checkPart(data), final, options?.compress !== false);
      },
    );
  }

  /**
   * Queues a message, which may be anything that {@link write} takes, and returns whether there is room for more. False
   * means that `highWaterMark` bytes wait: the message is queued all the same, and `drain` will be called. On a stream
   * that is closing or closed it means that the message was not queued. Up to 16 KiB of bytes are copied; larger
   * buffers must never change. The size of a Blob counts at once, the parts of an iterable as they are read. A source
   * that fails ends the connection with `websocket.source_failed`, since no caller waits for it. Throws
   * `websocket.not_open` before the handshake.
   */
  send(data: Sendable, options?: SendOptions): boolean;
  send(data: Sendable, options?: SendOptions, callback?: undefined): boolean {
    const open = this.#connection;
    if (options === undefined && callback === undefined && open !== undefined) {
      // Nearly every message is one of these, so they take no further calls.
      const code =
        typeof data === "string"
          ? opcode.text
          : data instanceof Uint8Array
            ? opcode.binary
            : data instanceof PreparedMessage
              ? data.opcode
              : undefined;
      if (code !== undefined) {
        const framed = open.frame(code, data as MessageData | PreparedMessage, true);
        if (framed === undefined) return open.send(code, data as MessageData | PreparedMessage, true);
        return framed <= open.protocol.outgoing.written || open.hasRoomAfter(framed);
      }
    } else checkSend(options, callback);
    const whole = checkSendable(data);
    const connection = this.#opened();
    if (whole !== undefined) return connection.send(codeOf(whole, options), whole, options?.compress !== false);
    const queued = writeSource(connection, data as MessageSource | Blob, options);
    if (queued instanceof ServalError) letGo(data);
    if (queued instanceof ServalError && queued.code === "websocket.source_failed") throw queued;
    return connection.hasRoomAfter(queued);
  }

  /**
   * Sends a ping with up to 125 bytes (RFC 6455 section 5.5.2). Completes and fails as {@link write} does. A `signal` that
   * aborts ends the wait.
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

  /** Sends an unsolicited pong with up to 125 bytes (RFC 6455 section 5.5.3). Completes and fails as {@link ping} does. */
  pong(payload?: string | BufferSource, options?: ControlOptions): Promise<void>;
  pong(payload: string | BufferSource, handler: Handler): void;
  pong(payload: string | BufferSource, options: ControlOptions, handler: Handler): void;
  pong(
    payload: string | BufferSource = nothing,
    ...given: (ControlOptions | Handler | undefined)[]
  ): Promise<void> | undefined {
    return this.#control("pong", payload, given);
  }

  /** The next message, if no turn of the connection need come before it. */
  #readAtOnce(): MessageData | undefined {
    return this.#message === undefined ? this.#connection?.readAtOnce() : undefined;
  }

  /** Receives the next message, for a promise, which keeps its async context itself. */
  #read(done: Handler<MessageData>): void {
    const open = this.#connection;
    if (open !== undefined && this.#message === undefined) open.read(done);
    else this.#receive<MessageData>("read", [done], false, (connection, wanted) => connection.read(wanted));
  }

  /** Continues the message that is being read in parts (`goesOn`), or drops its rest and receives the next one. */
  #receive<Result>(
    taker: string,
    given: (ReadOptions | Handler<Result> | undefined)[],
    goesOn: boolean,
    start: (connection: Connection<unknown>, done: Handler<Result>) => unknown,
  ): Promise<Result> | undefined {
    return complete(handlerOf<Result>(given), (done) => {
      const signal = checkSignal(optionsOf<ReadOptions>(given, readOptions, taker)?.signal);
      const connection = this.#opened();
      const message = this.#message;
      const skips = !goesOn && message !== undefined && connection.protocol.incoming.isInParts;
      const startWanted = (wanted: Handler<Result>): unknown => {
        const waiting = start(connection, wanted);
        // Not before `start`: misuse must change nothing, and a read that was aborted leaves the rest for the next read to drop.
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
      this.#connection ?? this.notOpen,
      controlOptions,
      given,
      (connection) =>
        taker === "ping"
          ? connection.ping(checkControl(payload))
          : connection.control(opcode.pong, checkControl(payload)),
      taker,
    );
  }

  /** Opens the stream for messages. @internal */
  protected connect(connection: Connection<unknown>): void {
    this.#connection = connection;
  }

  /** The connection, undefined before the stream was open. @internal */
  protected get connection(): Connection<unknown> | undefined {
    return this.#connection;
  }

  /** The error of an operation that came before the stream was open. @internal */
  protected abstract get notOpen(): ServalError;

  #opened(): Connection<unknown> {
    if (this.#connection === undefined) throw this.notOpen;
    return this.#connection;
  }
}

/** The opcode that a message is sent with. */
function codeOf(data: WholeData | BufferSource, options: SendOptions | undefined): DataOpcode {
  const byDefault = typeof data === "string" ? "text" : "binary";
  const kind = data instanceof PreparedMessage ? data.kind : (options?.kind ?? byDefault);
  return checkKind(kind) === "text" ? opcode.text : opcode.binary;
}
