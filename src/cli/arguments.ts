import { parseArgs } from "node:util";
import { commandNames, type CommandName } from "./help.ts";

/** Where a command is to listen. */
export interface Where {
  readonly port: number;
  readonly host: string;
}

/** How a command's echo takes messages. */
export interface EchoSettings {
  /** Whether messages are compressed with peers that can do it. */
  readonly deflate: boolean;
  /** The largest message that is taken, in bytes. */
  readonly maxMessageSize?: number;
}

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly command: CommandName | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "nothing" }
  | { readonly kind: "run"; readonly command: CommandName; readonly where: Where; readonly echo: EchoSettings };

/** A command line that can't be meant; the message says in one line what to write instead. */
export class UsageError extends Error {}

const options = {
  port: { type: "string", short: "p" },
  host: { type: "string" },
  deflate: { type: "boolean" },
  "max-message-size": { type: "string" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

const examples: Readonly<Record<string, string>> = {
  port: "--port 8080",
  host: "--host 127.0.0.1",
  "max-message-size": "--max-message-size 1048576",
};

const optionNames = "--port, --host, --deflate, --max-message-size, --help and --version";

/** Reads the arguments behind the program's name. Throws {@link UsageError}. */
export function parseArguments(args: readonly string[]): Invocation {
  // Not strict: the platform's errors are of several lines, and don't know what the commands are.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const given = new Map<string, string>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    if (!Object.hasOwn(options, token.name)) throw unknown("option", token.rawName);
    given.set(token.name, valueOf(token));
  }

  const [command, ...rest] = words;
  if (command !== undefined && !isCommand(command)) throw unknown("command", command);
  if (rest.length > 0)
    throw new UsageError(`unexpected argument ${quoted(rest[0]!)}; ports and hosts need --port and --host`);
  if (given.has("help")) return { kind: "help", command };
  if (given.has("version")) return { kind: "version" };
  if (command !== undefined) return { kind: "run", command, where: whereOf(given), echo: echoOf(given) };
  if (given.size === 0) return { kind: "nothing" };
  throw new UsageError(`no command given; the commands are ${commandNames.join(" and ")}`);
}

function valueOf(token: {
  name: string;
  rawName: string;
  value: string | undefined;
  inlineValue: boolean | undefined;
}): string {
  const { name, rawName, value, inlineValue } = token;
  if (options[name as keyof typeof options].type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return "";
  }
  // "--host --port" is a value forgotten; what really begins with a dash can be written as --host=-x.
  if (!value || (inlineValue !== true && /^-\D/.test(value))) {
    throw new UsageError(`${rawName} needs a value, such as ${examples[name]}`);
  }
  return value;
}

function whereOf(given: ReadonlyMap<string, string>): Where {
  const port = given.get("port") ?? "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`${quoted(port)} is no port; --port takes a number from 0 to 65535`);
  }
  return { port: Number(port), host: given.get("host") ?? "127.0.0.1" };
}

function echoOf(given: ReadonlyMap<string, string>): EchoSettings {
  const deflate = given.has("deflate");
  const size = given.get("max-message-size");
  if (size === undefined) return { deflate };
  if (!/^\d{1,15}$/.test(size)) {
    throw new UsageError(`${quoted(size)} is no size; --max-message-size takes a number of bytes`);
  }
  return { deflate, maxMessageSize: Number(size) };
}

function unknown(what: "command" | "option", given: string): UsageError {
  const known = what === "command" ? commandNames.join(" and ") : optionNames;
  return new UsageError(`unknown ${what} ${quoted(given)}; the ${what}s are ${known}`);
}

function isCommand(word: string): word is CommandName {
  return (commandNames as readonly string[]).includes(word);
}

/** As JSON, so that whatever was given stays on its line. */
function quoted(given: string): string {
  return JSON.stringify(given);
}
