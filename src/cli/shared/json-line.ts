import { escaped } from "./escape.ts";

/** A value as one line of JSON, for `--json`; escaped, so that a peer's text can't act on a terminal. */
export function jsonLine(value: object): string {
  return `${escaped(JSON.stringify(value, rounded))}\n`;
}

/** Rounds to microseconds, the accuracy of times in milliseconds. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
}
