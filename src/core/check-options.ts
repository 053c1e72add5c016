import { invalidArgument } from "./errors.ts";
import { ofOtherLibraries } from "./foreign-options.ts";

/** The options of a function, or of an option that has options of its own. */
export interface OptionSet {
  /** The name of the function or option, for messages. */
  readonly taker: string;
  readonly names: readonly string[];
  /** A valid use, for messages. */
  readonly example: string;
  /** The functions whose option this is, if several have their own of that name. */
  readonly within: readonly string[] | undefined;
}

/** All sets, so that a message can say where a misplaced option belongs. */
const sets: OptionSet[] = [];

/** The options of `taker`, which no advice about an option elsewhere should name. */
export function ownOptions(taker: string, names: readonly string[], example: string): OptionSet {
  return { taker, names, example, within: undefined };
}

/** Declares the options of `taker`, once, when a module is loaded. */
export function optionSet(
  taker: string,
  names: readonly string[],
  example = "",
  within?: readonly string[],
): OptionSet {
  const set = { taker, names, example, within };
  sets.push(set);
  return set;
}

/**
 * Refuses a value that is no plain object, and an unknown option, which would silently have no effect. `taker` replaces
 * the set's name in messages if several functions share one set.
 */
export function checkOptions(set: OptionSet, options: unknown, taker: string = set.taker): void {
  if (!isPlainObject(options)) {
    const example = set.example === "" ? "" : `, such as ${set.example}`;
    throw invalidArgument(`${taker} takes a plain object${example}, not ${show(options)}`);
  }
  // Not Object.keys, which allocates a list: this runs for each operation.
  for (const name in options as object) {
    if (!set.names.includes(name) && Object.hasOwn(options as object, name)) {
      throw invalidArgument(`${taker} has no option ${shortened(name)}: ${advice(name, set)}`);
    }
  }
}

/** What to write instead of an unknown name. */
function advice(name: string, { taker: asked, names }: OptionSet): string {
  const inOtherCase = names.find((each) => each.toLowerCase() === name.toLowerCase());
  if (inOtherCase !== undefined) return `did you mean ${inOtherCase}?`;
  const foreign = ofOtherLibraries(name, names);
  if (foreign !== undefined) return foreign;
  const meant = partOf(name, asked, names) ?? nearest(name, names, 1);
  if (meant !== undefined) return `did you mean ${meant}?`;
  // The function with the most options in common comes first: for `mount`, `serve` before `bytes`.
  const shared = (set: OptionSet): number => set.names.filter((each) => names.includes(each)).length;
  const takers = sets
    .filter((set) => !parts.has(set.taker) && set.names.includes(name))
    .toSorted((a, b) => shared(b) - shared(a))
    .map(({ taker }) => taker);
  if (takers.length === 1) return `${takers[0]} takes it`;
  if (takers.length > 1) return `${takers[0]} and ${takers[1]} take it`;
  const near = nearest(name, names, 2);
  if (near !== undefined) return `did you mean ${near}?`;
  if (names.length <= longestList) return `there are ${names.join(", ")}`;
  return `there are ${names.slice(0, longestList - 1).join(", ")} and ${names.length - longestList + 1} more`;
}

/** How many names a message lists. */
const longestList = 12;

/** Options that have options of their own. */
const parts: ReadonlySet<string> = new Set([
  "backoff",
  "deflate",
  "proxies",
  "proxyTls",
  "rate",
  "redirects",
  "timeouts",
  "tls",
]);

/** An unknown name as JSON, so that a line break in it can't forge a line of a log. */
function shortened(name: string): string {
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
}

/** The name with its parent option before it, if it is an option's own: `rate.burst`. */
function partOf(name: string, asked: string, names: readonly string[]): string | undefined {
  const set = sets.find(
    ({ taker, names: inner, within }) =>
      parts.has(taker) && names.includes(taker) && inner.includes(name) && (within?.includes(asked) ?? true),
  );
  return set === undefined ? undefined : `${set.taker}.${name}`;
}

/** The known name that contains this one or is contained in it, or else the nearest one within `most` edits. */
export function nearest(name: string, known: readonly string[], most: number): string | undefined {
  // DOM handlers begin with "on", this library's do not.
  const word = name.toLowerCase().replace(/^on(?=[a-z]{4})/, "");
  let [best, least] = [undefined as string | undefined, most + 1];
  for (const each of known) {
    const other = each.toLowerCase();
    const isPart = Math.min(word.length, other.length) > 1 && (word.startsWith(other) || other.startsWith(word));
    // Two edits in a name of three letters make another name.
    const away = isPart ? 0 : distance(word, other, most);
    if (away < least && away < other.length - 1) [best, least] = [each, away];
  }
  return best;
}

