import assert from "node:assert/strict";
import type { ByteStream, ServalError } from "../../../src/core/index.ts";
import type { EveryFailureOptions, Run } from "../../../src/testing/index.ts";
import { anyFailure } from "../../support/any-failure.ts";
import { outcomes } from "../../support/outcomes.ts";
import { quiet } from "../../support/quiet.ts";

/** Receives the outcome of an operation. */
export type Done = (error?: ServalError) => void;

/** A stream in a run, and what becomes of the operations on it. */
export class Using<Stream extends ByteStream = ByteStream> {
  readonly run: Run;
  readonly stream: Stream;
  readonly #ended: Promise<unknown>[] = [];
  readonly #codes: (string | undefined)[] = [];
  #isOver = false;

  constructor(run: Run, stream: Stream) {
    this.run = run;
    this.stream = stream;
  }

  /** Starts an operation, whose handler is called once; `inside` runs in it. */
  start(start: (done: Done) => void, inside?: () => void): void {
    const outcome = this.run.once<[error?: ServalError]>((done) =>
      start((error) => {
        this.#codes.push(error?.code);
        done(error);
        inside?.();
      }),
    );
    this.#ended.push(outcome.catch((misuse: ServalError) => this.#codes.push(misuse.code)));
  }

  /** Starts a watch, whose handler is called at most once: not where another operation ends it. */
  startWatch(inside?: () => void): void {
    let calls = 0;
    this.start((done) => {
      this.stream.watch((error) => {
        assert.equal(++calls, 1, "a watch tells once");
        // One without anything to tell sees the close that ends every run.
        if (this.#isOver) return;
        this.#codes.push(error?.code);
        inside?.();
      });
      queueMicrotask(done);
    });
  }

  /** Waits for all of it, and closes the stream: no error may be another than what the failure leads to, or one of these. */
  async finish(known: readonly string[]): Promise<void> {
    for (let count = 0; count < this.#ended.length; count++) await this.#ended[count];
    this.#isOver = true;
    this.stream.close();
    await quiet();
    const expected = outcomes(this.run, undefined, ...known);
    for (const code of this.#codes) assert.ok(expected.includes(code), `${code}, not ${expected.join()}`);
  }
}

/** Runs a scenario whatever fails below, and says which it was if that does not hold. */
export async function holds(
  what: string,
  scenario: (run: Run) => Promise<unknown>,
  options: EveryFailureOptions = {},
): Promise<readonly string[]> {
  return anyFailure(scenario, options).catch((cause: Error) => {
    throw new Error(`${what}: ${cause.message}`, { cause });
  });
}
