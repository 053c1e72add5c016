import { abortError, complete, promised, type Handler, type ServalError } from "../../core/index.ts";
import { checkSignal, copyOf, decodeUtf8, longestText, offAbort, onAbort } from "../../core/internal.ts";
import { websocketError } from "../frames/errors.ts";
import type { ReceivedPart } from "../connection/delivery.ts";
import type { Connection } from "../connection/connection.ts";
import type { ReadOptions } from "../options/options.ts";
import { readOptions } from "../options/of-operations.ts";
import { handlerOf, optionsOf } from "./arguments.ts";

const nothing: Uint8Array = new Uint8Array(0);

/** Where the parts of a message come from. */
type Reads = Pick<Connection<unknown>, "readSome" | "cancelRead">;

/**
 * A message that is received in parts, as they come: `for await (const bytes of message)`. It comes from `nextMessage`, as
 * soon as it has begun. What is not read of it is dropped when the next one is asked for, and when the loop is left.
 */
export class Message implements AsyncIterable<Uint8Array> {
  /** Whether it is text, whose parts are UTF-8, checked, and cut anywhere, or binary. */
  readonly kind: "text" | "binary";
  readonly #reads: Reads;
  /** The read that is waited for. */
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

  /** Gives it up: what comes of it is dropped. @internal */
  leave(): void {
    this.#isLeft = true;
    this.#part = undefined;
  }

  /**
   * The parts, each as it comes: never empty, and owned. Fails with what ended the connection if that was before the end of
   * the message, with `websocket.message_in_progress` if the next message was asked for meanwhile.
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

  /** What is left of the message, as one piece of bytes; at most `maxMessageSize`. Fails as the iteration does. */
  bytes(options?: ReadOptions): Promise<Uint8Array>;
  bytes(handler: Handler<Uint8Array>): void;
  bytes(options: ReadOptions, handler: Handler<Uint8Array>): void;
  bytes(...given: (ReadOptions | Handler<Uint8Array> | undefined)[]): Promise<Uint8Array> | undefined {
    return complete(handlerOf<Uint8Array>(given), (done) => this.#collect("Message.bytes", given, done));
  }

  /**
   * What is left of the message, as text. Fails as the iteration does, and with `websocket.message_too_big` for more than
   * the platform has in a string, some 512 MiB: then what remains of it is dropped.
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
      // What is on its way already comes too late.
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
          // Meanwhile someone else has read, or has given the message up.
          done(misuse as ServalError, nothing);
        }
      }
    };
    this.#next(add);
    if (signal !== undefined) onAbort(signal, abort);
  }

  /** The next bytes, or undefined at the end; never inside the call. */
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