/** Levenshtein's distance: how many letters to add, drop or change. Stops early above `most`. */
function distance(from: string, to: string, most: number): number {
  if (Math.abs(from.length - to.length) > most) return Infinity;
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

/** The allowed range of a number. Default: 0 and above, and Infinity for no limit. */
export interface NumberRule {
  /** The least allowed value. Default 0. */
  readonly least?: number;
  /** The value must be above this; instead of `least`. */
  readonly above?: number;
  /** The largest allowed value; with one, Infinity is not allowed. */
  readonly most?: number;
  readonly isWhole?: boolean;
  /** False if Infinity is not allowed. */
  readonly isLimit?: boolean;
  readonly unit?: "bytes" | "milliseconds";
}

/** The value of a numeric option, or its default. A value outside the rule is `core.invalid_argument`. */
export function checkNumber(name: string, given: number | undefined, byDefault: number, rule?: NumberRule): number {
  if (given === undefined) return byDefault;
  // Parsers are made for each connection, so the plain rule must be cheap.
  if (rule === undefined && typeof given === "number" && given >= 0) return given;
  const { least = 0, above, most = Infinity, isWhole = false, isLimit = most === Infinity, unit } = rule ?? {};
  const isInRange =
    typeof given === "number" && given <= most && (above === undefined ? given >= least : given > above);
  const isOfKind = given === Infinity ? isLimit : !isWhole || Number.isInteger(given);
  if (isInRange && isOfKind) return given;
  const kind = `${isWhole ? "whole number" : "number"}${unit === undefined ? "" : ` of ${unit}`}`;
  const from = above === undefined ? `, ${count(least)} or more` : ` above ${count(above)}`;
  const range = most === Infinity ? from : ` from ${count(least)} to ${count(most)}`;
  const limit = isLimit ? " (Infinity for no limit)" : "";
  throw invalidArgument(`${name} must be a ${kind}${range}${limit}, not ${show(given)}`);
}

/** The value of an optional function. */
export function checkFunction<Value>(name: string, given: Value): Value {
  if (given === undefined || typeof given === "function") return given;
  throw invalidArgument(`${name} must be a function, not ${show(given)}`);
}

/** The value of an optional string. */
export function checkString<Value extends string | undefined>(name: string, given: Value): Value {
  if (given === undefined || typeof given === "string") return given;
  throw invalidArgument(`${name} must be a string, not ${show(given)}`);
}

/** The value of an option that is an object, `what`, whose members are checked where they are used. */
export function checkObject<Value extends object | undefined>(name: string, given: Value, what: string): Value {
  if (given === undefined || (typeof given === "object" && given !== null && !Array.isArray(given))) return given;
  throw invalidArgument(`${name} must be ${what}, not ${show(given)}`);
}

/** The value of a boolean option, or its default. */
export function checkBoolean(name: string, given: boolean | undefined, byDefault: boolean): boolean {
  if (given === undefined) return byDefault;
  if (typeof given === "boolean") return given;
  throw invalidArgument(`${name} must be true or false, not ${show(given)}`);
}

/** The value of an option that is one of several words; by default the first. */
export function checkChoice<Word extends string | number>(
  name: string,
  given: Word | undefined,
  words: readonly [Word, ...Word[]],
): Word {
  if (given === undefined) return words[0];
  if (words.includes(given)) return given;
  throw invalidArgument(
    `${name} must be ${words.map((word) => JSON.stringify(word)).join(" or ")}, not ${show(given)}`,
  );
}

function count(number: number): string {
  return number.toLocaleString("en-US");
}

/** A value as text for a message: short, and unambiguous. */
export function show(value: unknown): string {
  if (typeof value === "string")
    return value.length > 40 ? `a string of ${value.length} characters` : JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) {
    const { constructor } = value as { constructor?: unknown };
    return typeof constructor === "function" && constructor !== Object
      ? `${/^[AEIO]/.test(constructor.name) ? "an" : "a"} ${constructor.name}`
      : "an object";
  }
  return String(value);
}

/** Whether a value is an object literal, such as options are: neither an array nor an instance of a class. */
export function isPlainObject(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Refuses the arguments of a call that takes none, and would ignore them: a callback, or another call's options. */
export function checkNoArguments(call: string, rest: readonly unknown[], instead: string): void {
  const unwanted = rest.find((each) => each !== undefined);
  if (unwanted === undefined) return;
  throw invalidArgument(`${call} takes no arguments, not ${show(unwanted)}: ${instead}`);
}
