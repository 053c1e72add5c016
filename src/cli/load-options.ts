import { clientOptions, clientOptionTable, type ClientOptions } from "./client-options.ts";
import { numberOf, readOptions, UsageError, wholeOf, type Given, type OptionTable } from "./options.ts";

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

/** The options of `serval bench`. */
export const loadOptionTable: OptionTable = {
  connections: { type: "string", short: "c", example: "--connections 50" },
  opening: { type: "string", example: "--opening 50" },
  size: { type: "string", short: "s", example: "--size 64" },
  text: { type: "boolean" },
  depth: { type: "string", example: "--depth 1" },
  rate: { type: "string", short: "r", example: "--rate 1000" },
  "no-echo": { type: "boolean" },
  duration: { type: "string", short: "d", example: "--duration 10" },
  messages: { type: "string", short: "n", example: "--messages 100000" },
  warmup: { type: "string", example: "--warmup 2" },
  json: { type: "boolean" },
  ...clientOptionTable,
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
};

/** Reads the arguments of `serval bench`; without `load` where they ask for help or the version. Throws {@link UsageError}. */
export function readLoadOptions(args: readonly string[]): { given: Given; load?: LoadOptions; json: boolean } {
  const given = readOptions(args, loadOptionTable);
  const json = given.values.has("json");
  if (given.values.has("help") || given.values.has("version")) return { given, json };
  return { given, json, load: loadOf(given) };
}

function loadOf(given: Given): LoadOptions {
  const [url, ...rest] = given.words;
  if (url === undefined) throw new UsageError("bench needs the URL of a server, such as ws://127.0.0.1:8080/");
  if (rest.length > 0) throw new UsageError(`bench takes one URL, and ${rest.length + 1} words were given`);
  const rate = numberOf(given, "rate");
  const messages = wholeOf(given, "messages", 1);
  if (rate === 0 && messages !== undefined) {
    throw new UsageError("--rate 0 sends no messages: leave --messages out, or the rate");
  }
  const seconds = numberOf(given, "duration") ?? (messages === undefined ? 10 : Infinity);
  if (seconds === 0) throw new UsageError("--duration takes a number of seconds above 0");
  return {
    url,
    client: clientOptions(given),
    connections: wholeOf(given, "connections", 1) ?? 50,
    opening: wholeOf(given, "opening", 1) ?? 100,
    size: wholeOf(given, "size", 0) ?? 64,
    isText: given.values.has("text"),
    depth: wholeOf(given, "depth", 1) ?? 1,
    echo: !given.values.has("no-echo"),
    rate,
    warmup: (numberOf(given, "warmup") ?? 0) * 1000,
    duration: seconds * 1000,
    messages: messages ?? Infinity,
  };
}
