import { readClient, type ClientOptions } from "../shared/client-options.ts";
import { UsageError, type Given, type OptionTable } from "../shared/options.ts";

/** What a load is made of; sizes in bytes, times in milliseconds. */
export interface LoadOptions {
  readonly url: string;
  readonly client: ClientOptions;
  readonly connections: number;
  /** The most connections that are being opened at once. */
  readonly opening: number;
  readonly size: number;
  readonly isText: boolean;
  /** The most messages that wait for their answers on a connection. */
  readonly depth: number;
  /** Whether messages are answered. */
  readonly echo: boolean;
  /** Messages a second in all; undefined for as many as are answered, 0 for none. */
  readonly rate: number | undefined;
  /** How long messages are sent before they count. */
  readonly warmup: number;
  /** How long messages that count are sent, and how many at most; Infinity for no such limit. */
  readonly duration: number;
  readonly messages: number;
}

/** The options of `bench` alone. */
export const loadOptions: OptionTable = {
  connections: { short: "c", value: "N", example: "50", help: "how many connections (default 50)" },
  opening: { value: "N", example: "50", help: "at most so many are being opened at once (default 100)" },
  size: { short: "s", value: "BYTES", example: "64", help: "the size of each message (default 64)" },
  text: { help: "text messages in the place of binary ones" },
  depth: { value: "N", example: "1", help: "messages in flight on each connection (default 1)" },
  rate: {
    short: "r",
    value: "N",
    example: "1000",
    help: "messages a second in all (an open loop: see below); 0 for none, so that connections are only held open",
  },
  "no-echo": { help: "messages are not answered: they are only sent" },
  duration: { short: "d", value: "S", example: "10", help: "seconds of sending, or of holding (default 10)" },
  messages: { short: "n", value: "N", example: "100000", help: "ends after so many messages; no default" },
  warmup: { value: "S", example: "2", help: "seconds of sending before messages count (default 0)" },
  json: { help: "print the result as one line of JSON and nothing else; times in ms" },
};

/** Notes on `bench`, printed after its options. */
export const loadNotes = `Opens connections to an echo server and sends messages, each of which is to
come back as it was: size, kind and the stamp at its beginning are compared.

Without --rate this is a closed loop: the next message leaves when an answer
has come, and latency is counted from when a message was sent. A server that
stops for a second is asked nothing in that second: latency says little of it.
With --rate it is an open loop: messages are due at a steady rate, whatever
becomes of those before, and latency is counted from when a message was due,
not from when there was room to send it, so nothing is omitted. What this
process itself is late, a millisecond or so, is part of it. A message waits
for room where connections times depth are in flight already.

Ctrl-C ends early, with the result so far. Exits with 0; with 1 if no
connection could be opened, or answers were lost or wrong.
`;

/** Reads how to connect, and {@link loadOptions}. Throws {@link UsageError}. */
export function readLoad(given: Given, address: string): LoadOptions {
  const { url, options: client } = readClient(given, address);
  const rate = given.number("rate");
  const messages = given.whole("messages", 1);
  if (rate === 0 && messages !== undefined) {
    throw new UsageError("--rate 0 sends no messages: leave --messages out, or the rate");
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
