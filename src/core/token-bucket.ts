/**
 * The level of a token bucket after some milliseconds: it fills at `rate` per millisecond, up to `capacity`. A level
 * below 0 is a debt, since the size of a read is not known before.
 */
export function refilled(level: number, capacity: number, rate: number, milliseconds: number): number {
  return Math.min(capacity, level + milliseconds * rate);
}
