/** A queue of at most so many items, in memory that does not grow. Pure. */
export class Ring<Item> {
  readonly #items: (Item | undefined)[];
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    this.#items = Array.from({ length: capacity });
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds one after the others. There is room. */
  push(item: Item): void {
    this.#items[(this.#head + this.#size++) % this.#items.length] = item;
  }

  /** Takes the first; undefined if there is none. */
  shift(): Item | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#items.length;
    this.#size--;
    return item;
  }
}
