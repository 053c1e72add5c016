import { parseArgs } from "node:util";
import { nearest } from "../../core/internal.ts";

/** An invalid command line; the message says in one line what to write instead. */
export class UsageError extends Error {}

/** An option of a command. An option with a value has the value's name in the help, and an example. */
export type Option = { readonly short?: string; readonly help: string } & (
  | { readonly value?: undefined }
  | { readonly value: string; readonly example: string }
);

/** Options by their long names. An option that several commands share takes a value in all of them or in none. */
export type OptionTable = Readonly<Record<string, Option>>;

/** A parsed command line: words, and the values of each option given, "" if the option takes none. */
export class Given {
  readonly words: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(words: readonly string[], values: ReadonlyMap<string, readonly string[]>) {
    this.words = words;
    this.#values = values;
  }

  /** Whether the command line is empty. */
  get isEmpty(): boolean {
    return this.words.length === 0 && this.#values.size === 0;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The last value given; it counts if the option takes only one. */
  last(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of a repeatable option. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** A whole number of at least `least`. Throws {@link UsageError}. */
  whole(name: string, least: number): number | undefined {
    const text = this.last(name);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
    throw new UsageError(`--${name} takes a whole number of at least ${least}, not ${quoted(text)}`);
  }

  /**
   * A number of at least 0, with or without decimals; `or` names what else the option takes. Throws {@link UsageError}.
   */
  number(name: string, or = ""): number | undefined {
    const text = this.last(name);
    if (text === undefined) return undefined;
    if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text);
    throw new UsageError(`--${name} takes a number such as 10 or 0.5${or}, not ${quoted(text)}`);
  }

  /** Milliseconds of a time above 0 that was given in seconds. Throws {@link UsageError}. */
  time(name: string): number | undefined {
    const seconds = this.number(name);
    if (seconds === 0) throw new UsageError(`--${name} takes a number of seconds above 0`);
    return seconds === undefined ? undefined : seconds * 1000;
  }
}

/** Parses arguments. `owner` is the command that the table belongs to. Throws {@link UsageError}. */
export function readOptions(args: readonly string[], table: OptionTable, owner?: string): Given {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokensOf(args, table)) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const option = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (option === undefined) {
      const names = Object.keys(table);
      const all = listed(names.map((name) => `--${name}`));
      const known = owner === undefined ? "" : `${meant(token.name, names, "--")}; the options of ${owner} are ${all}`;
      throw new UsageError(`unknown option ${quoted(token.rawName)}${known}`);
    }
    const before = values.get(token.name) ?? [];
    values.set(token.name, [...before, valueOf(option, token)]);
  }
  return new Given(words, values);
}

/** The first argument that is neither an option nor an option's value. */
export function firstWord(args: readonly string[], table: OptionTable): string | undefined {
  return tokensOf(args, table).find((token) => token.kind === "positional")?.value;
}

type Token = ReturnType<typeof tokensOf>[number];

function tokensOf(args: readonly string[], table: OptionTable) {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { value, short }]) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const), ...(short !== undefined && { short }) },
    ]),
  );
  // Not strict, since the errors of `parseArgs` have several lines and don't name the commands.
  return parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true }).tokens;
}

function valueOf(option: Option, { name, rawName, value, inlineValue }: Extract<Token, { kind: "option" }>): string {
  if (option.value === undefined) {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return "";
  }
  // In "--host --port" a value was forgotten. A value that begins with a dash is written --host=-x.
  if (!value || (inlineValue !== true && /^-\D/.test(value))) {
    throw new UsageError(`${rawName} needs a value, such as --${name} ${option.example}`);
  }
  return value;
}

/** Asks whether the known name was meant that is close to an unknown one. A letter alone is close to many names. */
export function meant(given: string, known: readonly string[], prefix = ""): string {
  const near = given.length < 2 ? undefined : nearest(given, known, given.length < 4 ? 1 : 2);
  return near === undefined ? "" : `; did you mean ${prefix}${near}?`;
}

/** Names in a sentence: "a, b and c". */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}

/** As JSON, so that the text stays on one line. */
export function quoted(given: string): string {
  return JSON.stringify(given);
}
