import { ServalError, type ByteStream } from "../core/index.ts";
import { harmless, type Failure, type Plan, type Verb } from "./failure.ts";
import { FaultyStream, stallMs, type FaultyStreamOwner } from "./faulty-stream.ts";
import { pair, type PairOptions, type PairStream } from "./pair.ts";
import { turn, VirtualClock } from "./virtual-clock.ts";

/** What one run of a scenario of `everyFailure` is given: streams whose operations fail, and what checks the rest. */
export interface Run {
  /** The failure of this run; undefined in the first, in which nothing fails. */
  readonly failure: Failure | undefined;
  /** What has failed so far: `write 3 reset`; undefined while nothing has. */
  readonly met: string | undefined;
  /**
   * A clock for this run. It moves on to its next timer by itself whenever nothing else happens any more; at the end no
   * timer of it may be left.
   */
  readonly clock: VirtualClock;
  /** A signal that aborts where the failure is `abort`. At the end no listener of it may be left. */
  readonly signal: AbortSignal;
  /** Two connected streams, as `pair()` makes them. The operations of the first are counted and fail, those of the second don't. */
  readonly pair: (options?: PairOptions, peerOptions?: PairOptions) => [FaultyStream, PairStream];
  /** A stream over any other, whose operations are counted and fail. At the end it has to be closed. */
  readonly wrap: (stream: ByteStream) => FaultyStream;
  /**
   * Starts an operation with a completion handler that has to be called exactly once, and not inside `start`. Fulfils with
   * what it was called with: `const [error, bytes] = await once((done) => stream.readSome(done))`.
   */
  readonly once: <Values extends unknown[]>(start: (done: (...values: Values) => void) => void) => Promise<Values>;
  /** Returns a promise that has to settle before the run is over; nobody else need await it. */
  readonly track: <Value>(promise: Promise<Value>) => Promise<Value>;
}

/** What a scenario does with one run. */
export type Scenario = (run: Run) => unknown;

/** So many turns of the event loop without anything happening mean that nothing will: until a timer expires. */
const idleTurns = 50;

/** So many turns after its end a run has for what should not come any more. */
const lastTurns = 2;

/** One run: its streams, what it has been told, and whether it holds. */
export class RunState implements Run, FaultyStreamOwner {
  readonly clock: VirtualClock = new VirtualClock();
  readonly #plan: Plan | undefined;
  readonly #patience: number;
  readonly #streams: FaultyStream[] = [];
  readonly #controller = new AbortController();
  /** The listeners on the signal, each with whether it goes by itself when it was called. */
  readonly #listeners = new Map<unknown, boolean>();
  /** Promises and handlers that are waited for. */
  #pending = 0;
  /** How much has happened. */
  #activity = 0;
  #violation: string | undefined;
  #isSignalUsed = false;

  constructor(plan: Plan | undefined, patience: number) {
    this.#plan = plan;
    this.#patience = patience;
    this.#watch(this.#controller.signal);
  }

  get failure(): Failure | undefined {
    return this.#plan?.failure;
  }

  get met(): string | undefined {
    return this.#plan?.met;
  }

  get signal(): AbortSignal {
    this.#isSignalUsed = true;
    return this.#controller.signal;
  }

  /** Whether the scenario has asked for the signal: otherwise it is the same whether that aborts. */
  get isSignalUsed(): boolean {
    return this.#isSignalUsed;
  }

  readonly pair = (options?: PairOptions, peerOptions?: PairOptions): [FaultyStream, PairStream] => {
    const [stream, peer] = pair(options, peerOptions);
    return [this.wrap(stream), peer];
  };

  readonly wrap = (stream: ByteStream): FaultyStream => {
    const made = new FaultyStream(stream, this);
    this.#streams.push(made);
    return made;
  };

