/** Runs jobs that call back, no more than so many at once, in the order in which they came. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting: ((done: () => void) => void)[] = [];
  #running = 0;

  /** 0 is no limit. */
  constructor(limit: number) {
    this.#limit = limit || Infinity;
  }

  /** Starts a job, now or once it is its turn; it calls `done` when it has ended. */
  add(job: (done: () => void) => void): void {
    this.#waiting.push(job);
    this.#run();
  }

  #run(): void {
    if (this.#running >= this.#limit) return;
    const job = this.#waiting.shift();
    if (job === undefined) return;
    this.#running++;
    job(() => {
      this.#running--;
      this.#run();
    });
  }
}
