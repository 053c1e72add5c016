/** What can be started: a program in `programs/`, run by a runtime. */
export interface ContenderKind {
  readonly program: string;
  /** The command that runs the program; Node.js if there is none. */
  readonly runtime?: "bun" | "deno";
}

/** Those that we are compared with. */
const peers: Readonly<Record<string, ContenderKind>> = {
  ws: { program: "ws.mjs" },
  net: { program: "net.mjs" },
  handle: { program: "handle.mjs" },
  "node:http": { program: "node-http.mjs" },
  hono: { program: "hono.mjs" },
  srvx: { program: "srvx.mjs" },
  undici: { program: "undici.mjs" },
  bun: { program: "bun.mjs", runtime: "bun" },
  deno: { program: "deno.mjs", runtime: "deno" },
};

export const peerNames: readonly string[] = Object.keys(peers);

/** The name of the build that is measured, and of the older one. */
export const subject = "serval";
export const older = "before";

/** What to start for a contender's name. */
export function contenderKind(name: string): ContenderKind {
  return peers[name] ?? { program: "serval.mjs" };
}
