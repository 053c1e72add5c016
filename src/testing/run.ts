import { ServalError, type ByteStream } from "../core/index.ts";
import { harmless, type Failure, type Plan, type Verb } from "./failure.ts";
import { FaultyStream, stallMs, type FaultyStreamOwner } from "./faulty-stream.ts";
import { pair, type PairOptions, type PairStream } from "./pair.ts";
import { turn, VirtualClock } from "./virtual-clock.ts";

/** The tools that a scenario of `everyFailure` gets for one run: streams whose operations fail, and checks. */
export interface Run {
  /** The failure of this run; undefined in the first, in which none is injected. */
  readonly failure: Failure | undefined;
  /** What has failed so far: `write 3 reset`; undefined while nothing has. */
  readonly met: string | undefined;
  /**
   * A clock for this run. It advances to its next timer whenever nothing else happens; at the end it must have no
   * timer.
   */
  readonly clock: VirtualClock;
  /** A signal that aborts if the failure is `abort`. At the end it must have no listener. */
  readonly signal: AbortSignal;
  /** Two connected streams, as from `pair()`. The operations of the first are counted and fail. */
  readonly pair: (options?: PairOptions, peerOptions?: PairOptions) => [FaultyStream, PairStream];
  /** A stream over another, whose operations are counted and fail. At the end it must be closed. */
  readonly wrap: (stream: ByteStream) => FaultyStream;
  /**
   * Starts an operation with a completion handler that must be called exactly once, and not inside `start`. Fulfils
   * with its arguments: `const [error, bytes] = await once((done) => stream.readSome(done))`.
   */
  readonly once: <Values extends unknown[]>(start: (done: (...values: Values) => void) => void) => Promise<Values>;
  /** Returns a promise that must settle before the run is over; it need not be awaited. */
  readonly track: <Value>(promise: Promise<Value>) => Promise<Value>;
}

/** A scenario, called with one run. */
export type Scenario = (run: Run) => unknown;

/** If nothing happens for this many turns of the event loop, nothing will until a timer expires. */
const idleTurns = 50;

/** How many turns a run has after its end, for events that must not come. */
const lastTurns = 2;

/** One run: its streams, events and checks. */
export class RunState implements Run, FaultyStreamOwner {
  readonly clock: VirtualClock = new VirtualClock();
  readonly #plan: Plan | undefined;
  readonly #patience: number;
  readonly #streams: FaultyStream[] = [];
  readonly #controller = new AbortController();
  /** The listeners on the signal, each with whether it removes itself when called. */
  readonly #listeners = new Map<unknown, boolean>();
  /** Promises and handlers that are awaited. */
  #pending = 0;
  /** A count of all events. */
  #activity = 0;
  #violation: string | undefined;
  #isSignalUsed = false;
  #hasStarted = false;

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

  /** Whether the scenario has asked for the signal; otherwise aborting it would have no effect. */
  get isSignalUsed(): boolean {
    return this.#isSignalUsed;
  }

  /** Whether an operation has started on a stream of `pair` or `wrap`; otherwise nothing can fail. */
  get hasStarted(): boolean {
    return this.#hasStarted;
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
          if (isInside) this.#violation ??= "a handler was called inside the call that it was passed to";
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
    this.#hasStarted = true;
    return this.#plan?.next(verb);
  }

  completed(): void {
    this.#activity++;
  }

  abort(): void {
    this.#controller.abort();
    for (const [listener, isOnce] of this.#listeners) if (isOnce) this.#listeners.delete(listener);
  }

  /** Runs the scenario. Rejects with its error, unless the failure excuses that, or with a rule broken at its end. */
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

  /** Whether the scenario's error is an allowed outcome of the failure. */
  #isExcused(error: unknown): boolean {
    const { failure, met } = this;
    if (failure === undefined || met === undefined || harmless.includes(failure)) return false;
    if (failure === "abort" && error === this.#controller.signal.reason) return true;
    return error instanceof ServalError && error.condition !== "misuse";
  }

  /** What a run that does not end waits for. */
  #waiting(): string {
    const operations = this.#streams.flatMap(({ inFlight }, index) =>
      inFlight.map((verb) => `a ${verb} of stream ${index + 1}`),
    );
    if (operations.length > 0) return `${operations.join(" and ")} is in flight`;
    return (
      "no operation is in flight. Timers outside the run's clock are not seen: pass `clock` to what sets them, " +
      `or wait longer for them with the option patience, now ${this.#patience} milliseconds`
    );
  }

  /** What a run has left that it must not. */
  #leftOver(): string | undefined {
    if (this.#pending > 0) return `${this.#pending} handlers or promises were never called or settled`;
    const open = this.#streams.findIndex(({ closed }) => !closed);
    if (open >= 0) return `stream ${open + 1} is not closed at the end`;
    if (this.clock.pending > 0) return `${this.clock.pending} timers are left`;
    if (this.#listeners.size > 0) return `${this.#listeners.size} listeners are left on the signal`;
    return undefined;
  }

  /** Keeps track of a signal's listeners. */
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
