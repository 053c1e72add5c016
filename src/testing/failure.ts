// What may become of an operation of a stream, and which operation of a run it becomes of.
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
 * - `delay`: it starts after all else that is ready, in a later turn of the event loop
 * - `stall`: it starts an hour later by the run's clock, so that every deadline expires before
 * - `short`: a read delivers one byte, a write takes one
 */
export type Failure = "error" | "end" | "reset" | "abort" | "delay" | "stall" | "short";

const verbs: readonly Verb[] = ["read", "write", "shutdown", "watch"];

/** Which operations each failure may become of. */
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

/** The failures that change when things happen and in which pieces, not whether: a scenario has to succeed all the same. */
export const harmless: readonly Failure[] = ["delay", "short"];

/** The one failure of a run: of the n-th operation that it may become of, or of the n-th one of a verb. */
export class Plan {
  readonly failure: Failure;
  readonly #count: number;
  readonly #verb: Verb | undefined;
  readonly #started: Record<Verb, number> = { read: 0, write: 0, shutdown: 0, watch: 0 };
  #seen = 0;
  /** What it became of: `write 3 reset`. Undefined before. */
  met: string | undefined;

  constructor(failure: Failure, count: number, verb?: Verb) {
    this.failure = failure;
    this.#count = count;
    this.#verb = verb;
  }

  /** The plan of a run that is repeated by its name. Throws `core.invalid_argument` for what is no name of a run. */
  static parse(name: string): Plan {
    const [, verb, count, failure] = /^(\w+) ([1-9]\d*) (\w+)$/.exec(name) ?? [];
    if (victims[failure as Failure]?.includes(verb as Verb) === true) {
      return new Plan(failure as Failure, Number(count), verb as Verb);
    }
    throw invalidArgument(`only must be the name of a run, such as "write 3 reset", not ${show(name)}`);
  }

  /** Counts an operation that starts; returns what becomes of it. */
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
