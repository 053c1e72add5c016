import { escaped } from "./escape.ts";

/** What `--json` prints: a value as one line, in which nothing a peer sent acts on a terminal. */
export function jsonLine(value: object): string {
  return `${escaped(JSON.stringify(value, rounded))}\n`;
}

/** Times in thousandths of a millisecond: there is no more to them. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 1000) / 1000 : value;
}
