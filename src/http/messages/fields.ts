import { inspect, invalidArgument, isPlainObject, show } from "../../core/internal.ts";
import { httpError } from "./errors.ts";
import type { ParsedFields } from "./parsed-fields.ts";
import { dropOws, equalsIgnoringCase, isToken, isValue, skipOws } from "./grammar.ts";

/**
 * What {@link Fields} can be made from: other fields, pairs, or a record, whose lists of values make repeated fields.
 */
export type FieldsInit = Iterable<readonly [string, string]> | Readonly<Record<string, string | readonly string[]>>;

/**
 * The headers or trailers of a message, in order, with case and repeats kept; names are compared without regard to case
 * (RFC 9110 5.1). The platform's `Headers` and `fetch` accept it, since it iterates over pairs. TypeScript's
 * `HeadersInit` has only arrays and records: write `new Headers([...fields])`.
 */
export class Fields implements Iterable<[name: string, value: string]> {
  // One flat array, name, value, name, value: for the ten or so fields of a message, scanning it is faster than a map.
  #raw: string[] | undefined;
  /** The parser's result, until the list is needed. */
  #parsed: ParsedFields | undefined;
  /** Whether all fields were checked by {@link append} or a parser, and no other code has the list. */
  #isChecked = true;

  /** Throws as {@link append} does, and `core.invalid_argument` for a value that is neither a record nor pairs. */
  constructor(init?: FieldsInit) {
    if (init === undefined) return;
    if (init instanceof Fields) {
      this.#parsed = init.#parsed;
      this.#raw = init.#raw?.slice();
      this.#isChecked = init.#isChecked;
      return;
    }
    if (typeof init !== "object" || init === null) throw notHeaders(show(init));
    if (Symbol.iterator in init) {
      for (const pair of init as Iterable<readonly [string, string]>) {
        // A string would otherwise pass for a pair of characters.
        if (!Array.isArray(pair) || pair.length !== 2) throw notPair(pair);
        this.append(pair[0], pair[1]);
      }
      return;
    }
    const record = init as Readonly<Record<string, string | readonly string[]>>;
    const names = Object.keys(record);
    // Anything else without names, such as a promise, would silently be no headers.
    if (names.length === 0 && !isPlainObject(init)) throw notHeaders(show(init));
    for (const name of names) {
      const values = record[name];
      if (typeof values === "string") this.append(name, values);
      else if (Array.isArray(values)) for (const value of values as string[]) this.append(name, value);
      else throw invalidArgument(`The value of ${name} must be a string or a list of them, not ${show(values)}`);
    }
  }

  /**
   * Fields from a flat list of names and values made by a parser, such as the `rawHeaders` of Node's `IncomingMessage`.
   * The list is used itself, neither copied nor checked, unless it has several Cookie lines, which become one.
   */
  static fromRaw(raw: string[]): Fields {
    const fields = new Fields();
    fields.#raw = withOneCookie(raw);
    fields.#isChecked = false;
    return fields;
  }

  /** The fields of a parsed head. @internal */
  static fromParsed(parsed: ParsedFields): Fields {
    const fields = new Fields();
    if (parsed.cookies > 1) fields.#raw = withOneCookie(parsed.collect());
    else fields.#parsed = parsed;
    return fields;
  }

  /** The text of the head that the fields were parsed from, until they change. @internal */
  get head(): string | undefined {
    return this.#parsed?.head;
  }

  /** Takes less memory and makes look-ups slower, for a parsed head that is rarely looked at again. @internal */
  compact(): void {
    this.#parsed?.compact();
  }

  /** Names and values alternating, in order: the list itself, not a copy. */
  get raw(): readonly string[] {
    // JavaScript callers can write to the list.
    this.#isChecked = false;
    return this.#list();
  }

  /** Whether names and values are known to be valid. @internal */
  get isChecked(): boolean {
    return this.#isChecked;
  }

  /** Like {@link raw}, for callers that do not pass the list on. @internal */
  get list(): readonly string[] {
    return this.#list();
  }

