import { parseArgs } from "node:util";

/** An option: one without a value, or with one, of which the example shows what it looks like. */
type OptionEntry =
  | { readonly type: "boolean"; readonly short?: string }
  | { readonly type: "string"; readonly short?: string; readonly example: string };

/** The options that a command has, by name. */
export type OptionTable = Readonly<Record<string, OptionEntry>>;

/** What a command line has: words, and the values of each option that was given, "" for one that takes none. */
export interface Given {
  readonly words: readonly string[];
  readonly values: ReadonlyMap<string, readonly string[]>;
}

/** A command line that can't be meant; the message says in one line what to write instead. */
export class UsageError extends Error {}

/** Takes arguments apart. Throws {@link UsageError}. */
export function readOptions(args: readonly string[], table: OptionTable): Given {
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { type, short }]) => [name, { type, ...(short !== undefined && { short }) }]),
  );
  // Not strict: the platform's errors are of several lines, and don't know what the commands are.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const entry = Object.hasOwn(table, token.name) ? table[token.name] : undefined;
    if (entry === undefined) {
      throw new UsageError(`unknown option ${quoted(token.rawName)}; the options are ${namesOf(table)}`);
    }
    const before = values.get(token.name) ?? [];
    values.set(token.name, [...before, valueOf(entry, token)]);
  }
  return { words, values };
}

interface Token {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function valueOf(entry: OptionEntry, { rawName, value, inlineValue }: Token): string {
  if (entry.type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return "";
  }
  // "--host --port" is a value forgotten; what really begins with a dash can be written as --host=-x.
  if (!value || (inlineValue !== true && /^-\D/.test(value))) {
    throw new UsageError(`${rawName} needs a value, such as ${entry.example}`);
  }
  return value;
}

/** The value of an option, the last where it was given more than once. */
export function lastOf({ values }: Given, name: string): string | undefined {
  return values.get(name)?.at(-1);
}

/** The value of an option that is a whole number of at least `least`. Throws {@link UsageError}. */
export function wholeOf(given: Given, name: string, least: number): number | undefined {
  const text = lastOf(given, name);
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`${quoted(text)} is no such number; --${name} takes a whole number of at least ${least}`);
}

/** The value of an option that is a number of at least 0, possibly with decimals. Throws {@link UsageError}. */
export function numberOf(given: Given, name: string): number | undefined {
  const text = lastOf(given, name);
  if (text === undefined) return undefined;
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text)) return Number(text);
  throw new UsageError(`${quoted(text)} is no such number; --${name} takes one such as 10 or 0.5`);
}

/** Names in a sentence: "a, b and c". */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
}

/** As JSON, so that whatever was given stays on its line. */
export function quoted(given: string): string {
  return JSON.stringify(given);
}

function namesOf(table: OptionTable): string {
  return listed(Object.keys(table).map((name) => `--${name}`));
}
