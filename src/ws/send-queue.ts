/** Something to be sent, that waits for its data or for its turn. */
export interface Step {
  /** How many bytes it is known to have. */
  readonly size: number;
  /** What it has to wait for, if anything, when it is its turn. */
  readonly prepare?: (() => Promise<Uint8Array>) | undefined;
  /** What is done meanwhile, for the error if the socket is closed then: "the blob was being read". */
  readonly doing?: string;
  /** Sends it, with what was prepared. */
  send(prepared: Uint8Array | undefined): void;
  /** It can't be sent. */
  fail(error: Error): void;
}

/** What can't be sent in the call, and all that comes after it, in the order of the calls. */
export class SendQueue {
  /** How many bytes wait. */
  bytes = 0;
  readonly #steps: Step[] = [];
  readonly #isGone: () => boolean;
  readonly #onError: (error: Error) => void;
  #isBusy = false;

  /**
   * `isGone` says whether nothing can be sent any more. `onError` gets the error of a step that could not be prepared, after
   * that step and all others have failed.
   */
  constructor(isGone: () => boolean, onError: (error: Error) => void) {
    this.#isGone = isGone;
    this.#onError = onError;
  }

  /** Whether something waits: what is sent now has to wait too. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  add(step: Step): void {
    this.bytes += step.size;
    this.#steps.push(step);
    if (!this.#isBusy) this.#go();
  }

  #go(): void {
    for (let step = this.#steps[0]; step !== undefined; step = this.#steps[0]) {
      this.#isBusy = step.prepare !== undefined;
      if (step.prepare === undefined) {
        this.#done(step, undefined);
        continue;
      }
      // What is thrown from here on is the application's, and no rejection.
      step.prepare().then(
        (bytes) => process.nextTick(() => this.#prepared(step, bytes)),
        (error: Error) => process.nextTick(() => this.#failed(error)),
      );
      return;
    }
  }

  #prepared(step: Step, bytes: Uint8Array): void {
    if (this.#isGone()) {
      this.#failAll(new Error(`The socket was closed while ${step.doing}`));
      return;
    }
    this.#isBusy = false;
    try {
      this.#done(step, bytes);
    } finally {
      this.#go();
    }
  }

  #done(step: Step, prepared: Uint8Array | undefined): void {
    this.#steps.shift();
    this.bytes -= step.size;
    step.send(prepared);
  }

  #failed(error: Error): void {
    this.#failAll(error);
    this.#onError(error);
  }

  #failAll(error: Error): void {
    for (const step of this.#steps.splice(0)) step.fail(error);
  }
}
