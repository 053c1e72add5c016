import type { Readable, Writable } from "node:stream";
import type { Signalled } from "./on-signal.ts";

/** The streams and signals of an interactive command: the process, or a test's. */
export interface Stdio extends Signalled {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether both input and output are a terminal that can move its cursor. */
export function isInteractive({ stdin, stdout, env }: Stdio): boolean {
  return stdin.isTTY === true && stdout.isTTY === true && env["TERM"] !== "dumb";
}

/** Colours text for a terminal. Returns it unchanged elsewhere, and if NO_COLOR (no-color.org) is set. */
export type Paint = (colour: "dim" | "green" | "red" | "yellow", text: string) => string;

const codes = { dim: 2, red: 31, green: 32, yellow: 33 } as const;

/** The {@link Paint} for a stream. */
export function painter(stream: { readonly isTTY?: boolean }, env: Stdio["env"]): Paint {
  const isColourful = stream.isTTY === true && !env["NO_COLOR"] && env["TERM"] !== "dumb";
  return (colour, text) => (isColourful ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text);
}
