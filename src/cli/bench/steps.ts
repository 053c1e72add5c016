import type { Histogram } from "./histogram.ts";

/** The values from `from` up to `to`, and how many there are. */
export interface Step {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** A histogram in steps of about a factor of two: 1, 2, 5, 10 and so on. Empty steps between others are included. */
export function stepsOf(histogram: Histogram): Step[] {
  const counts = new Map<number, number>();
  for (const [value, count] of histogram) {
    const index = indexOf(value);
    counts.set(index, (counts.get(index) ?? 0) + count);
  }
  const indexes = [...counts.keys()];
  const steps: Step[] = [];
  for (let index = indexes[0] ?? 0; index <= (indexes.at(-1) ?? -1); index++) {
    steps.push({ from: startOf(index), to: startOf(index + 1), count: counts.get(index) ?? 0 });
  }
  return steps;
}

/**
 * The beginning of a step; there are three to each power of ten. Parsed from decimal text, to have no rounding error:
 * 0.05, not 0.05000…1.
 */
function startOf(index: number): number {
  const power = Math.floor(index / 3);
  return Number(`${[1, 2, 5][index - 3 * power]!}e${power}`);
}

function indexOf(value: number): number {
  // At the very end of a step the logarithm may be rounded up.
  let index = 3 * Math.floor(Math.log10(Math.max(value, 1e-6))) - 1;
  while (startOf(index + 1) <= value) index++;
  return index;
}
