import { ServalError, type BufferSource } from "../../core/index.ts";
import {
  type AsyncContext,
  beginSource,
  bytesOf,
  currentContext,
  notSendable,
  piecesOf,
  stopSource,
} from "../../core/internal.ts";
import { thrownBy } from "../frames/errors.ts";
import { opcode } from "../frames/frame.ts";
import type { Item, PartedMessage } from "../connection/item.ts";
import type { Connection } from "../connection/connection.ts";
import { tell } from "../connection/tell.ts";
import type { WriteOptions } from "../options/options.ts";
import type { PreparedMessage } from "../protocol/prepared.ts";
import { checkKind } from "../options/of-operations.ts";
import { Message } from "./message.ts";

/** A source of one message in parts, which are strings or bytes. */
export type MessageSource = AsyncIterable<string | BufferSource> | Iterable<string | BufferSource>;

/**
 * One message for `write` and `send`: a string; bytes, or a list of them; a Blob, which is read as there is room; a
 * message of `prepare`; an iterable of parts.
 */
export type Sendable = string | BufferSource | readonly BufferSource[] | Blob | PreparedMessage | MessageSource;

type Parts = Pick<Connection<unknown>, "part" | "abandon" | "hasWritten" | "waitWritten">;

/** Reads a source part by part, each when there is room for it, and sends the parts as one message. */
export class SourceWriter {
  readonly #connection: Parts;
  readonly #message: PartedMessage;
  readonly #iterator: AsyncIterator<string | BufferSource> | Iterator<string | BufferSource>;
  /** The writer's async context: the source is read in it, and not in that of the call that made room or ended the connection. */
  readonly #context: AsyncContext = currentContext();
  #isOver = false;

  /** Throws the error of a source that fails to return an iterator. */
  constructor(connection: Parts, message: PartedMessage, source: MessageSource) {
    this.#connection = connection;
    this.#message = message;
    this.#iterator = Symbol.asyncIterator in source ? beginSource(source) : source[Symbol.iterator]();
  }

  /** Starts to read the source, after this call. */
  start(): void {
    queueMicrotask(() => void this.#context.runInAsyncScope(this.#run, this));
  }

  /** Stops the source: no more of the message will be sent. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context.runInAsyncScope(stopSource, undefined, this.#iterator);
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        if (this.#isOver) return;
        const next = await this.#next();
        if (this.#isOver) return;
        if (next.done === true) break;
        await this.#send(this.#bytesOf(next.value), false);
      }
      this.#isOver = true;
      this.#message.code ??= opcode.binary;
      void this.#send(this.#message.encode("", true), true);
    } catch (cause) {
      if (this.#isOver) return;
      this.stop();
      const error = cause instanceof ServalError ? cause : thrownBy("websocket.source_failed", cause);
      const { handler } = this.#message;
      this.#message.handler = undefined;
      this.#connection.abandon(this.#message, error, handler === undefined);
      if (handler !== undefined) tell(handler, error, undefined);
    }
  }

  /** Any failure of the source becomes `websocket.source_failed`, also a ServalError of another connection. */
  async #next(): Promise<IteratorResult<string | BufferSource>> {
    try {
      return await this.#iterator.next();
    } catch (cause) {
      throw thrownBy("websocket.source_failed", cause);
    }
  }

  /** Sends a part. Returns a promise if there is no room; it fulfils when there is. */
  #send(bytes: Uint8Array, isLast: boolean): Promise<void> | undefined {
    if (bytes.length === 0 && !isLast) return undefined;
    const connection = this.#connection;
    const queued: number | Item = connection.part(this.#message, bytes, isLast);
    if (typeof queued === "number" && connection.hasWritten(queued)) return undefined;
    return new Promise((resolve) => {
      // Ignores an error, since the handler of the whole message gets it too.
      const done = (): void => resolve();
      if (typeof queued === "number") connection.waitWritten(queued, done);
      else queued.handler = done;
    });
  }

  #bytesOf(chunk: unknown): Uint8Array {
    const part = typeof chunk === "string" ? chunk : bytesOf(chunk);
    if (part === undefined) {
      throw notSendable("The parts of a message must be strings, ArrayBuffers or views of them", chunk);
    }
    this.#message.code ??= typeof part === "string" ? opcode.text : opcode.binary;
    return this.#message.encode(part, false);
  }
}

type Begins = Parts & Pick<Connection<unknown>, "begin" | "withdraw">;

/** Begins a message whose parts come from a source. Returns the message, or the error if it can't be sent. */
export function writeSource(
  connection: Begins,
  source: MessageSource | Blob,
  options: WriteOptions | undefined,
): PartedMessage | ServalError {
  // A received message is passed on as its own kind.
  const kind = options?.kind ?? (source instanceof Message ? source.kind : undefined);
  if (kind !== undefined) checkKind(kind);
  const size = source instanceof Blob ? source.size : 0;
  const message = connection.begin(undefined, options?.compress !== false, size);
  if (message instanceof ServalError) return message;
  message.isBeingRead = true;
  message.isPatient = options?.signal !== undefined;
  message.isFinite = source instanceof Blob || Array.isArray(source);
  if (kind !== undefined) message.code = kind === "text" ? opcode.text : opcode.binary;
  try {
    const writer = new SourceWriter(connection, message, source instanceof Blob ? piecesOf(source) : source);
    message.cancel = () => writer.stop();
    message.whenFirst(() => writer.start());
  } catch (cause) {
    connection.withdraw(message);
    return thrownBy("websocket.source_failed", cause);
  }
  return message;
}
