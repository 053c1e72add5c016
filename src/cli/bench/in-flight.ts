/**
 * The messages of a connection whose answers are out, in their order: when each was sent, or was due. They have numbers,
 * which begin at 0 again after `numbers`. Pure.
 */
export class InFlight {
  /** How many there are. */
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

  /** A message is sent: it has the number `next`. There is room. */
  add(time: number): void {
    const at = this.#head + this.count++;
    this.#times[at < this.#times.length ? at : at - this.#times.length] = time;
    this.next = this.next + 1 === this.#numbers ? 0 : this.next + 1;
  }

  /** How many were sent before the one with this number and are still out; -1 if it is not out itself. */
  before(number: number): number {
    const first = this.next - this.count;
    const place = (((number - first) % this.#numbers) + this.#numbers) % this.#numbers;
    return place < this.count ? place : -1;
  }

  /** The time of the oldest, which is out no more. There is one. */
  take(): number {
    const time = this.#times[this.#head]!;
    this.#head = this.#head + 1 === this.#times.length ? 0 : this.#head + 1;
    this.count--;
    return time;
  }
}
