import type { Server } from "../server/index.ts";
import type { Output } from "./output.ts";

/** What can be told to end: the process. */
export interface Signalled {
  once(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

/**
 * Closes the server at the first SIGINT or SIGTERM; fulfils when it is closed. The second signal does what signals do:
 * it ends the process.
 */
export async function closeOnSignal(
  server: Pick<Server, "close" | "connections">,
  output: Output,
  signalled: Signalled = process,
): Promise<void> {
  await new Promise<void>((resolve) => {
    const onSignal = (): void => {
      signalled.off("SIGINT", onSignal);
      signalled.off("SIGTERM", onSignal);
      resolve();
    };
    signalled.once("SIGINT", onSignal);
    signalled.once("SIGTERM", onSignal);
  });
  const open = server.connections;
  if (open > 0)
    output.err(`serval: closing ${open} connection${open === 1 ? "" : "s"}, for at most 5 s; Ctrl-C stops at once\n`);
  await server.close();
}
