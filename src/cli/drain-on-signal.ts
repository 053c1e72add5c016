import type { Server } from "../server/index.ts";
import type { Output } from "./output.ts";

/** What can be told to end: the process. */
export interface Signalled {
  once(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
  off(signal: "SIGINT" | "SIGTERM", listener: () => void): unknown;
}

const timeout = 5_000;

/**
 * Drains the server at the first SIGINT or SIGTERM, and says how that went; fulfils when nothing is open any more. The
 * second signal does what signals do: it ends the process.
 */
export async function drainOnSignal(
  server: Pick<Server, "drain" | "connections">,
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
  if (open > 0) {
    output.err(
      `serval: closing ${open} connection${open === 1 ? "" : "s"}, for at most ${timeout / 1000} s; Ctrl-C stops at once\n`,
    );
  }
  const { terminated, cut } = await server.drain({ timeout, reason: "The server is shutting down" });
  const lost = terminated + cut;
  if (lost > 0)
    output.err(`serval: ${lost} of them did not close in time and ${lost === 1 ? "was" : "were"} cut off\n`);
}
