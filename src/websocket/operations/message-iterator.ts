import type { Handler } from "../../core/index.ts";
import { handled } from "../../core/internal.ts";
import type { MessageData } from "../options/handlers.ts";

/**
 * The iterator over the messages of a stream. One read is pending at a time, so all share its functions: a message costs
 * its promise and its result.
 */
export class MessageIterator implements AsyncIterableIterator<MessageData> {
  readonly #readAtOnce: () => MessageData | undefined;
  readonly #read: (done: Handler<MessageData>) => void;
  /** The promise of the pending read, and its functions. */
  #pending: Promise<IteratorResult<MessageData>> | undefined;
  #resolve!: (result: IteratorResult<MessageData>) => void;
  #reject!: (error: unknown) => void;

  /** `readAtOnce` returns a message that has arrived, if it may; `read` waits for one, and throws misuse. */
  constructor(readAtOnce: () => MessageData | undefined, read: (done: Handler<MessageData>) => void) {
    this.#readAtOnce = readAtOnce;
    this.#read = read;
  }

  next(): Promise<IteratorResult<MessageData>> {
    const value = this.#readAtOnce();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    try {
      this.#read(this.#done);
    } catch (misuse) {
      return handled(Promise.reject(misuse));
    }
    return (this.#pending = new Promise(this.#keep));
  }

  return(): Promise<IteratorResult<MessageData>> {
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  readonly #keep = (resolve: (result: IteratorResult<MessageData>) => void, reject: (error: unknown) => void): void => {
    this.#resolve = resolve;
    this.#reject = reject;
  };

  readonly #done: Handler<MessageData> = (error, value) => {
    const pending = this.#pending!;
    this.#pending = undefined;
    if (error === undefined) this.#resolve({ done: false, value });
    else if (error.close?.clean === true) this.#resolve({ done: true, value: undefined });
    else {
      handled(pending);
      this.#reject(error);
    }
  };
}
