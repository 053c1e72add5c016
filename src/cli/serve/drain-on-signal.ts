import type { Server } from "../../server/index.ts";
import { onSignal, type Signalled } from "../shared/on-signal.ts";
import type { Output } from "../shared/output.ts";

const timeout = 5_000;

/**
 * Drains the server at the first SIGINT or SIGTERM, and prints how it went; fulfils when every connection has ended. A
 * second signal ends the process.
 */
export async function drainOnSignal(
  server: Pick<Server, "drain" | "connections">,
  output: Output,
  signalled: Signalled = process,
): Promise<void> {
  await new Promise<void>((resolve) => onSignal(signalled, resolve));
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