  readonly once = <Values extends unknown[]>(start: (done: (...values: Values) => void) => void): Promise<Values> =>
    new Promise((resolve, reject) => {
      let calls = 0;
      let isInside = true;
      this.#pending++;
      try {
        start((...values) => {
          if (isInside) this.#violation ??= "a handler was called inside the call that it was given to";
          if (++calls > 1) this.#violation ??= "a handler was called twice";
          else this.#pending--;
          this.#activity++;
          resolve(values);
        });
      } catch (error) {
        if (calls === 0) this.#pending--;
        reject(error as Error);
      }
      isInside = false;
    });

  readonly track = <Value>(promise: Promise<Value>): Promise<Value> => {
    const settled = (): void => {
      this.#pending--;
      this.#activity++;
    };
    this.#pending++;
    promise.then(settled, settled);
    return promise;
  };

  started(verb: Verb): Failure | undefined {
    this.#activity++;
    return this.#plan?.next(verb);
  }

  completed(): void {
    this.#activity++;
  }

  abort(): void {
    this.#controller.abort();
    for (const [listener, isOnce] of this.#listeners) if (isOnce) this.#listeners.delete(listener);
  }

  /** Runs the scenario. Rejects with what it rejects with, unless its failure excuses that, or with what does not hold at its end. */
  async perform(scenario: Scenario): Promise<void> {
    try {
      const outcome = Promise.resolve(this).then(scenario);
      if (!(await this.#isSettled(outcome))) throw new Error(`nothing happens any more, and ${this.#waiting()}`);
      await outcome.catch((error: unknown) => {
        if (!this.#isExcused(error)) throw error;
      });
      for (let count = 0; count < lastTurns; count++) await turn();
      const violation = this.#violation ?? this.#leftOver();
      if (violation !== undefined) throw new Error(violation);
    } finally {
      for (const stream of this.#streams) stream.close();
    }
  }

  /** Whether a promise settles, now or by the timers of the clock. */
  async #isSettled(promise: Promise<unknown>): Promise<boolean> {
    const state = { isSettled: false };
    const settle = (): void => void (state.isSettled = true);
    promise.then(settle, settle);
    let [idle, activity, since] = [0, -1, 0];
    for (await turn(); !state.isSettled; await turn(idle > idleTurns ? 1 : 0)) {
      if (this.#activity !== activity) [idle, activity, since] = [0, this.#activity, performance.now()];
      else if (++idle > idleTurns) {
        const mayMove = this.clock.now() <= 2 * stallMs;
        if (mayMove && (await this.clock.advanceToNext())) idle = 0;
        else if (!mayMove || performance.now() - since > this.#patience) return state.isSettled;
      }
    }
    return true;
  }

  /** Whether an error of the scenario is what the failure may lead to. */
  #isExcused(error: unknown): boolean {
    const { failure, met } = this;
    if (failure === undefined || met === undefined || harmless.includes(failure)) return false;
    if (failure === "abort" && error === this.#controller.signal.reason) return true;
    return error instanceof ServalError && error.condition !== "misuse";
  }

  /** What a run that does not end may be waiting for. */
  #waiting(): string {
    const operations = this.#streams.flatMap(({ inFlight }, index) =>
      inFlight.map((verb) => `a ${verb} of stream ${index + 1}`),
    );
    return operations.length === 0 ? "no operation is in flight" : `${operations.join(" and ")} is in flight`;
  }

  /** What a run may not leave. */
  #leftOver(): string | undefined {
    if (this.#pending > 0) return `${this.#pending} handlers or promises were never called or settled`;
    const open = this.#streams.findIndex(({ closed }) => !closed);
    if (open >= 0) return `stream ${open + 1} is not closed at the end`;
    if (this.clock.pending > 0) return `${this.clock.pending} timers are left`;
    if (this.#listeners.size > 0) return `${this.#listeners.size} listeners are left on the signal`;
    return undefined;
  }

  /** Keeps the book on the listeners of a signal. */
  #watch(signal: AbortSignal): void {
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>): void => {
      const [, listener, options] = given;
      this.#listeners.set(listener, typeof options === "object" && options.once === true);
      add(...given);
    };
    signal.removeEventListener = (...given: Parameters<typeof remove>): void => {
      this.#listeners.delete(given[1]);
      remove(...given);
    };
  }
}
