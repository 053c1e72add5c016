// The kinds of failure, and the choice of the operation that fails in a run.
import { invalidArgument, show } from "../core/internal.ts";

/** The operations of a stream that are counted and failed. */
export type Verb = "read" | "write" | "shutdown" | "watch";

/**
 * What `everyFailure` does to an operation:
 *
 * - `error`: it fails with `testing.failure`, as do all in flight and all later ones; the peer sees nothing of that
 * - `end`: a read or watch finds the end of the stream, as do all later ones; writes go on
 * - `reset`: the connection is reset, on both sides: `core.connection_reset`
 * - `abort`: the run's signal aborts, a microtask after the operation has started
 * - `delay`: it starts in a later turn of the event loop, after whatever is ready
 * - `stall`: it starts an hour later by the run's clock, so that every deadline expires before
 * - `short`: a read delivers one byte, a write takes one
 */
export type Failure = "error" | "end" | "reset" | "abort" | "delay" | "stall" | "short";

const verbs: readonly Verb[] = ["read", "write", "shutdown", "watch"];

/** The operations that each failure applies to. */
const victims: Readonly<Record<Failure, readonly Verb[]>> = {
  error: verbs,
  end: ["read", "watch"],
  reset: verbs,
  abort: verbs,
  delay: verbs,
  stall: verbs,
  short: ["read", "write"],
};

/** All failures. */
export const everyKind = Object.keys(victims) as readonly Failure[];

/** Failures that change only the timing and the pieces: a scenario must still succeed. */
export const harmless: readonly Failure[] = ["delay", "short"];

/** The single failure of a run: of the n-th operation that it applies to, or of the n-th one of a verb. */
export class Plan {
  readonly failure: Failure;
  readonly #count: number;
  readonly #verb: Verb | undefined;
  readonly #started: Record<Verb, number> = { read: 0, write: 0, shutdown: 0, watch: 0 };
  #seen = 0;
  /** The operation that failed: `write 3 reset`. Undefined before. */
  met: string | undefined;

  constructor(failure: Failure, count: number, verb?: Verb) {
    this.failure = failure;
    this.#count = count;
    this.#verb = verb;
  }

  /** The plan of a run that is repeated by its name. Throws `core.invalid_argument` for an invalid name. */
  static parse(name: string): Plan {
    const [, verb, count, failure] = /^(\w+) ([1-9]\d*) (\w+)$/.exec(name) ?? [];
    if (victims[failure as Failure]?.includes(verb as Verb) === true) {
      return new Plan(failure as Failure, Number(count), verb as Verb);
    }
    throw invalidArgument(`only must be the name of a run, such as "write 3 reset", not ${show(name)}`);
  }

  /** Counts an operation that starts; returns its failure, if any. */
  next(verb: Verb): Failure | undefined {
    this.#started[verb]++;
    if (victims[this.failure].includes(verb)) this.#seen++;
    else return undefined;
    const count = this.#verb === undefined ? this.#seen : this.#started[verb];
    if (this.met !== undefined || count !== this.#count || verb !== (this.#verb ?? verb)) return undefined;
    this.met = `${verb} ${this.#started[verb]} ${this.failure}`;
    return this.failure;
  }
}
