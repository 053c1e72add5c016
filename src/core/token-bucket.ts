/**
 * The level of a token bucket after some milliseconds: it fills at `rate` a millisecond, up to `capacity`. A level below
 * 0 is a debt, since a read brings an unknown number of bytes.
 */
export function refilled(level: number, capacity: number, rate: number, milliseconds: number): number {
  return Math.min(capacity, level + milliseconds * rate);
}
