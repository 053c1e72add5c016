/**
 * Runs something for each of many items from one microtask: one for each of them costs more than most of what is done
 * there, and a function of its own for each would be held by each.
 */
export class Batch<Item> {
  readonly #run: (item: Item) => void;
  #items: Item[] = [];

  constructor(run: (item: Item) => void) {
    this.#run = run;
  }

  /** Runs it for this item, after the current call. */
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
      // One that throws costs no other its turn.
      for (const item of items.slice(next)) this.soon(item);
    }
  };
}
