import { systemClock, type Clock, type Role } from "../../core/index.ts";
import { invalidArgument, isPlainObject } from "../../core/internal.ts";
import { canTakeOver } from "../deflate/deflate.ts";
import { suggestedTimeouts, type OptionsOf, type Timeouts } from "./options.ts";
import { deflateSettings, type DeflateSettings } from "../handshake/permessage-deflate.ts";
import { rateSettings, type RateSettings } from "./rate.ts";
import type { Observer } from "./statistics.ts";

/** Options with the defaults filled in, checked; made once for all the connections of a server. */
export class Settings<Ws = unknown, Data = unknown> {
  readonly maxHeaderSize: number;
  readonly maxMessageSize: number;
  readonly maxFragments: number;
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly overflow: "close" | "drop" | "wait";
  /** The most payload of a frame. */
  readonly fragmentSize: number;
  readonly text: "string" | "bytes";
  readonly concurrency: number;
  readonly rate: RateSettings | undefined;
  readonly deflate: DeflateSettings | undefined;
  readonly timeouts: Readonly<Record<Role, Timeouts>>;
  readonly clock: Clock;
  readonly options: OptionsOf<Ws, Data>;
  readonly observer: Observer<Ws> | undefined;

  /** Throws `core.invalid_argument`, naming the option, for what can't be meant. */
  constructor(options: OptionsOf<Ws, Data>, observer?: Observer<Ws>) {
    checkNames(options);
    this.maxHeaderSize = size("maxHeaderSize", options.maxHeaderSize, 16 * 1024);
    this.maxMessageSize = size("maxMessageSize", options.maxMessageSize, 16 * 1024 * 1024);
    // Below 1 there would be no room even where nothing waits.
    this.highWaterMark = Math.max(1, size("highWaterMark", options.highWaterMark, 64 * 1024));
    this.maxBufferedAmount = size("maxBufferedAmount", options.maxBufferedAmount, 16 * 1024 * 1024);
    this.maxFragments = Math.max(1, size("maxFragments", options.maxFragments, 16 * 1024));
    this.overflow = oneOf("overflow", options.overflow, ["close", "drop", "wait"]);
    const { autoFragment = true } = options;
    if (typeof autoFragment !== "boolean") throw invalidArgument("autoFragment must be true or false");
    // The smallest is Beast's.
    const writeBufferSize = Math.max(8, Math.floor(size("writeBufferSize", options.writeBufferSize, 128 * 1024)));
    this.fragmentSize = autoFragment ? writeBufferSize : Infinity;
    this.text = oneOf("text", options.text, ["string", "bytes"]);
    const { concurrency = 1 } = options;
    if (!(concurrency >= 1) || (concurrency !== Infinity && !Number.isInteger(concurrency))) {
      throw invalidArgument(
        `concurrency must be a whole number of at least 1, or Infinity, not ${String(concurrency)}`,
      );
    }
    this.concurrency = concurrency;
    this.rate = rateSettings(options.rate);
    this.deflate = deflateSettings(options.deflate, canTakeOver);
    this.timeouts = { client: timeouts("client", options.timeouts), server: timeouts("server", options.timeouts) };
    this.clock = options.clock ?? systemClock;
    this.options = { ...options };
    this.observer = observer;
  }
}

const functions = ["open", "message", "drain", "control", "close", "error", "upgrade", "decorate"];
const sizes = [
  "maxHeaderSize",
  "maxMessageSize",
  "maxFragments",
  "highWaterMark",
  "maxBufferedAmount",
  "writeBufferSize",
];
const others = [
  ...sizes,
  "overflow",
  "autoFragment",
  "text",
  "concurrency",
  "rate",
  "deflate",
  "timeouts",
  "clock",
  "peer",
];

/** The names of all options of a stream, for who takes them with others. */
export const streamOptionNames: readonly string[] = [...functions, ...others].filter((name) => name !== "peer");

/** A misspelt handler is never called, and nobody would know why. */
function checkNames<Ws, Data>(options: OptionsOf<Ws, Data>): void {
  if (!isPlainObject(options)) throw invalidArgument("Options are a plain object: a class would hide its methods");
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    const isFunction = functions.includes(name);
    if (!isFunction && !others.includes(name)) throw invalidArgument(`There is no option "${name}"`);
    if (isFunction && value !== undefined && typeof value !== "function") {
      throw invalidArgument(`The option ${name} must be a function, not ${typeof value}`);
    }
  }
  const { clock = systemClock } = options;
  if (typeof clock?.setTimer !== "function" || typeof clock.now !== "function") {
    throw invalidArgument("The option clock must be a Clock");
  }
}

function timeouts(role: Role, given: Partial<Timeouts> = {}): Timeouts {
  const byDefault = suggestedTimeouts(role);
  if (typeof given !== "object" || given === null) {
    throw invalidArgument("The option timeouts must be an object, such as { handshake: 5000 }");
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(byDefault, name)) throw invalidArgument(`There is no option "timeouts.${name}"`);
  }
  const { keepAlivePings = byDefault.keepAlivePings } = given;
  if (typeof keepAlivePings !== "boolean") throw invalidArgument("timeouts.keepAlivePings must be true or false");
  const idle = size("timeouts.idle", given.idle, byDefault.idle);
  if (idle === 0) throw invalidArgument("timeouts.idle must be more than 0 (Infinity for no limit)");
  return { handshake: size("timeouts.handshake", given.handshake, byDefault.handshake), idle, keepAlivePings };
}

/** One of several words, the first by default. */
function oneOf<Word extends string>(name: string, given: Word | undefined, words: readonly [Word, ...Word[]]): Word {
  if (given === undefined) return words[0];
  if (words.includes(given)) return given;
  throw invalidArgument(`${name} must be ${words.map((word) => `"${word}"`).join(" or ")}, not ${String(given)}`);
}

function size(name: string, given: number | undefined, byDefault: number): number {
  if (given === undefined) return byDefault;
  if (typeof given === "number" && given >= 0) return given;
  throw invalidArgument(`${name} must be a number of at least 0 (Infinity for no limit), not ${String(given)}`);
}
