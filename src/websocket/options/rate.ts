import { checkChoice, checkNumber, checkOptions, optionSet, refilled } from "../../core/internal.ts";

/**
 * How fast a peer may send: the option `rate`. Infinity for no limit. It is checked after each read, so a single read, of
 * up to 64 KiB from a socket, may bring more frames than the rate before the peer must wait or is closed.
 */
export interface RateOptions {
  /** How many frames a second: messages, their fragments, pings and pongs. Default Infinity; in `serve` 10,000. */
  messages?: number | undefined;
  /** How many bytes a second, with frame headers, and the bytes that they inflate to. Default Infinity; in `serve` 64 MiB. */
  bytes?: number | undefined;
  /** How many milliseconds' worth of both a peer may send at once after silence. Default 2,000. */
  burst?: number | undefined;
  /**
   * What happens to a peer that sends faster. "wait", the default: reading pauses until the peer is within the rate
   * again, so the transport slows it down. "close": the connection ends with `websocket.rate_exceeded`, close code
   * 1008.
   */
  exceeded?: "wait" | "close" | undefined;
}

/** {@link RateOptions} with the defaults filled in. */
export type RateSettings = Readonly<Required<{ [Name in keyof RateOptions]: NonNullable<RateOptions[Name]> }>>;

const rateOptions = optionSet("rate", ["messages", "bytes", "burst", "exceeded"], "{ messages: 100 }");

/** Checks the option `rate`; undefined for no limit. Throws `core.invalid_argument`. */
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
 * Two token buckets, for frames and bytes. They fill with time, and received data takes from them, also into debt,
 * since the size of a read is not known before.
 */
export class RateMeter {
  readonly #settings: RateSettings;
  /** How many milliseconds' worth of frames and of bytes may still be received at once; negative for a debt. */
  #frames: number;
  #bytes: number;
  #at: number;
  /** The total at the last call. */
  #framesBefore = 0;
  #bytesBefore = 0;

  constructor(settings: RateSettings, now: number) {
    this.#settings = settings;
    this.#frames = this.#bytes = settings.burst;
    this.#at = now;
  }

  /** Counts up to the given totals; returns for how many milliseconds reading must pause. */
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
