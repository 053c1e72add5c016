// What the two of llhttp have in common: the one that is compiled into Node, in the version that it has, and the one of
// undici's in WebAssembly. Both are as they are shipped, with no leniency asked for.
import { createRequire } from "node:module";
import type { Input } from "./http-seen.ts";

/** For what is no module with types: their parts are nobody else's business. */
export const require: NodeJS.Require = createRequire(import.meta.url);

const { METHODS } = require("undici/lib/llhttp/constants.js") as { METHODS: Record<string, number> };

/** The methods that llhttp has, by its numbers for them. */
export const methodNames: ReadonlyMap<number, string> = new Map(
  Object.entries(METHODS).map(([name, number]) => [number, name]),
);

/** What Node's client and undici say of a body once they have the head of a response: 0 as it says, 1 none, 2 a tunnel. */
export function bodyAnswer({ kind, method }: Input, status: number, upgrade: boolean): 0 | 1 | 2 {
  if (kind === "request") return 0;
  if (upgrade || (method === "CONNECT" && status >= 200 && status < 300)) return 2;
  return method === "HEAD" || status < 200 ? 1 : 0;
}
