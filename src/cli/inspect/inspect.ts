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
 * Opens a WebSocket and prints what happened at each step. Fulfils with the exit code: 0 if it was open, 1 if not, 2 for
 * a URL or options that can't be meant.
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

/** Throws what is wrong with the URL and the options before anything is connected to. */
async function check({ url, options }: ClientSettings): Promise<void> {
  const { proxy } = options;
  if (proxy !== undefined && !/^https?:\/\//i.test(String(proxy))) {
    throw new Error("inspect looks through http: and https: proxies alone; connect takes the others too");
  }
  // It looks at all of it, and finds itself given up before the first step.
  await connect(url, { ...options, signal: AbortSignal.abort() }).catch((error: unknown) => {
    if (!(error instanceof ServalError) || error.condition === "misuse") throw error;
  });
}
