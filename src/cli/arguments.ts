import { commandNames, type CommandName } from "./help.ts";
import { readLoadOptions, type LoadOptions } from "./load-options.ts";
import { lastOf, listed, quoted, readOptions, UsageError, type Given } from "./options.ts";

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

/** The name of a command that serves. */
export type ServerName = Exclude<CommandName, "bench">;

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly command: CommandName | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "nothing" }
  | { readonly kind: "run"; readonly command: ServerName; readonly where: Where; readonly echo: EchoSettings }
  | { readonly kind: "bench"; readonly load: LoadOptions; readonly json: boolean };

const table = {
  port: { type: "string", short: "p", example: "--port 8080" },
  host: { type: "string", example: "--host 127.0.0.1" },
  deflate: { type: "boolean" },
  "max-message-size": { type: "string", example: "--max-message-size 1048576" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

/** Reads the arguments behind the program's name. Throws {@link UsageError}. */
export function parseArguments(args: readonly string[]): Invocation {
  // Its options have other meanings.
  if (args[0] === "bench") return parseBench(args.slice(1));
  const given = readOptions(args, table);
  const { values } = given;
  const [command, ...rest] = given.words;
  if (command !== undefined && !isCommand(command)) throw unknownCommand(command);
  if (command === "bench" && !values.has("help")) {
    throw new UsageError("the options of bench stand behind it: serval bench URL [options]");
  }
  if (rest.length > 0)
    throw new UsageError(`unexpected argument ${quoted(rest[0]!)}; ports and hosts need --port and --host`);
  if (values.has("help")) return { kind: "help", command };
  if (values.has("version")) return { kind: "version" };
  if (command !== undefined && command !== "bench")
    return { kind: "run", command, where: whereOf(given), echo: echoOf(given) };
  if (values.size === 0) return { kind: "nothing" };
  throw new UsageError(`no command given; the commands are ${listed(commandNames)}`);
}

function parseBench(args: readonly string[]): Invocation {
  const { given, load, json } = readLoadOptions(args);
  if (load !== undefined) return { kind: "bench", load, json };
  return given.values.has("help") ? { kind: "help", command: "bench" } : { kind: "version" };
}

function whereOf(given: Given): Where {
  const port = lastOf(given, "port") ?? "8080";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`${quoted(port)} is no port; --port takes a number from 0 to 65535`);
  }
  return { port: Number(port), host: lastOf(given, "host") ?? "127.0.0.1" };
}

function echoOf(given: Given): EchoSettings {
  const deflate = given.values.has("deflate");
  const size = lastOf(given, "max-message-size");
  if (size === undefined) return { deflate };
  if (!/^\d{1,15}$/.test(size)) {
    throw new UsageError(`${quoted(size)} is no size; --max-message-size takes a number of bytes`);
  }
  return { deflate, maxMessageSize: Number(size) };
}

function unknownCommand(given: string): UsageError {
  return new UsageError(`unknown command ${quoted(given)}; the commands are ${listed(commandNames)}`);
}

function isCommand(word: string): word is CommandName {
  return (commandNames as readonly string[]).includes(word);
}
