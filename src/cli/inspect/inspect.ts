import { connect } from "../../client/index.ts";
import { ServalError, systemClock, type Clock } from "../../core/index.ts";
import type { ClientSettings } from "../shared/client-options.ts";
import { examine } from "./examine.ts";
import { misuseLine } from "../shared/failure.ts";
import type { Inspection } from "./inspection.ts";
import { inspectionText } from "./inspection-lines.ts";
import { jsonLine } from "../shared/json-line.ts";
import { Screen } from "../shared/screen.ts";
import { painter, type Stdio } from "../shared/stdio.ts";

/**
 * Opens a WebSocket and prints what happened at each step. Fulfils with the exit code: 0 if the WebSocket opened, 1 if
 * not, 2 for an invalid URL or option.
 */
export async function inspect(
  client: ClientSettings,
  json: boolean,
  stdio: Stdio,
  clock: Clock = systemClock,
): Promise<number> {
  const screen = new Screen(stdio);
  let found: Inspection;
  try {
    await check(client);
    found = await examine(client, clock);
  } catch (error) {
    screen.err(misuseLine(error, "inspect"));
    return 2;
  }
  const paint = painter(stdio.stdout, stdio.env);
  await screen.out(json ? jsonLine(found) : inspectionText(found, paint));
  return found.opened ? 0 : 1;
}

/** Throws if the URL or an option is invalid, before any connection is made. */
async function check({ url, options }: ClientSettings): Promise<void> {
  const { proxy } = options;
  if (proxy !== undefined && !/^https?:\/\//i.test(String(proxy))) {
    throw new Error("inspect takes an http: or https: proxy only; connect takes the others too");
  }
  // With an aborted signal, `connect` checks all its arguments and stops before the first step.
  await connect(url, { ...options, signal: AbortSignal.abort() }).catch((error: unknown) => {
    if (!(error instanceof ServalError) || error.condition === "misuse") throw error;
  });
}
