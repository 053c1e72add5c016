/**
 * Messages of one connection that wait for an answer, in order, each with the time at which it was sent or due. They
 * are numbered; numbers begin at 0 again after `numbers` messages. Pure.
 */
export class InFlight {
  /** How many messages are in flight. */
  count = 0;
  /** The number that the next message gets. */
  next = 0;
  readonly #times: Float64Array;
  readonly #numbers: number;
  #head = 0;

  constructor(atMost: number, numbers: number) {
    this.#times = new Float64Array(atMost);
    this.#numbers = numbers;
  }

  /** Adds a message, which gets the number `next`. There must be room. */
  add(time: number): void {
    const at = this.#head + this.count++;
    this.#times[at < this.#times.length ? at : at - this.#times.length] = time;
    this.next = this.next + 1 === this.#numbers ? 0 : this.next + 1;
  }

  /** How many messages in flight were sent before the one with this number; -1 if this one is not in flight. */
  before(number: number): number {
    const first = this.next - this.count;
    const place = (((number - first) % this.#numbers) + this.#numbers) % this.#numbers;
    return place < this.count ? place : -1;
  }

  /** Removes the oldest message and returns its time. There must be one. */
  take(): number {
    const time = this.#times[this.#head]!;
    this.#head = this.#head + 1 === this.#times.length ? 0 : this.#head + 1;
    this.count--;
    return time;
  }
}
