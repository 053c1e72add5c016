// The words of --help. Lines stay under 80 characters.

const common = `Options:
  -p, --port N   the TCP port, 0 for any that is free (default 8080)
      --host H   the address or name of this machine to listen on
                 (default 127.0.0.1: this machine alone can connect;
                 0.0.0.0 or :: for all that can reach it)
      --deflate  compress messages, with clients that can do it
      --max-message-size BYTES
                 the largest message that is taken (default 16777216)
  -h, --help     show this help
  -v, --version  show the version

Ctrl-C closes every connection and stops; a second one stops at once.
`;

/** What each command is there for, in one line. */
export const summaries = {
  echo: "a WebSocket server that sends every message back, at every path",
  serve: "a page to try WebSockets with, at /, and its echo, at /echo",
} as const;

/** The name of a command. */
export type CommandName = keyof typeof summaries;

/** The names of all commands. */
export const commandNames: readonly CommandName[] = Object.keys(summaries) as CommandName[];

/** The help of one command, or without a name that of them all. */
export function help(command?: CommandName): string {
  if (command !== undefined)
    return `serval ${command}: ${summaries[command]}\n\nUsage: serval ${command} [options]\n\n${common}`;
  const list = commandNames.map((name) => `  ${name.padEnd(7)}${summaries[name]}\n`).join("");
  return `serval: WebSocket servers to try things with\n\nUsage: serval <command> [options]\n\nCommands:\n${list}\n${common}`;
}
