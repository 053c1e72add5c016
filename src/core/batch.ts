import type { AsyncContext } from "./async-context.ts";

/** An item of a {@link Batch}. */
export interface Flushing {
  /** The async context in which it is flushed. */
  readonly context: AsyncContext;
  flush(): void;
}

/**
 * Flushes many items from one microtask, or whatever `schedule` makes, each in its own async context. A microtask for each
 * would cost more than most of the work, and a function for each would be held by each.
 */
export class Batch {
  /** Whether items are being flushed. */
  isFlushing = false;
  #items: Flushing[] = [];
  readonly #schedule: (callback: () => void) => void;

  constructor(schedule: (callback: () => void) => void = queueMicrotask) {
    this.#schedule = schedule;
  }

  /** Flushes this item after the current call. */
  soon(item: Flushing): void {
    if (this.#items.push(item) === 1) this.#schedule(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    const items = this.#items;
    this.#items = [];
    let next = 0;
    this.isFlushing = true;
    try {
      while (next < items.length) {
        const item = items[next++]!;
        item.context.runInAsyncScope(item.flush, item);
      }
    } finally {
      this.isFlushing = false;
      // An item that throws does not stop the others.
      for (const item of items.slice(next)) this.soon(item);
    }
  };
}

type Method<Receiver, First, Second> = (this: Receiver, first: First, second: Second) => void;

/** What is to be called, in groups of five: context, method, receiver and two arguments. */
let queue: unknown[] = [];

/**
 * Calls a method after the current call, in its async context and in FIFO order. One microtask serves all calls that are
 * asked for meanwhile: Node.js makes three objects for each one, and a call would take a closure besides.
 */
export function soon<Receiver, First = undefined, Second = undefined>(
  context: AsyncContext,
  method: Method<Receiver, First, Second>,
  receiver: Receiver,
  first?: First,
  second?: Second,
): void {
  if (queue.push(context, method, receiver, first, second) === size) queueMicrotask(callAll);
}

const size = 5;

function callAll(): void {
  const calls = queue;
  queue = [];
  let next = 0;
  try {
    while (next < calls.length) {
      const context = calls[next] as AsyncContext;
      const method = calls[next + 1] as Method<unknown, unknown, unknown>;
      next += size;
      context.runInAsyncScope(method, calls[next - 3], calls[next - 2], calls[next - 1]);
    }
  } finally {
    // A method that throws does not stop the others.
    if (next < calls.length) {
      queue = [...calls.slice(next), ...queue];
      queueMicrotask(callAll);
    }
  }
}
