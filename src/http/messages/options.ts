import { checkOptionNames, invalidArgument, isPlainObject } from "../../core/internal.ts";

// What options can't be: a limit that is no number would be none, and a misspelt one is not there.

/** Refuses what is no plain object, or has a name that is none of these, with `core.invalid_argument`. `taker` is who takes them. */
export function checkOptions(taker: string, options: unknown, names: readonly string[]): void {
  if (!isPlainObject(options)) throw invalidArgument(`${taker} takes a plain object of options`);
  checkOptionNames(taker, options as object, names);
}

/** An option that is a number of bytes, fields or milliseconds, not below 0; Infinity for no limit. */
export function checkNumber(name: string, value: number | undefined, byDefault: number): number {
  const given = value === undefined ? byDefault : value;
  if (typeof given === "number" && given >= 0) return given;
  throw invalidArgument(`The option ${name} must be a number, not below 0; Infinity is for no limit`);
}
