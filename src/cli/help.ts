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

const ofBench = `Opens connections to an echo server and sends messages, each of which is to
come back as it was: size, kind and the stamp at its beginning are compared.

Load:
  -c, --connections N  how many connections (default 50)
      --opening N      at most so many are being opened at once (default 100)
  -s, --size BYTES     the size of each message (default 64)
      --text           text messages in the place of binary ones
      --depth N        messages in flight on each connection (default 1)
  -r, --rate N         messages a second in all (an open loop: see below);
                       0 for none, so that connections are only held open
      --no-echo        messages are not answered: they are only sent
  -d, --duration S     seconds of sending, or of holding (default 10)
  -n, --messages N     ends after so many messages; no default
      --warmup S       seconds of sending before messages count (default 0)

Connecting:
  -H, --header LINE    a header of the request, as 'Name: value'; repeatable
  -p, --protocol NAME  a subprotocol to offer; repeatable, or with commas
      --origin URL     the header Origin
      --insecure       takes any certificate
      --ca FILE        certificates to trust, in PEM
      --proxy URL      http:, https:, socks5: or socks5h:, or "environment"
      --deflate        offers permessage-deflate
      --timeout S      seconds for opening a connection and for closing it, and
                       of silence before answers count as lost (default 10)

Output:
      --json           the result as JSON and nothing else; times in ms
  -h, --help           show this help
  -v, --version        show the version

Without --rate this is a closed loop: the next message leaves when an answer
has come, and latency is counted from when a message was sent. A server that
stops for a second is asked nothing in that second: latency says little of it.
With --rate it is an open loop: messages are due at a steady rate, whatever
becomes of those before, and latency is counted from when a message was due,
not from when there was room to send it, so nothing is omitted. What this
process itself is late, a millisecond or so, is part of it. A message waits
for room where connections times depth are in flight already.

Ctrl-C ends early, with the result so far. Exit status: 0; 1 if no connection
could be opened, or answers were lost or wrong; 2 for arguments that can't be
meant.
`;

/** What each command is there for, in one line. */
export const summaries = {
  bench: "sends messages to a WebSocket server and measures how it answers",
  echo: "a WebSocket server that sends every message back, at every path",
  serve: "a page to try WebSockets with, at /, and its echo, at /echo",
} as const;

/** The name of a command. */
export type CommandName = keyof typeof summaries;

/** The names of all commands. */
export const commandNames: readonly CommandName[] = Object.keys(summaries) as CommandName[];

/** The help of one command, or without a name that of them all. */
export function help(command?: CommandName): string {
  if (command === "bench") return `serval bench: ${summaries.bench}\n\nUsage: serval bench URL [options]\n\n${ofBench}`;
  if (command !== undefined)
    return `serval ${command}: ${summaries[command]}\n\nUsage: serval ${command} [options]\n\n${common}`;
  const list = commandNames.map((name) => `  ${name.padEnd(7)}${summaries[name]}\n`).join("");
  return `serval: WebSocket servers to try things with, and loads for them\n\nUsage: serval <command> [options]\n\nCommands:\n${list}\nserval bench --help shows the options of bench; those of the others:\n\n${common}`;
}
