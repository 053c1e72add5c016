// What is random in tests: the settings of every property, a test with generated inputs, and plain numbers.
import * as fc from "fast-check";

/** Where generated inputs start: always at 1 in `npm test`, so that it says of a change what it said before. */
export const seed = Number(process.env.SEED ?? 1);

/** How many inputs are generated: a quarter where the same ones come every time, all where the seed is another. */
export function runs(count: number): number {
  return process.env.SEED === undefined ? Math.ceil(count / 4) : count;
}

fc.configureGlobal({ seed, numRuns: runs(100) });

let state = seed;

/** Another number from 0 to 1, of a linear congruential generator, for tests that make their inputs by hand. */
export function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

export { fc };
