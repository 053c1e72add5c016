import { complete, promised, ServalError, type BufferSource, type Handler } from "../core/index.ts";
import { checkSignal, invalidArgument, show } from "../core/internal.ts";
import type { Connection } from "./connection/connection.ts";
import type { ReceivedPart } from "./connection/delivery.ts";
import { websocketError } from "./frames/errors.ts";
import { opcode } from "./frames/frame.ts";
import { checkPart, checkSend, checkSendable, handlerOf, optionsOf } from "./operations/arguments.ts";
import { Message } from "./operations/message.ts";
import { receive } from "./operations/receive.ts";
import { writeSource, type MessageSource, type Sendable } from "./operations/source.ts";
import { transmit } from "./operations/transmit.ts";
import { checkControl } from "./options/control.ts";
import type { MessageData } from "./options/handlers.ts";
import { checkKind, checkSendValues, controlOptions, readOptions, writeOptions } from "./options/of-operations.ts";
import type { ControlOptions, ReadOptions, SendOptions, WriteOptions } from "./options/options.ts";
import type { Statistics } from "./options/statistics.ts";
import type { DataOpcode } from "./protocol/outgoing.ts";
import { PreparedMessage, type WholeData } from "./protocol/prepared.ts";

const nothing: Uint8Array = new Uint8Array(0);

/**
 * The messages of a {@link Stream}: receiving and sending, once it is open. What a call was given is checked here, put into
 * one shape and passed to the {@link Connection}.
 */
export abstract class MessageStream {
  /** Once the stream is open. */
  #connection: Connection<unknown> | undefined;
  /** The message whose parts are being read, if `nextMessage` gave it. */
  #message: Message | undefined;

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
      this.#connection ?? this.notOpen,
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
      this.#connection ?? this.notOpen,
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
    if (options === undefined && callback === undefined && this.#connection !== undefined) {
      // By far the most common, so in one call.
      if (typeof data === "string") return this.#connection.send(opcode.text, data, true);
      if (data instanceof Uint8Array) return this.#connection.send(opcode.binary, data, true);
    } else checkSend(options, callback);
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

  /** Receives the rest of the message before (`goesOn`), or drops that rest and receives what follows. */
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
      this.#connection ?? this.notOpen,
      (connection) =>
        taker === "ping" ? connection.ping(checkControl(payload)) : connection.pong(checkControl(payload)),
      checkSignal(optionsOf<ControlOptions>(given, controlOptions, taker)?.signal),
      handlerOf(given),
    );
  }

  /** The stream is open. @internal */
  protected connect(connection: Connection<unknown>): void {
    this.#connection = connection;
  }

  /** The open connection, or one that was. @internal */
  protected get connection(): Connection<unknown> | undefined {
    return this.#connection;
  }

  /** What an operation fails with before the stream is open. @internal */
  protected abstract get notOpen(): ServalError;

  #opened(): Connection<unknown> {
    if (this.#connection === undefined) throw this.notOpen;
    return this.#connection;
  }
}

/** What a message is sent as. */
function codeOf(data: WholeData | BufferSource, options: SendOptions | undefined): DataOpcode {
  const byDefault = typeof data === "string" ? "text" : "binary";
  const kind = data instanceof PreparedMessage ? data.kind : (options?.kind ?? byDefault);
  return checkKind(kind) === "text" ? opcode.text : opcode.binary;
}
