import type { Clock, Role } from "../../core/index.ts";
import {
  attentive,
  checkBoolean,
  checkClock,
  checkChoice,
  checkFunction,
  checkNumber,
  checkOptions,
  type AttentiveClock,
  type NumberRule,
  type OptionSet,
  optionSet,
} from "../../core/internal.ts";
import { canTakeOver } from "../deflate/deflate.ts";
import { limits } from "./limits.ts";
import { suggestedTimeouts, type OptionsOf, type Timeouts } from "./options.ts";
import { deflateSettings, type DeflateSettings } from "../handshake/permessage-deflate.ts";
import { rateSettings, type RateSettings } from "./rate.ts";
import type { Observer } from "./statistics.ts";

const bytes: NumberRule = { unit: "bytes" };
const milliseconds: NumberRule = { unit: "milliseconds" };

/** The limits of a handshake's head by default. */
export const headLimits = { maxHeaderSize: 16_384, maxHeadersCount: 2_000 } as const;

/** Checked options with defaults filled in; made once for all connections of a server. */
export class Settings<Ws = unknown, Data = unknown> {
  readonly maxHeaderSize: number;
  readonly maxHeadersCount: number;
  readonly maxMessageSize: number;
  readonly maxFragments: number;
  readonly highWaterMark: number;
  readonly maxBufferedAmount: number;
  readonly overflow: "close" | "drop" | "wait";
  /** The largest payload of a frame. */
  readonly fragmentSize: number;
  readonly text: "string" | "bytes";
  readonly concurrency: number;
  readonly rate: RateSettings | undefined;
  readonly deflate: DeflateSettings | undefined;
  readonly timeouts: Readonly<Record<Role, Timeouts>>;
  readonly clock: Clock;
  /** For deadlines. */
  readonly time: AttentiveClock;
  readonly options: OptionsOf<Ws, Data>;
  readonly observer: Observer<Ws> | undefined;

  /**
   * Throws `core.invalid_argument`, naming the option, for an invalid value. The function that takes the options checks
   * their names.
   */
  constructor(options: OptionsOf<Ws, Data>, observer?: Observer<Ws>) {
    for (const name of functions) checkFunction(name, options[name]);
    if (options.timeouts !== undefined) checkOptions(timeoutOptions, options.timeouts);
    this.maxHeaderSize = checkNumber("maxHeaderSize", options.maxHeaderSize, headLimits.maxHeaderSize, bytes);
    this.maxHeadersCount = checkNumber("maxHeadersCount", options.maxHeadersCount, headLimits.maxHeadersCount);
    const { maxMessageSize, maxFragments, highWaterMark, text } = limits(options);
    this.maxMessageSize = maxMessageSize;
    this.maxFragments = maxFragments;
    this.highWaterMark = highWaterMark;
    this.text = text;
    this.maxBufferedAmount = checkNumber("maxBufferedAmount", options.maxBufferedAmount, 16 * 1024 * 1024, bytes);
    this.overflow = checkChoice("overflow", options.overflow, ["close", "drop", "wait"]);
    const autoFragment = checkBoolean("autoFragment", options.autoFragment, true);
    // Smaller frames would be mostly headers.
    const writeBufferSize = Math.max(
      8,
      Math.floor(checkNumber("writeBufferSize", options.writeBufferSize, 128 * 1024, bytes)),
    );
    this.fragmentSize = autoFragment ? writeBufferSize : Infinity;
    this.concurrency = checkNumber("concurrency", options.concurrency, 1, { least: 1, isWhole: true });
    this.rate = rateSettings(options.rate);
    this.deflate = deflateSettings(options.deflate, canTakeOver);
    this.timeouts = timeouts(options.timeouts);
    this.clock = checkClock(options.clock);
    this.time = attentive(this.clock);
    this.options = { ...options };
    this.observer = observer;
  }
}

const functions = ["open", "message", "drain", "control", "close", "error", "upgrade", "decorate"] as const;
const others = [
  "deflate",
  "timeouts",
  "maxHeaderSize",
  "maxHeadersCount",
  "maxMessageSize",
  "maxFragments",
  "maxBufferedAmount",
  "highWaterMark",
  "overflow",
  "rate",
  "concurrency",
  "text",
  "autoFragment",
  "writeBufferSize",
  "clock",
];

/** The option names of a stream, for functions that take them with others. These functions set `peer` themselves. */
export const streamOptionNames: readonly string[] = [...functions, ...others];

/** The options of `new websocket.Stream`. */
export const streamOptions: OptionSet = optionSet(
  "websocket.Stream",
  [...streamOptionNames, "peer"],
  "{ deflate: true }",
);

const timeoutOptions = optionSet("timeouts", Object.keys(suggestedTimeouts("server")), "{ handshake: 5000 }", [
  "websocket.Stream",
  "mount",
  "connect",
  "connect.forever",
]);

type TimeoutsOfRoles = Readonly<Record<Role, Timeouts>>;

/** One object for all clients without the option: each of them has settings of its own. */
const byDefault: TimeoutsOfRoles = { client: suggestedTimeouts("client"), server: suggestedTimeouts("server") };

function timeouts(given: Partial<Timeouts> | undefined): TimeoutsOfRoles {
  if (given === undefined) return byDefault;
  return { client: timeoutsOf("client", given), server: timeoutsOf("server", given) };
}

function timeoutsOf(role: Role, given: Partial<Timeouts>): Timeouts {
  const suggested = suggestedTimeouts(role);
  return {
    handshake: checkNumber("timeouts.handshake", given.handshake, suggested.handshake, milliseconds),
    idle: checkNumber("timeouts.idle", given.idle, suggested.idle, { above: 0, unit: "milliseconds" }),
    keepAlivePings: checkBoolean("timeouts.keepAlivePings", given.keepAlivePings, suggested.keepAlivePings),
  };
}
