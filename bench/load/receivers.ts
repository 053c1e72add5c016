import { Run, type LoadResult } from "./run.ts";
import type { Wire } from "./wire.ts";

/** Connections that receive what a server broadcasts. */
export class Receivers {
  readonly #wires: readonly Wire[];
  /** How many bytes were awaited and have not come; less than 0 if they came before they were awaited. */
  #missing = 0;
  #run: Run | undefined;
  #began = 0;
  /** What the first connection has received, until that is compared. */
  #sample: Buffer | undefined = Buffer.alloc(0);

  constructor(wires: readonly Wire[]) {
    this.#wires = wires;
    for (const [i, wire] of wires.entries()) {
      wire.onData = (bytes, length) => {
        if (i === 0 && this.#sample !== undefined)
          this.#sample = Buffer.concat([this.#sample, bytes.subarray(0, length)]);
        this.#onData(length);
      };
      wire.onEnd = () => this.#run?.fail(new Error("the server ended a connection"));
    }
  }

  /** Waits until so many bytes have come in all. The one operation that the result counts is this. */
  receive(bytes: number): Promise<LoadResult> {
    this.#missing += bytes;
    this.#began = performance.now();
    this.#run = new Run();
    this.#onData(0);
    return this.#run.result;
  }

  /** Compares what the first connection has received until now with this. For the first messages alone. */
  check(expected: Buffer): void {
    const isRight = this.#sample?.equals(expected);
    this.#sample = undefined;
    if (isRight !== true) throw new Error("what came is not what was published");
  }

  #onData(length: number): void {
    this.#missing -= length;
    if (this.#missing > 0 || this.#run === undefined) return;
    const run = this.#run;
    this.#run = undefined;
    run.done(this.#began);
    if (this.#missing < 0) run.fail(new Error("more came than was published"));
    else run.finish();
  }

  close(): void {
    for (const wire of this.#wires) wire.close();
  }
}
