/**
 * When messages are due. In a closed loop a message is due whenever there is room. In an open loop messages are due at
 * a fixed rate, so a message that can't be sent yet is late from then on. Times are milliseconds. Pure.
 */
export class Schedule {
  readonly #rate: number | undefined;
  readonly #start: number;
  readonly #end: number;
  #taken = 0;

  /** `rate` is messages a second, undefined for a closed loop. Messages are due from `start` until before `end`. */
  constructor(rate: number | undefined, start: number, end: number) {
    this.#rate = rate;
    this.#start = start;
    this.#end = end;
  }

  /** When the next message is due; Infinity for never. In a closed loop this is now. */
  next(now: number): number {
    const due = this.#rate === undefined ? now : this.#start + (this.#taken * 1000) / this.#rate;
    return due < this.#end ? due : Infinity;
  }

  /** Counts the next message as sent. */
  take(): void {
    this.#taken++;
  }

  /** How many messages were due since `since` and have not been taken. */
  missed(since: number, now: number): number {
    const rate = this.#rate;
    if (rate === undefined || rate === 0) return 0;
    const dueBefore = (time: number): number => Math.ceil(((time - this.#start) * rate) / 1000);
    return Math.max(0, dueBefore(Math.min(now, this.#end)) - Math.max(this.#taken, dueBefore(since)));
  }
}
