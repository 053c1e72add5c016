/** A FIFO queue of bounded size, in memory that does not grow. Pure. */
export class Ring<Item> {
  readonly #items: (Item | undefined)[];
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#items = Array.from({ length: capacity });
  }

  /** How many items there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item at the end. There must be room. */
  push(item: Item): void {
    this.#items[(this.#head + this.#size++) % this.#items.length] = item;
  }

  /** Removes and returns the first item; undefined if there is none. */
  shift(): Item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#items.length;
    this.#size--;
    return item;
  }
}
