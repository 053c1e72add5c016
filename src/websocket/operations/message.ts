import { complete, promised, type Handler, type ServalError } from "../../core/index.ts";
import { copyOf, decodeUtf8, longestText } from "../../core/internal.ts";
import { websocketError } from "../frames/errors.ts";
import type { ReceivedPart } from "../connection/receiver.ts";

const nothing: Uint8Array = new Uint8Array(0);

/**
 * A message that is received in parts, as they come: `for await (const bytes of message)`. It comes from `nextMessage`, as
 * soon as it has begun. What is not read of it is dropped when the next one is asked for, and when the loop is left.
 */
export class Message implements AsyncIterable<Uint8Array> {
  /** Whether it is text, whose parts are UTF-8, checked, and cut anywhere, or binary. */
  readonly kind: "text" | "binary";
  readonly #readSome: (handler: Handler<ReceivedPart>) => void;
  #part: ReceivedPart | undefined;
  #isDone = false;
  #isLeft = false;

  /** @internal */
  constructor(first: ReceivedPart, readSome: (handler: Handler<ReceivedPart>) => void) {
    this.kind = first.kind;
    this.#part = first;
    this.#readSome = readSome;
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
  bytes(): Promise<Uint8Array>;
  bytes(handler: Handler<Uint8Array>): void;
  bytes(handler?: Handler<Uint8Array>): Promise<Uint8Array> | undefined {
    return complete(handler, (done) => this.#collect(Infinity, done));
  }

  /**
   * What is left of the message, as text. Fails as the iteration does, and with `websocket.message_too_big` for more than
   * the platform has in a string, some 512 MiB: then what remains of it is dropped.
   */
  text(): Promise<string>;
  text(handler: Handler<string>): void;
  text(handler?: Handler<string>): Promise<string> | undefined {
    return complete(handler, (done) => {
      this.#collect(longestText, (error, bytes) => done(error, error === undefined ? decodeUtf8(bytes) : ""));
    });
  }

  #collect(limit: number, done: Handler<Uint8Array>): void {
    const parts: Uint8Array[] = [];
    let size = 0;
    const add: Handler<Uint8Array | undefined> = (error, bytes) => {
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
    this.#readSome((error, read) => {
      if (error !== undefined) handler(error, undefined);
      else {
        this.#isDone = read.done;
        if (read.bytes.length > 0 || read.done) handler(undefined, read.bytes.length > 0 ? read.bytes : undefined);
        else this.#next(handler);
      }
    });
  }
}

function left(): Error {
  return websocketError("websocket.message_in_progress", {
    message: "The next message was asked for, or the loop over this one was left: what remained of it is gone",
  });
}
