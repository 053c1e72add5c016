/** Counts what happens between one turn of the event loop and the next. */
export class TurnCounter {
  /** The most that was counted in one turn. */
  most = 0;
  #inTurn = 0;

  count(amount = 1): void {
    this.#inTurn += amount;
    this.most = Math.max(this.most, this.#inTurn);
  }

  /** Watches turns until `work` is done, and a hundred more. */
  async during(work: () => Promise<unknown>): Promise<void> {
    let left = Infinity;
    const working = work().finally(() => (left = 100));
    while (left-- > 0) {
      this.#inTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    await working;
  }
}
