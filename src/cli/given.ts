/** A command line that can't be meant; the message says in one line what to write instead. */
export class UsageError extends Error {}

/** An option of a command. */
export interface Option {
  readonly type: "string" | "boolean";
  /** Its letter. The same letter may be another option of another command. */
  readonly short?: string;
  /** What it may look like with a value, for who forgot that. */
  readonly example?: string;
}

/** The options of a command, by their long names. */
export type OptionTable = Readonly<Record<string, Option>>;

/** The options that a command line gives, with their values. */
export class Given {
  readonly #values = new Map<string, string[]>();

  /** How many there are. */
  get size(): number {
    return this.#values.size;
  }

  add(name: string, value: string): void {
    const values = this.#values.get(name);
    if (values === undefined) this.#values.set(name, [value]);
    else values.push(value);
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The last value, which counts where there can be but one. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }

  /** All values of an option that may be repeated. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The value of an option that takes a whole number of `what`; undefined where it is not given. */
  count(name: string, what: string, unit: string): number | undefined {
    const value = this.get(name);
    if (value === undefined || /^\d{1,15}$/.test(value)) return value === undefined ? undefined : Number(value);
    throw new UsageError(`${quoted(value)} is no ${what}; --${name} takes a number of ${unit}`);
  }
}

/** As JSON, so that whatever was given stays on its line. */
export function quoted(given: string): string {
  return JSON.stringify(given);
}
