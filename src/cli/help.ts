// The text of `--help`. Lines stay under 80 characters.
import { commandNames, commands, generalOptions, type CommandName } from "./commands.ts";
import type { Option, OptionTable } from "./shared/options.ts";

const width = 79;
/** The column at which an option's description begins. */
const indent = 23;

/** The help of one command, or, without a name, of the program. */
export function help(command?: CommandName): string {
  if (command !== undefined) {
    const { summary, takesUrl, options, notes } = commands[command];
    const usage = `serval ${command} [options]${takesUrl ? " URL" : ""}`;
    return `serval ${command}: ${summary}\n\nUsage: ${usage}\n\nOptions:\n${optionLines(options)}\n${notes}`;
  }
  const list = commandNames.map((name) => `  ${name.padEnd(9)}${commands[name].summary}\n`).join("");
  const more =
    "serval <command> --help shows the options of a command. Every command exits\nwith 2 if its arguments are invalid.\n";
  return `serval: WebSockets to try things with\n\nUsage: serval <command> [options]\n\nCommands:\n${list}\nOptions:\n${optionLines(generalOptions)}\n${more}`;
}

function optionLines(table: OptionTable): string {
  return Object.entries(table)
    .map(([name, option]) => {
      const label = labelOf(name, option);
      const words = wrapped(option.help).join(`\n${" ".repeat(indent)}`);
      return label.length + 2 > indent
        ? `${label}\n${" ".repeat(indent)}${words}\n`
        : `${label.padEnd(indent)}${words}\n`;
    })
    .join("");
}

function labelOf(name: string, { short, value }: Option): string {
  const letter = short === undefined ? "    " : `-${short}, `;
  return `  ${letter}--${name}${value === undefined ? "" : ` ${value}`}`;
}

function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1)!;
    if (last === "") lines[lines.length - 1] = word;
    else if (indent + last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
