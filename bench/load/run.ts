import { performance } from "node:perf_hooks";
import { percentiles, type Percentiles } from "../statistics.ts";

/** What a run of the load generator came to. */
export interface LoadResult extends Percentiles {
  readonly operations: number;
  readonly seconds: number;
  /** The generator's own processor time over the time that passed. */
  readonly load: number;
}

/** How long nothing may come from a server before the run fails, in milliseconds. */
const patience = 10_000;

/** Keeps the time and the latencies of a run, and ends it: with its result, or with an error if the server falls silent. */
export class Run {
  readonly result: Promise<LoadResult>;
  readonly #began = performance.now();
  readonly #cpu = process.cpuUsage();
  readonly #until: number;
  #latencies = new Float64Array(1 << 16);
  #count = 0;
  readonly #watch: NodeJS.Timeout;
  #resolve!: (result: LoadResult) => void;
  #reject!: (error: Error) => void;

  /** A run of so many milliseconds, after which nothing new is begun; without end if it is the operations that are counted. */
  constructor(milliseconds = Infinity) {
    this.#until = this.#began + milliseconds;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    let seen = 0;
    this.#watch = setInterval(() => {
      if (this.#count === seen) this.fail(new Error(`the server has not replied for ${patience / 1000} s`));
      seen = this.#count;
    }, patience);
  }

  /** Notes `operations` that began at `start` and end now; returns the time. */
  done(start: number, operations = 1): number {
    const now = performance.now();
    if (this.#count + operations > this.#latencies.length) this.#grow(operations);
    this.#latencies.fill((now - start) * 1000, this.#count, this.#count + operations);
    this.#count += operations;
    return now;
  }

  /** Whether the time for new operations is over. */
  isOver(now: number): boolean {
    return now >= this.#until;
  }

  finish(): void {
    clearInterval(this.#watch);
    const seconds = (performance.now() - this.#began) / 1000;
    const { user, system } = process.cpuUsage(this.#cpu);
    const load = (user + system) / 1e6 / seconds;
    this.#resolve({ operations: this.#count, seconds, load, ...percentiles(this.#latencies, this.#count) });
  }

  fail(error: Error): void {
    clearInterval(this.#watch);
    this.#reject(error);
  }

  #grow(operations: number): void {
    const larger = new Float64Array(2 * (this.#count + operations));
    larger.set(this.#latencies);
    this.#latencies = larger;
  }
}
