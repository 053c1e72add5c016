import { ServalError, systemClock, type Clock } from "../../core/index.ts";
import { misuseLine } from "../shared/failure.ts";
import { jsonLine } from "../shared/json-line.ts";
import { Load } from "./load.ts";
import type { LoadOptions } from "./load-options.ts";
import { onSignal, type Signalled } from "../shared/on-signal.ts";
import type { Output } from "../shared/output.ts";
import { Progress } from "./progress.ts";
import { reportOf, resultOf } from "./report.ts";
import type { Tally } from "./tally.ts";

/**
 * Loads a server and prints the result. Fulfils with the exit code: 1 if no connection could be opened, or messages or
 * answers were lost or wrong; 2 if the URL or the proxy is invalid. The first SIGINT or SIGTERM ends the load early; a
 * second one ends the process.
 */
export async function bench(
  options: LoadOptions,
  json: boolean,
  output: Output,
  { clock = systemClock, signalled = process as Signalled }: { clock?: Clock; signalled?: Signalled } = {},
): Promise<number> {
  const load = new Load(options, clock);
  const stop = new AbortController();
  const ignoreSignals = onSignal(signalled, () => stop.abort());
  const progress = new Progress(load.tally, json ? withoutTerminal(output) : output, clock);
  try {
    await load.run(stop.signal);
  } catch (error) {
    if (!(error instanceof ServalError)) throw error;
    progress.end();
    output.err(misuseLine(error, "bench"));
    return 2;
  } finally {
    progress.end();
    ignoreSignals();
  }
  output.out(json ? jsonLine(resultOf(options, load.tally)) : reportOf(options, load.tally));
  return codeOf(load.tally);
}

function codeOf({ opened, lost, wrong }: Tally): number {
  return opened === 0 || lost > 0 || wrong > 0 ? 1 : 0;
}

function withoutTerminal({ out, err }: Output): Output {
  return { out, err };
}