  /** How many fields there are, with repeats. */
  get size(): number {
    return (this.#parsed?.length ?? this.#raw?.length ?? 0) / 2;
  }

  /**
   * The value of a name: that of its only line, or the values of all its lines, in order, joined by `", "` as by
   * fetch's `Headers` (RFC 9110 5.3). Undefined if there is no line. Combined values of Set-Cookie can't be separated
   * again: use {@link getAll}.
   */
  get(name: string): string | undefined {
    const first = this.#find(name, 0);
    if (first < 0) return undefined;
    let value = this.#value(first);
    for (let at = this.#find(name, first + 2); at >= 0; at = this.#find(name, at + 2)) {
      value += `, ${this.#value(at)}`;
    }
    return value;
  }

  /** The value of the first line of this name. To check that there is only one, use {@link count}. */
  first(name: string): string | undefined {
    const at = this.#find(name, 0);
    return at < 0 ? undefined : this.#value(at);
  }

  /** The values of all lines of this name, in order. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + 2)) values.push(this.#value(at));
    return values;
  }

  /** Whether there is a field of this name. */
  has(name: string): boolean {
    return this.#find(name, 0) >= 0;
  }

  /** How many fields of this name there are. */
  count(name: string): number {
    let count = 0;
    for (let at = this.#find(name, 0); at >= 0; at = this.#find(name, at + 2)) count++;
    return count;
  }

  /**
   * Adds a field at the end, even if there are others of this name. Only a second Cookie is added to the first, after
   * `"; "` (RFC 6265 5.4 allows no second line). Space around the value is dropped. Throws `http.bad_field` if the name
   * is no token (RFC 9110 5.6.2), `http.bad_value` if the value has a control character or one above U+00FF,
   * `core.invalid_argument` if either is no string.
   */
  append(name: string, value: string): void {
    const checked = checkField(name, value);
    const raw = this.#list();
    const first = name.length === 6 && isCookie(name) ? this.#find(name, 0) : -1;
    if (first < 0) raw.push(name, checked);
    else raw[first + 1] += `; ${checked}`;
  }

  /** Adds a field that is known to be valid, and no second Cookie. @internal */
  add(name: string, value: string): void {
    this.#list().push(name, value);
  }

  /** Makes this the only field of its name, at the position of the first of them. Throws as {@link append} does. */
  set(name: string, value: string): void {
    const checked = checkField(name, value);
    const raw = this.#list();
    const first = this.#find(name, 0);
    if (first < 0) {
      raw.push(name, checked);
      return;
    }
    raw[first] = name;
    raw[first + 1] = checked;
    this.#deleteFrom(name, first + 2);
  }

  /** Removes all fields of this name. Returns whether there were any. */
  delete(name: string): boolean {
    return this.#deleteFrom(name, 0);
  }

  /** Iterates over the fields in order. */
  *[Symbol.iterator](): Generator<[name: string, value: string], undefined, unknown> {
    const raw = this.#list();
    for (let at = 0; at < raw.length; at += 2) yield [raw[at], raw[at + 1]];
  }

  /** As a record that the constructor takes: values by name, a list of them for a repeated name. For `JSON.stringify`. */
  toJSON(): Record<string, string | string[]> {
    const byName = new Map<string, { readonly name: string; readonly values: string[] }>();
    for (const [name, value] of this) {
      const key = name.toLowerCase();
      const known = byName.get(key);
      if (known === undefined) byName.set(key, { name, values: [value] });
      else known.values.push(value);
    }
    const record: Record<string, string | string[]> = {};
    for (const { name, values } of byName.values()) {
      const value = values.length === 1 ? values[0]! : values;
      // Assigned, a field of the name __proto__ would be lost.
      Object.defineProperty(record, name, { value, enumerable: true, configurable: true, writable: true });
    }
    return record;
  }

  /** What `console.log` of Node.js shows. @internal */
  [inspect](depth: number, options: object, show: (value: unknown, options: object) => string): string {
    if (depth < 0) return "[Fields]";
    return `Fields ${show(this.toJSON(), options)}`;
  }

  /** The list, to be read or changed. */
  #list(): string[] {
    if (this.#parsed !== undefined) this.#raw = this.#parsed.collect();
    this.#parsed = undefined;
    return (this.#raw ??= []);
  }

  #value(at: number): string {
    return this.#parsed?.value(at) ?? this.#raw![at + 1];
  }

  /** The position of the first field of this name at or after `from`, or -1. */
  #find(name: string, from: number): number {
    if (typeof name !== "string") throw notName(name);
    if (this.#parsed !== undefined) return this.#parsed.find(name, from);
    const raw = this.#raw;
    if (raw === undefined) return -1;
    const length = name.length;
    for (let at = from; at < raw.length; at += 2) {
      const candidate = raw[at];
      if (candidate.length === length && (candidate === name || equalsIgnoringCase(candidate, 0, length, name)))
        return at;
    }
    return -1;
  }

  #deleteFrom(name: string, from: number): boolean {
    let end = this.#find(name, from);
    if (end < 0) return false;
    const raw = this.#list();
    const { length } = name;
    // The others move once, however many are deleted.
    for (let at = end + 2; at < raw.length; at += 2) {
      const candidate = raw[at];
      if (candidate.length === length && equalsIgnoringCase(candidate, 0, length, name)) continue;
      raw[end++] = candidate;
      raw[end++] = raw[at + 1];
    }
    raw.length = end;
    return true;
  }
}

/** Whether a name of six characters is that of the cookies. */
function isCookie(name: string): boolean {
  return equalsIgnoringCase(name, 0, 6, "Cookie");
}

/**
 * The list with all cookies in the first of their lines: the list itself if they have only one. HTTP/2 splits them, and
 * programs that translate it may leave them so; a reader of one line would miss the others (RFC 9113 8.2.3).
 */
function withOneCookie(raw: string[]): string[] {
  let first = -1;
  let joined: string[] | undefined;
  for (let at = 0; at < raw.length; at += 2) {
    const isAnother = raw[at]!.length === 6 && isCookie(raw[at]!);
    if (isAnother && first >= 0) (joined ??= raw.slice(0, at))[first + 1] += `; ${raw[at + 1]}`;
    else {
      joined?.push(raw[at]!, raw[at + 1]!);
      if (isAnother) first = at;
    }
  }
  return joined ?? raw;
}

function notName(name: unknown): Error {
  return invalidArgument(`The name of a header must be a string, not ${show(name)}`);
}

function notHeaders(given: string): Error {
  return invalidArgument(`headers takes an object or a list of [name, value] pairs, not ${given}`);
}

function notPair(given: unknown): Error {
  return notHeaders(Array.isArray(given) ? `a list with one of ${given.length}` : `a list with ${show(given)} in it`);
}

/** Checks a field; returns the value without the space around it. */
function checkField(name: string, value: string): string {
  if (typeof name !== "string") throw notName(name);
  // Messages quote the name as JSON, so that a line break in it can't forge a line of a log.
  if (!isToken(name))
    throw httpError("http.bad_field", { message: `${JSON.stringify(name)} is not the name of a header` });
  if (typeof value !== "string") throw invalidArgument(`The value of ${name} must be a string, not ${show(value)}`);
  const start = skipOws(value, 0, value.length);
  const trimmed = value.slice(start, dropOws(value, start, value.length));
  if (!isValue(trimmed)) {
    throw httpError("http.bad_value", { message: `The value of ${name} ${oddity(trimmed)}` });
  }
  return trimmed;
}

/** What is wrong with a value; continues a sentence that names it. */
function oddity(value: string): string {
  const odd = [...value].find((character) => !isValue(character)) ?? "";
  const code = odd.codePointAt(0)!;
  const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  if (code <= 0xff) return `has the control character ${name}, which is not allowed there`;
  return `has ${JSON.stringify(odd)} (${name}), which is not allowed there: encode it, for instance by encodeURIComponent`;
}
