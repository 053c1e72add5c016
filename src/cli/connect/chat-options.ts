import type { Given, OptionTable } from "../shared/options.ts";

/** How `connect` takes lines and shows messages. */
export interface ChatSettings {
  readonly binary: boolean;
  readonly hex: boolean;
  readonly json: boolean;
  /**
   * How long the peer must be silent after the end of the input before the connection is closed, in milliseconds;
   * Infinity for never.
   */
  readonly wait: number;
}

/** Options that only `connect` has. */
export const chatOptions: OptionTable = {
  binary: {
    help: "send binary messages: each typed line, or piped input as a whole; write received messages unchanged",
  },
  hex: { help: "show received binary messages in hex, even with --binary" },
  json: { help: "print each event as a line of JSON: open, message, close, error, lost" },
  wait: {
    value: "S",
    example: "2",
    help: 'after piped input has ended, close when the server has been silent for so many seconds (default 0.5), or "forever": keep the connection open',
  },
};

/** Notes on `connect`, printed after its options. */
export const chatNotes = `Sends each line as a message and prints each message as a line; everything
else goes to stderr. On a terminal /help lists more commands, and Ctrl-C
closes; a second one stops at once. Exits with 0 after a clean close (1000,
1001, no code, or any code if this side asked for the close), 1 otherwise, and
1 if the server closed before it came to all lines: stderr names the first.
`;

/** Reads {@link chatOptions}. Throws {@link UsageError}. */
export function readChat(given: Given): ChatSettings {
  return { binary: given.has("binary"), hex: given.has("hex"), json: given.has("json"), wait: readWait(given) };
}

function readWait(given: Given): number {
  if (given.last("wait") === "forever") return Infinity;
  return (given.number("wait", ', or "forever"') ?? 0.5) * 1000;
}
