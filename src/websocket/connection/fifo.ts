/** A list that is filled at its end and emptied at its front. To shift a long array would move all that is left of it. */
export class Fifo<Item> {
  #items: (Item | undefined)[] = [];
  #first = 0;

  /** How many items there are. */
  get length(): number {
    return this.#items.length - this.#first;
  }

  /** The item at the front. */
  get first(): Item | undefined {
    return this.#items[this.#first];
  }

  /** The item that was added last. */
  get last(): Item | undefined {
    return this.#items.at(-1);
  }

  /** Adds an item at the end. */
  push(item: Item): void {
    this.#items.push(item);
  }

  /** Removes the item at the front, if there is one. */
  shift(): void {
    if (this.length === 0) return;
    this.#items[this.#first++] = undefined;
    // Copied only when half of it is used up, so each item is moved about once.
    if (this.#first * 2 < this.#items.length) return;
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }

  /** Removes and returns all items but the last `keep` ones, in order. */
  takeAllBut(keep: number): Item[] {
    const taken = this.#items.slice(this.#first, this.#items.length - keep) as Item[];
    this.#items = this.#items.slice(this.#items.length - keep);
    this.#first = 0;
    return taken;
  }

  [Symbol.iterator](): IterableIterator<Item> {
    return (this.#items.slice(this.#first) as Item[])[Symbol.iterator]();
  }
}
