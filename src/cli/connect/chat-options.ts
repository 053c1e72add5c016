import type { Given, OptionTable } from "../shared/options.ts";

/** How `connect` takes lines and shows messages. */
export interface ChatSettings {
  readonly binary: boolean;
  readonly hex: boolean;
  readonly json: boolean;
  /** How long the peer has to be silent at the end of the input, in milliseconds; Infinity for no end. */
  readonly wait: number;
}

/** The options of `connect` alone. */
export const chatOptions: OptionTable = {
  binary: {
    help: "send binary: each line typed as a message; what is piped in as one message, and what comes in goes out as it is",
  },
  hex: { help: "show binary messages in hex also with --binary" },
  json: { help: "print each event as a line of JSON: open, message, close, error" },
  wait: {
    value: "S",
    example: "2",
    help: 'at the end of what is piped in, for how many seconds the server has to be silent before the connection is closed (default 0.5), or "forever"',
  },
};

/** Notes on `connect`, printed after its options. */
export const chatNotes = `Each line is sent as a message, each message printed as a line; everything
else goes to stderr. On a terminal /help shows what else can be typed, and
Ctrl-C closes; a second one stops at once. Exits with 0 after a clean close
(1000, 1001, no code, or any that this side asked for), 1 otherwise.
`;

/** Reads {@link chatOptions}. Throws {@link UsageError}. */
export function readChat(given: Given): ChatSettings {
  return { binary: given.has("binary"), hex: given.has("hex"), json: given.has("json"), wait: readWait(given) };
}

function readWait(given: Given): number {
  if (given.last("wait") === "forever") return Infinity;
  return (given.number("wait", ', or "forever"') ?? 0.5) * 1000;
}
