import { abortError, complete, promised, type Handler, type ServalError } from "../../core/index.ts";
import { checkSignal, copyOf, decodeUtf8, longestText, offAbort, onAbort } from "../../core/internal.ts";
import { websocketError } from "../frames/errors.ts";
import type { ReceivedPart } from "../connection/delivery.ts";
import type { Connection } from "../connection/connection.ts";
import type { ReadOptions } from "../options/options.ts";
import { readOptions } from "../options/of-operations.ts";
import { handlerOf, optionsOf } from "./arguments.ts";

const nothing: Uint8Array = new Uint8Array(0);

/** The reads of a connection. */
type Reads = Pick<Connection<unknown>, "readSome" | "cancelRead">;

/**
 * A message that is received in parts: `for await (const bytes of message)`. `nextMessage` returns it as soon as it begins.
 * Its unread rest is dropped when the next message is asked for, and when the loop is left.
 */
export class Message implements AsyncIterable<Uint8Array> {
  /** The kind of the message. The parts of a text are valid UTF-8 together; each may end within a character. */
  readonly kind: "text" | "binary";
  readonly #reads: Reads;
  /** The handler of the pending read. */
  #waiting: Handler<ReceivedPart> | undefined;
  #part: ReceivedPart | undefined;
  #isDone = false;
  #isLeft = false;

  /** @internal */
  constructor(first: ReceivedPart, reads: Reads) {
    this.kind = first.kind;
    this.#part = first;
    this.#reads = reads;
  }

  /** Drops the message with its unread rest. @internal */
  leave(): void {
    this.#isLeft = true;
    this.#part = undefined;
  }

  /**
   * The parts in order, as they arrive. None is empty, and each is the caller's own. Throws the error that ended the
   * connection if the message is not complete, and `websocket.message_in_progress` if the next message was asked for.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    const next = (done: Handler<IteratorResult<Uint8Array>>): void => {
      this.#next((error, bytes) => {
        if (error !== undefined || bytes === undefined) done(error, { done: true, value: undefined });
        else done(undefined, { done: false, value: bytes });
      });
    };
    const iterator: AsyncIterableIterator<Uint8Array> = {
      next: () => promised(next),
      return: () => {
        this.leave();
        return Promise.resolve({ done: true, value: undefined });
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** The unread rest of the message as one `Uint8Array`, of at most `maxMessageSize` bytes. Fails as the iteration does. */
  bytes(options?: ReadOptions): Promise<Uint8Array>;
  bytes(handler: Handler<Uint8Array>): void;
  bytes(options: ReadOptions, handler: Handler<Uint8Array>): void;
  bytes(...given: (ReadOptions | Handler<Uint8Array> | undefined)[]): Promise<Uint8Array> | undefined {
    return complete(handlerOf<Uint8Array>(given), (done) => this.#collect("Message.bytes", given, done));
  }

  /**
   * The unread rest of the message as a string. Fails as the iteration does; and with `websocket.message_too_big` if it is
   * longer than the platform's strings can be, some 512 MiB. Then the rest is dropped.
   */
  text(options?: ReadOptions): Promise<string>;
  text(handler: Handler<string>): void;
  text(options: ReadOptions, handler: Handler<string>): void;
  text(...given: (ReadOptions | Handler<string> | undefined)[]): Promise<string> | undefined {
    return complete(handlerOf<string>(given), (done) => {
      this.#collect("Message.text", given, (error, bytes) => done(error, error === undefined ? decodeUtf8(bytes) : ""));
    });
  }

  #collect(taker: "Message.bytes" | "Message.text", given: readonly unknown[], completed: Handler<Uint8Array>): void {
    const signal = checkSignal(optionsOf<ReadOptions>(given, readOptions, taker)?.signal);
    const limit = taker === "Message.text" ? longestText : Infinity;
    const parts: Uint8Array[] = [];
    let size = 0;
    const done: Handler<Uint8Array> = (error, bytes) => {
      if (signal !== undefined) offAbort(signal, abort);
      completed(error, bytes);
    };
    const abort = (): void => {
      if (this.#waiting !== undefined) this.#reads.cancelRead(this.#waiting);
      this.leave();
      queueMicrotask(() => done(abortError(signal!), nothing));
    };
    if (signal?.aborted === true) {
      abort();
      return;
    }
    const add: Handler<Uint8Array | undefined> = (error, bytes) => {
      // A part that arrives after the abort is dropped.
      if (signal?.aborted === true) return;
      if (error !== undefined) done(error, nothing);
      else if (bytes === undefined) done(undefined, copyOf(parts, size));
      else if ((size += bytes.length) > limit) {
        this.leave();
        done(
          websocketError("websocket.message_too_big", { message: "The text is longer than a string can be" }),
          nothing,
        );
      } else {
        parts.push(bytes);
        try {
          this.#next(add);
        } catch (misuse) {
          // Another read was started meanwhile, or the message was dropped.
          done(misuse as ServalError, nothing);
        }
      }
    };
    this.#next(add);
    if (signal !== undefined) onAbort(signal, abort);
  }

  /** Gets the next bytes, or undefined at the end of the message. Never calls back inside the call. */
  #next(handler: Handler<Uint8Array | undefined>): void {
    const part = this.#part;
    this.#part = undefined;
    if (this.#isLeft) throw left();
    if (part !== undefined) {
      this.#isDone = part.done;
      if (part.bytes.length > 0) {
        queueMicrotask(() => handler(undefined, part.bytes));
        return;
      }
    }
    if (this.#isDone) {
      queueMicrotask(() => handler(undefined, undefined));
      return;
    }
    const received: Handler<ReceivedPart> = (error, read) => {
      this.#waiting = undefined;
      if (error !== undefined) handler(error, undefined);
      else {
        this.#isDone = read.done;
        if (read.bytes.length > 0 || read.done) handler(undefined, read.bytes.length > 0 ? read.bytes : undefined);
        else this.#next(handler);
      }
    };
    this.#reads.readSome(received);
    this.#waiting = received;
  }
}

function left(): Error {
  return websocketError("websocket.message_in_progress", {
    message: "The next message was asked for, or the loop over this one was left: what remained of it is gone",
  });
}
