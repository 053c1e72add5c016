// The words of --help. Lines stay under 80 characters.
import { clientHelp } from "./client-options.ts";

const general = `  -h, --help     show this help
  -v, --version  show the version
`;

const server = `  -p, --port N   the TCP port, 0 for any that is free (default 8080)
      --host H   the address or name of this machine to listen on
                 (default 127.0.0.1: this machine alone can connect;
                 0.0.0.0 or :: for all that can reach it)
      --deflate  compress messages, with clients that can do it
      --max-message-size BYTES
                 the largest message that is taken (default 16777216)
${general}
Ctrl-C closes every connection and stops; a second one stops at once.
`;

const connect = `      --binary   send binary: each line typed as a message; what is piped in
                 as one message, and what comes in goes out as it is
      --hex      show binary messages in hex also with --binary
      --json     print each event as a line of JSON: open, message, close,
                 error
      --wait MS  at the end of what is piped in, how long the server has to be
                 silent before the connection is closed (default 500), or
                 "forever"
      --max-message-size BYTES
                 the largest message that is taken (default 16777216)
${clientHelp}${general}
Each line is sent as a message, each message printed as a line; everything
else goes to stderr. On a terminal /help shows what else can be typed, and
Ctrl-C closes; a second one stops at once. Exits with 0 after a clean close
(1000, 1001, no code, or any that this side asked for), 1 otherwise.
`;

const inspect = `      --json     print all of it as one JSON document
${clientHelp}${general}
Shows each step of opening a WebSocket, with its time and the bytes as they
went over the wire, and says what is wrong and what to do about it. Exits with
0 if one could be opened, 1 otherwise.
`;

/** What each command is there for, in one line. */
export const summaries = {
  echo: "a WebSocket server that sends every message back, at every path",
  serve: "a page to try WebSockets with, at /, and its echo, at /echo",
  connect: "a WebSocket client: lines in, messages out",
  inspect: "what happens, step by step, when a WebSocket is opened",
} as const;

/** The name of a command. */
export type CommandName = keyof typeof summaries;

/** The names of all commands. */
export const commandNames: readonly CommandName[] = Object.keys(summaries) as CommandName[];

const usages: Readonly<Record<CommandName, readonly [usage: string, options: string]>> = {
  echo: ["[options]", server],
  serve: ["[options]", server],
  connect: ["[options] URL", connect],
  inspect: ["[options] URL", inspect],
};

/** The help of one command, or without a name that of them all. */
export function help(command?: CommandName): string {
  if (command !== undefined) {
    const [usage, options] = usages[command];
    return `serval ${command}: ${summaries[command]}\n\nUsage: serval ${command} ${usage}\n\nOptions:\n${options}`;
  }
  const list = commandNames.map((name) => `  ${name.padEnd(9)}${summaries[name]}\n`).join("");
  const more = "serval <command> --help shows the options of a command.\n";
  return `serval: WebSockets to try things with\n\nUsage: serval <command> [options]\n\nCommands:\n${list}\n${general}\n${more}`;
}
