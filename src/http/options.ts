import { invalidArgument } from "../core/errors.ts";
import { isPlainObject } from "../core/plain-object.ts";

// What options can't be: a limit that is no number would be none, and a misspelt one is not there.

/** Refuses what is no plain object, or has a name that is none of these, with `core.invalid_argument`. `owner` says whose they are. */
export function checkOptions(owner: string, options: unknown, names: readonly string[], prefix = ""): void {
  if (!isPlainObject(options)) throw invalidArgument(`The options of ${owner} are a plain object`);
  const unknown = Object.keys(options as object).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw invalidArgument(`${owner} has no option "${prefix}${unknown}": there are ${names.join(", ")}`);
  }
}

/** An option that is a number of bytes, fields or milliseconds, not below 0; Infinity for no limit. */
export function checkNumber(name: string, value: number | undefined, byDefault: number): number {
  const given = value === undefined ? byDefault : value;
  if (typeof given === "number" && given >= 0) return given;
  throw invalidArgument(`The option ${name} must be a number, not below 0; Infinity is for no limit`);
}
