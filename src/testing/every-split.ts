import { checkNumber, checkOptions, invalidArgument, isPromise, optionSet, show } from "../core/internal.ts";
import { testingError } from "./errors.ts";

/** Options of {@link everySplit}. */
export interface EverySplitOptions {
  /** Up to this many split positions are all tried; beyond it, this many random splits are. Default 1,000. */
  maxSplits?: number;
  /** The seed of the random splits. Default 1. */
  seed?: number;
  /** Repeats a single split, by the name in a failed one's error: `"at 17"`. */
  only?: string;
  /**
   * How long a promise of the scenario may take before it counts as hanging, in milliseconds of real time; Infinity for
   * no limit. Default 10,000.
   */
  patience?: number;
}

const options = optionSet("everySplit", ["maxSplits", "seed", "only", "patience"], "{ seed: 7 }");

/** Processes bytes in pieces; `name` says how they were split: `whole`, `byte by byte`, `at 17`, `random 3`. */
export type SplitScenario<Result = unknown> = (pieces: Uint8Array[], name: string) => Result;

/**
 * Passes bytes to a scenario in pieces, as a stream may deliver them: whole, byte by byte, and in two at each position;
 * with more positions than `maxSplits`, in two to nine pieces at random ones. No piece is empty. The pieces are copies,
 * so the scenario may overwrite them, to show that they are not used any more.
 *
 * The first split that fails ends it with `testing.run_failed`, whose message has the split's name and whose `cause` is
 * the scenario's error; so does one whose promise has not settled within `patience`. Returns a promise for a scenario
 * that returns one, nothing for any other. Throws `core.invalid_argument`, also then, for any other kind of bytes,
 * scenario or option.
 */
export function everySplit(
  bytes: Uint8Array,
  scenario: SplitScenario<Promise<unknown>>,
  given?: EverySplitOptions,
): Promise<void>;
export function everySplit(bytes: Uint8Array, scenario: SplitScenario, given?: EverySplitOptions): void;
export function everySplit(
  bytes: Uint8Array,
  scenario: SplitScenario,
  given: EverySplitOptions = {},
): Promise<void> | void {
  if (!(bytes instanceof Uint8Array)) {
    throw invalidArgument(`everySplit takes the bytes as a Uint8Array, not ${show(bytes)}`);
  }
  if (typeof scenario !== "function") {
    throw invalidArgument(`everySplit takes a function, such as (pieces) => …, not ${show(scenario)}`);
  }
  checkOptions(options, given);
  const maxSplits = checkNumber("maxSplits", given.maxSplits, 1000);
  const seed = checkNumber("seed", given.seed, 1);
  const patience = checkNumber("patience", given.patience, 10_000, { unit: "milliseconds" });
  const { only } = given;
  const all = waysToSplit(bytes.length, maxSplits, seed);
  const ways = only === undefined ? all : all.filter(([name]) => name === only);
  if (ways.length === 0)
    throw invalidArgument(`${bytes.length} bytes are not split ${show(only)}: there are ${names(all)}`);
  return tryAll(bytes, scenario, ways[Symbol.iterator](), patience);
}

/** A way to split bytes: its name, and where each piece after the first begins. */
type Way = readonly [name: string, cuts: readonly number[]];

/** Tries one split after the other; waits if the scenario returns a promise. */
function tryAll(
  bytes: Uint8Array,
  scenario: SplitScenario,
  ways: Iterator<Way>,
  patience: number,
): Promise<void> | void {
  for (let next = ways.next(); next.done !== true; next = ways.next()) {
    const [name, cuts] = next.value;
    const fail = (cause: unknown): never => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const message = `The scenario fails with its bytes split ${show(name)}: ${reason}. To repeat it alone: { only: ${show(name)} }`;
      throw testingError("testing.run_failed", { cause, message });
    };
    try {
      const outcome = scenario(piecesOf(bytes, cuts), name);
      if (isPromise(outcome)) {
        return settled(outcome, patience).then(() => tryAll(bytes, scenario, ways, patience), fail);
      }
    } catch (cause) {
      fail(cause);
    }
  }
}

/** Settles as a promise does, and rejects if that takes longer than `patience` milliseconds. */
function settled(outcome: PromiseLike<unknown>, patience: number): Promise<unknown> {
  if (patience === Infinity) return Promise.resolve(outcome);
  return new Promise((resolve, reject) => {
    const hangs = new Error(`its promise has not settled within ${patience} ms (the option patience)`);
    // It keeps the process alive: a hanging scenario may have nothing else that does.
    const timer = setTimeout(() => reject(hangs), patience);
    const done =
      <Value>(settle: (value: Value) => void) =>
      (value: Value): void => {
        clearTimeout(timer);
        settle(value);
      };
    outcome.then(done(resolve), done(reject));
  });
}

function waysToSplit(length: number, maxSplits: number, seed: number): readonly Way[] {
  const places = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  const ways: Way[] = [["whole", []]];
  if (places.length > 0) ways.push(["byte by byte", places]);
  if (places.length <= maxSplits) return [...ways, ...places.map((at): Way => [`at ${at}`, [at]])];
  const random = randomNumbers(seed);
  for (let count = 1; count <= maxSplits; count++) {
    const cuts = Array.from({ length: 1 + Math.floor(random() * 8) }, () => 1 + Math.floor(random() * (length - 1)));
    ways.push([`random ${count}`, [...new Set(cuts)].toSorted((a, b) => a - b)]);
  }
  return ways;
}

function piecesOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  if (bytes.length === 0) return [];
  // Not slice: a Buffer's is no copy.
  return [0, ...cuts].map((begin, index) => new Uint8Array(bytes.subarray(begin, cuts[index])));
}

function names(ways: readonly Way[]): string {
  const all = ways.map(([name]) => name);
  return all.length > 5 ? `${all.slice(0, 3).join(", ")}, … and ${all.at(-1)}` : all.join(", ");
}

/** Numbers from 0 to 1 from a linear congruential generator. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
