/**
 * Runs a function for many items from one microtask. A microtask for each would cost more than most of the work, and a
 * function for each would be held by each.
 */
export class Batch<Item> {
  readonly #run: (item: Item) => void;
  #items: Item[] = [];

  constructor(run: (item: Item) => void) {
    this.#run = run;
  }

  /** Runs the function for this item, after the current call. */
  soon(item: Item): void {
    if (this.#items.push(item) === 1) queueMicrotask(this.#runAll);
  }

  readonly #runAll = (): void => {
    const items = this.#items;
    this.#items = [];
    let next = 0;
    try {
      while (next < items.length) this.#run(items[next++]!);
    } finally {
      // An item that throws does not stop the others.
      for (const item of items.slice(next)) this.soon(item);
    }
  };
}
