import { readClient, type ClientOptions } from "../shared/client-options.ts";
import { UsageError, type Given, type OptionTable } from "../shared/options.ts";

/** The settings of a load; sizes in bytes, times in milliseconds. */
export interface LoadOptions {
  readonly url: string;
  readonly client: ClientOptions;
  readonly connections: number;
  /** How many connections may be opening at once. */
  readonly opening: number;
  readonly size: number;
  readonly isText: boolean;
  /** How many messages may be in flight on a connection. */
  readonly depth: number;
  /** Whether the server answers messages. */
  readonly echo: boolean;
  /** Messages a second over all connections. Undefined: as many as are answered; 0: none. */
  readonly rate: number | undefined;
  /** How long to send before messages count. */
  readonly warmup: number;
  /** How long to send messages that count, and how many at most; Infinity for no limit. */
  readonly duration: number;
  readonly messages: number;
}

/** Options that only `bench` has. */
export const loadOptions: OptionTable = {
  connections: { short: "c", value: "N", example: "50", help: "how many connections (default 50)" },
  opening: { value: "N", example: "50", help: "how many connections may be opening at once (default 100)" },
  size: { short: "s", value: "BYTES", example: "64", help: "the size of each message (default 64)" },
  text: { help: "send text messages instead of binary ones" },
  depth: { value: "N", example: "1", help: "messages in flight on each connection (default 1)" },
  rate: {
    short: "r",
    value: "N",
    example: "1000",
    help: "messages a second over all connections (an open loop: see below); 0 sends none and only holds the connections open",
  },
  "no-echo": { help: "expect no answers, only send" },
  duration: { short: "d", value: "S", example: "10", help: "seconds of sending, or of holding (default 10)" },
  messages: { short: "n", value: "N", example: "100000", help: "stop after this many messages; no default" },
  warmup: { value: "S", example: "2", help: "seconds of sending before messages count (default 0)" },
  json: { help: "print the result as one line of JSON and nothing else; times in ms" },
};

/** Notes on `bench`, printed after its options. */
export const loadNotes = `Opens connections to an echo server and sends messages. Each must come back
unchanged: its size, its kind and the stamp at its beginning are compared.

Without --rate this is a closed loop: the next message leaves when an answer
has arrived, and latency counts from when a message was sent. A server that
stops for a second is sent nothing in that second, so latency hides the stop.
With --rate it is an open loop: messages are due at a steady rate, no matter
how slow earlier answers are. Latency counts from when a message was due, not
from when there was room to send it, so nothing is omitted. It includes the
lateness of this process, about a millisecond. A message waits for room while
connections times depth messages are in flight.

Ctrl-C ends early and prints the result so far. Exits with 1 if no connection
could be opened, or messages or answers were lost or wrong; with 0 otherwise.
`;

/** Reads the client options and {@link loadOptions}. Throws {@link UsageError}. */
export function readLoad(given: Given, address: string): LoadOptions {
  const { url, options: client } = readClient(given, address);
  const rate = given.number("rate");
  const messages = given.whole("messages", 1);
  if (rate === 0 && messages !== undefined) {
    throw new UsageError("--rate 0 sends no messages; leave out --messages, or set another --rate");
  }
  return {
    url,
    client,
    connections: given.whole("connections", 1) ?? 50,
    opening: given.whole("opening", 1) ?? 100,
    size: given.whole("size", 0) ?? 64,
    isText: given.has("text"),
    depth: given.whole("depth", 1) ?? 1,
    echo: !given.has("no-echo"),
    rate,
    warmup: (given.number("warmup") ?? 0) * 1000,
    duration: given.time("duration") ?? (messages === undefined ? 10_000 : Infinity),
    messages: messages ?? Infinity,
  };
}
