import { checkChoice, checkNumber, checkOptions, optionSet, refilled } from "../../core/internal.ts";

/** How fast a peer may send: the option `rate`. Infinity for no limit. */
export interface RateOptions {
  /**
   * How many frames a second are taken: messages, the fragments of one, pings and pongs. Default Infinity, for `serve`
   * 10,000.
   */
  messages?: number | undefined;
  /** How many bytes a second are taken, frame headers included. Default Infinity, for `serve` 64 MiB. */
  bytes?: number | undefined;
  /** How many milliseconds' worth of both a peer that was silent may send at once. Default 2,000. */
  burst?: number | undefined;
  /**
   * What becomes of a peer that sends faster. "wait", the default: reading pauses until it is within the rate again, so
   * that the peer is slowed down by the transport. "close": the connection ends with `websocket.rate_exceeded`, close
   * code 1008.
   */
  exceeded?: "wait" | "close" | undefined;
}

/** {@link RateOptions} with the defaults filled in. */
export type RateSettings = Readonly<Required<{ [Name in keyof RateOptions]: NonNullable<RateOptions[Name]> }>>;

const rateOptions = optionSet("rate", ["messages", "bytes", "burst", "exceeded"], "{ messages: 100 }");

/** Checks the option `rate`; undefined where there is no limit. Throws `core.invalid_argument`. */
export function rateSettings(given: RateOptions | false | undefined): RateSettings | undefined {
  if (given === undefined || given === false) return undefined;
  checkOptions(rateOptions, given);
  const exceeded = checkChoice("rate.exceeded", given.exceeded, ["wait", "close"]);
  const messages = checkNumber("rate.messages", given.messages, Infinity, { above: 0 });
  const bytes = checkNumber("rate.bytes", given.bytes, Infinity, { above: 0 });
  const burst = checkNumber("rate.burst", given.burst, 2000, { above: 0, unit: "milliseconds" });
  return messages === Infinity && bytes === Infinity ? undefined : { messages, bytes, burst, exceeded };
}

/**
 * Two token buckets: what a peer may send fills up with time, and what came takes from it, also into debt, since
 * nobody knows before a read how much that brings.
 */
export class RateMeter {
  readonly #settings: RateSettings;
  /** How many milliseconds' worth of frames and of bytes may still come at once; less than 0 for a debt. */
  #frames: number;
  #bytes: number;
  #at: number;
  /** What had come when it was last asked. */
  #framesBefore = 0;
  #bytesBefore = 0;

  constructor(settings: RateSettings, now: number) {
    this.#settings = settings;
    this.#frames = this.#bytes = settings.burst;
    this.#at = now;
  }

  /** Takes note of how much has come by now, in all; returns for how many milliseconds nothing more is to be taken. */
  take(frames: number, bytes: number, now: number): number {
    const { burst, messages: framesPerSecond, bytes: bytesPerSecond } = this.#settings;
    const passed = now - this.#at;
    this.#frames = refilled(this.#frames, burst, 1, passed) - ((frames - this.#framesBefore) / framesPerSecond) * 1000;
    this.#bytes = refilled(this.#bytes, burst, 1, passed) - ((bytes - this.#bytesBefore) / bytesPerSecond) * 1000;
    this.#at = now;
    this.#framesBefore = frames;
    this.#bytesBefore = bytes;
    return Math.max(0, -this.#frames, -this.#bytes);
  }
}
