import { checkChoice, checkNumber, type NumberRule } from "../../core/internal.ts";
import { longest } from "../frames/frame.ts";

const bytes: NumberRule = { unit: "bytes" };

/** How messages are received, and how many bytes may wait, in a `Stream` and a `Protocol` alike. */
export interface Limits {
  readonly maxMessageSize: number;
  readonly maxFragments: number;
  readonly highWaterMark: number;
  readonly text: "string" | "bytes";
}

/** Checks these options, and fills in the defaults. Throws `core.invalid_argument`. */
export function limits(options: { readonly [Name in keyof Limits]?: Limits[Name] | undefined }): Limits {
  return {
    maxMessageSize: Math.min(longest, checkNumber("maxMessageSize", options.maxMessageSize, 16 * 1024 * 1024, bytes)),
    maxFragments: Math.max(1, checkNumber("maxFragments", options.maxFragments, 128 * 1024)),
    // Below 1 there would never be room.
    highWaterMark: Math.max(1, checkNumber("highWaterMark", options.highWaterMark, 64 * 1024, bytes)),
    text: checkChoice("text", options.text, ["string", "bytes"]),
  };
}
