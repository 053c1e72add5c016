import { commandNames, commands, type CommandName, type Task } from "./commands.ts";
import { firstWord, listed, meant, quoted, readOptions, UsageError, type OptionTable } from "./shared/options.ts";

/** What the command line asks for. */
export type Invocation =
  | { readonly kind: "help"; readonly command: CommandName | undefined }
  | { readonly kind: "version" }
  | { readonly kind: "nothing" }
  | Task;

/**
 * The options of all commands: an option takes a value in every command or in none, so arguments can be split before
 * the command is known.
 */
const allOptions: OptionTable = Object.assign({}, ...commandNames.map((name) => commands[name].options));

/** Reads the arguments after the program's name. Options may stand before the command. Throws {@link UsageError}. */
export function parseArguments(args: readonly string[]): Invocation {
  const name = commandIn(args);
  const given = readOptions(args, name === undefined ? allOptions : commands[name].options, name);
  // Options are checked before words: an unknown option's value would otherwise be reported as an unknown command.
  const [word] = given.words;
  if (word !== undefined && name === undefined) {
    throw new UsageError(
      `unknown command ${quoted(word)}${meant(word, commandNames)}; the commands are ${listed(commandNames)}`,
    );
  }
  if (given.has("help")) return { kind: "help", command: name };
  if (given.has("version")) return { kind: "version" };
  if (name !== undefined) {
    checkWords(name, given.words.slice(1));
    return commands[name].read(given, given.words[1] ?? "");
  }
  if (given.isEmpty) return { kind: "nothing" };
  throw new UsageError(`no command given; the commands are ${listed(commandNames)}`);
}

function checkWords(name: CommandName, words: readonly string[]): void {
  const { takesUrl } = commands[name];
  if (takesUrl && words.length === 0) {
    throw new UsageError(`${name} needs a URL, such as serval ${name} ws://127.0.0.1:8080/`);
  }
  const extra = words[takesUrl ? 1 : 0];
  if (extra === undefined) return;
  const instead = takesUrl ? `${name} takes one URL` : "ports and hosts need --port and --host";
  throw new UsageError(`unexpected argument ${quoted(extra)}; ${instead}`);
}

/** The command that the arguments name, if any. */
export function commandIn(args: readonly string[]): CommandName | undefined {
  const word = firstWord(args, allOptions);
  return commandNames.find((name) => name === word);
}
