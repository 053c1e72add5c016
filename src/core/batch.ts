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
