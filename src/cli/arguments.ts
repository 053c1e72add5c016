import { parseArgs } from "node:util";
import type { ConnectOptions } from "../client/index.ts";
import { clientOptions, completeUrl, readClientOptions } from "./client-options.ts";
import { Given, quoted, UsageError, type Option, type OptionTable } from "./given.ts";
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

/** A command that is a server. */
export type ServerName = "echo" | "serve";

/** Where a client is to connect to, and how. */
export interface ClientSettings {
  readonly url: string;
  readonly options: ConnectOptions;
}

/** How `connect` takes lines and shows messages. */
export interface ChatSettings {
  readonly binary: boolean;
  readonly hex: boolean;
  readonly json: boolean;
  /** How long the peer has to be silent at the end of the input, in milliseconds; Infinity for no end. */
  readonly wait: number;
}

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly command: CommandName | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "nothing" }
  | { readonly kind: "run"; readonly command: ServerName; readonly where: Where; readonly echo: EchoSettings }
  | { readonly kind: "connect"; readonly client: ClientSettings; readonly chat: ChatSettings }
  | { readonly kind: "inspect"; readonly client: ClientSettings; readonly json: boolean };

const general: OptionTable = {
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
};

const maxMessageSize: Option = { type: "string", example: "--max-message-size 1048576" };

const server: OptionTable = {
  port: { type: "string", short: "p", example: "--port 8080" },
  host: { type: "string", example: "--host 127.0.0.1" },
  deflate: { type: "boolean" },
  "max-message-size": maxMessageSize,
  ...general,
};

/** The options of each command. Those of one name are of one type. */
export const optionTables: Readonly<Record<CommandName, OptionTable>> = {
  echo: server,
  serve: server,
  connect: {
    binary: { type: "boolean" },
    hex: { type: "boolean" },
    json: { type: "boolean" },
    wait: { type: "string", example: "--wait 2000" },
    "max-message-size": maxMessageSize,
    ...clientOptions,
    ...general,
  },
  inspect: { json: { type: "boolean" }, ...clientOptions, ...general },
};

/** For the platform's parser, all options at once, since the command may stand behind them; letters are names of their own. */
const allOptions = Object.fromEntries(
  Object.values(optionTables).flatMap((table) =>
    Object.entries(table).flatMap(([name, { type, short }]) =>
      short === undefined
        ? [[name, { type }]]
        : [
            [name, { type }],
            [short, { type, short }],
          ],
    ),
  ),
) as Record<string, { type: "string" | "boolean"; short?: string }>;

/** Reads the arguments behind the program's name. Throws {@link UsageError}. */
export function parseArguments(args: readonly string[]): Invocation {
  // Not strict: the platform's errors are of several lines, and don't know what the commands are.
  const parsed = parseArgs({
    args: [...args],
    options: allOptions,
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const words = parsed.tokens.flatMap((token) => (token.kind === "positional" ? [token.value] : []));
  const [command, ...rest] = words;
  // An option that nobody knows may have left its value behind, which is no command then.
  const known = command !== undefined && isCommand(command) ? command : undefined;
  const given = new Given();
  for (const token of parsed.tokens) {
    if (token.kind !== "option") continue;
    const name = nameOf(token.rawName, known);
    if (name === undefined) throw unknown("option", token.rawName, known);
    given.add(name, valueOf(token, name, known));
  }
  if (command !== undefined && known === undefined) throw unknown("command", command, known);
  const takesUrl = known === "connect" || known === "inspect";
  const [extra] = takesUrl ? rest.slice(1) : rest;
  if (extra !== undefined) {
    const instead = takesUrl ? `${known} takes one URL` : "ports and hosts need --port and --host";
    throw new UsageError(`unexpected argument ${quoted(extra)}; ${instead}`);
  }
  if (given.has("help")) return { kind: "help", command: known };
  if (given.has("version")) return { kind: "version" };
  if (known !== undefined) return invocationOf(known, given, rest[0]);
  if (given.size === 0) return { kind: "nothing" };
  throw new UsageError(`no command given; the commands are ${listed(commandNames)}`);
}

function invocationOf(command: CommandName, given: Given, url: string | undefined): Invocation {
  switch (command) {
    case "echo":
    case "serve":
      return { kind: "run", command, where: whereOf(given), echo: echoOf(given) };
    case "connect": {
      const { maxMessageSize } = echoOf(given);
      const client = clientOf(command, given, url);
      const options = maxMessageSize === undefined ? client.options : { ...client.options, maxMessageSize };
      return { kind: command, client: { ...client, options }, chat: chatOf(given) };
    }
    case "inspect":
      return { kind: command, client: clientOf(command, given, url), json: given.has("json") };
  }
}

/** The name of an option as it was written, of a command or of any; undefined if there is none. */
function nameOf(rawName: string, command: CommandName | undefined): string | undefined {
  const tables = command === undefined ? Object.values(optionTables) : [optionTables[command]];
  const all = tables.flatMap((table) => Object.entries(table));
  return all.find(([name, { short }]) => rawName === `--${name}` || rawName === `-${short}`)?.[0];
}

function valueOf(
  { rawName, value, inlineValue }: { rawName: string; value: string | undefined; inlineValue: boolean | undefined },
  name: string,
  command: CommandName | undefined,
): string {
  const { type, example } = optionOf(name, command);
  if (type === "boolean") {
    if (value !== undefined) throw new UsageError(`${rawName} takes no value`);
    return "";
  }
  // "--host --port" is a value forgotten; what really begins with a dash can be written as --host=-x.
  if (!value || (inlineValue !== true && /^-\D/.test(value))) {
    throw new UsageError(`${rawName} needs a value, such as ${example}`);
  }
  return value;
}

function optionOf(name: string, command: CommandName | undefined): Option {
  const tables = command === undefined ? Object.values(optionTables) : [optionTables[command]];
  return tables.find((table) => Object.hasOwn(table, name))![name]!;
}

function whereOf(given: Given): Where {
  const port = given.get("port") ?? "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`${quoted(port)} is no port; --port takes a number from 0 to 65535`);
  }
  return { port: Number(port), host: given.get("host") ?? "127.0.0.1" };
}

function echoOf(given: Given): EchoSettings {
  const deflate = given.has("deflate");
  const size = given.count("max-message-size", "size", "bytes");
  return size === undefined ? { deflate } : { deflate, maxMessageSize: size };
}

function clientOf(command: CommandName, given: Given, url: string | undefined): ClientSettings {
  if (url === undefined) {
    throw new UsageError(`${command} needs a URL, such as serval ${command} ws://127.0.0.1:8080/`);
  }
  return { url: completeUrl(url), options: readClientOptions(given) };
}

function chatOf(given: Given): ChatSettings {
  const isForever = given.get("wait") === "forever";
  return {
    binary: given.has("binary"),
    hex: given.has("hex"),
    json: given.has("json"),
    wait: isForever ? Infinity : (given.count("wait", "time", 'milliseconds, or "forever"') ?? 500),
  };
}

function unknown(what: "command" | "option", given: string, command: CommandName | undefined): UsageError {
  if (what === "command")
    return new UsageError(`unknown command ${quoted(given)}; the commands are ${listed(commandNames)}`);
  if (command === undefined) return new UsageError(`unknown option ${quoted(given)}`);
  const names = Object.keys(optionTables[command]).map((name) => `--${name}`);
  return new UsageError(`unknown option ${quoted(given)}; the options of ${command} are ${listed(names)}`);
}

function listed(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function isCommand(word: string): word is CommandName {
  return (commandNames as readonly string[]).includes(word);
}
