/** How much is measured. */
export interface Effort {
  /** How many times the processes of a workload are started: what differs from start to start is part of the spread. */
  readonly launches: number;
  /** Pairs of runs for each start. */
  readonly pairs: number;
  /** Milliseconds of load before the first run, and in each run. */
  readonly warm: number;
  readonly run: number;
  /** Runs of what needs a process of its own for each. */
  readonly single: number;
  /** By what the number of connections is divided, of those that are opened once. */
  readonly divisor: number;
  /** Whether runs are long enough for `wrk`, which takes a second at least. */
  readonly wrk: boolean;
}

/** For the table: a few pairs for each start, of many contenders. */
export const thorough: Effort = { launches: 3, pairs: 3, warm: 700, run: 400, single: 5, divisor: 1, wrk: true };
export const quick: Effort = { launches: 1, pairs: 3, warm: 250, run: 120, single: 2, divisor: 5, wrk: false };

/**
 * For a comparison of two builds: fewer contenders and more pairs, since a verdict needs nine of them to be sure of
 * anything.
 */
export function comparing(effort: Effort): Effort {
  return effort.launches > 1 ? { ...effort, pairs: 5, single: 9 } : { ...effort, pairs: 9, single: 7 };
}

/** What stands ready for measuring: prepared by the script that starts the bench. */
export interface Environment {
  /** The folder of `programs/`. */
  readonly programs: string;
  /** The file that servers of files send. */
  readonly file: string;
  /** The path of serval's `index.js` by contender: of the build that is measured, and of an older one. */
  readonly builds: Readonly<Record<string, { readonly path: string; readonly version: string }>>;
  /** Commands of runtimes other than Node.js that are installed. */
  readonly runtimes: Readonly<Record<string, string>>;
  readonly wrk: boolean;
  /** The cores of the process under test, and of the load; undefined where processes can't be pinned. */
  readonly testCore?: number;
  readonly loadCore?: number;
  readonly effort: Effort;
}
