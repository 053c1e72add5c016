import { checkNumber, checkOptions, checkString, invalidArgument, optionSet, show } from "../core/internal.ts";
import { testingError } from "./errors.ts";
import { everyKind, Plan, type Failure } from "./failure.ts";
import { RunState, type Scenario } from "./run.ts";

/** Options of {@link everyFailure}. */
export interface EveryFailureOptions {
  /** The failures to try. Default all: `error`, `end`, `reset`, `abort`, `delay`, `stall`, `short`. */
  failures?: readonly Failure[];
  /** Repeats a single run, by the name in a failed run's error: `"write 3 reset"`. */
  only?: string;
  /** The most runs; one more is `testing.too_many_runs`. Default 10,000. */
  maxRuns?: number;
  /**
   * How long nothing may happen in a run before it counts as hanging, in milliseconds of real time; more for a scenario
   * with timers outside the run's clock. Default 1,000.
   */
  patience?: number;
}

const options = optionSet("everyFailure", ["failures", "only", "maxRuns", "patience"], "{ maxRuns: 1000 }");

/**
 * Runs a scenario repeatedly, and lets one more operation of its streams fail each time: first none, then the first,
 * the second, the third, until a run has none left; all that for each kind of {@link Failure}. The scenario gets a
 * {@link Run}, whose `pair` and `wrap` make the streams.
 *
 * After the failure, the scenario may reject with a `ServalError` other than misuse. It must not reject if nothing
 * fails, or if an operation is only late (`delay`) or short (`short`). Each run must settle, close its streams, and
 * leave no timer on its clock and no listener on its signal.
 *
 * Fulfils with the names of the runs in which something failed: `read 1 error`, `write 3 reset`. Rejects at the first
 * run that breaks a rule, with `testing.run_failed`; its message has the run's name and its `cause` is the scenario's
 * error. A scenario that starts more operations in every run ends with `testing.too_many_runs`, one that starts none on
 * the run's streams with `testing.no_operations`, since nothing could fail. A scenario that is no function, or an invalid
 * option, is `core.invalid_argument`.
 */
export async function everyFailure(scenario: Scenario, given: EveryFailureOptions = {}): Promise<readonly string[]> {
  if (typeof scenario !== "function") {
    throw invalidArgument(`everyFailure takes a function, such as async ({ pair }) => …, not ${show(scenario)}`);
  }
  checkOptions(options, given);
  const { only, failures = everyKind } = given;
  checkFailures(failures);
  const maxRuns = checkNumber("maxRuns", given.maxRuns, 10_000);
  const patience = checkNumber("patience", given.patience, 1000, { unit: "milliseconds" });

  checkString("only", only);
  if (only !== undefined) {
    const { met, hasStarted } = await perform(scenario, new RunState(Plan.parse(only), patience));
    checkStarted(hasStarted);
    if (met === undefined) throw invalidArgument(`The scenario has no operation for the run ${show(only)}`);
    return [met];
  }
  const { isSignalUsed, hasStarted } = await perform(scenario, new RunState(undefined, patience));
  checkStarted(hasStarted);
  const names: string[] = [];
  for (const failure of failures) {
    if (failure === "abort" && !isSignalUsed) continue;
    for (let count = 1; ; count++) {
      if (names.length >= maxRuns) {
        throw testingError("testing.too_many_runs", {
          message: `The scenario meets further operations in each of ${maxRuns} runs: it has to come to an end, or maxRuns to grow`,
        });
      }
      const { met } = await perform(scenario, new RunState(new Plan(failure, count), patience));
      if (met === undefined) break;
      names.push(met);
    }
  }
  return names;
}

function checkFailures(failures: unknown): void {
  if (!Array.isArray(failures)) {
    throw invalidArgument(`failures must be a list, such as ["error", "end"], not ${show(failures)}`);
  }
  for (const failure of failures as unknown[]) {
    if (everyKind.includes(failure as Failure)) continue;
    throw invalidArgument(`There is no failure ${show(failure)}: there are ${everyKind.join(", ")}`);
  }
}

/** Refuses a scenario in which nothing could fail, since it would pass whatever it tests. */
function checkStarted(hasStarted: boolean): void {
  if (hasStarted) return;
  throw testingError("testing.no_operations", {
    message:
      "The scenario starts no operation that can fail: make its streams with the `pair` or `wrap` that it gets, " +
      "as in everyFailure(async ({ pair }) => …), and use the first stream of that pair",
  });
}

/** Performs one run; an error gets the run's name. */
async function perform(scenario: Scenario, run: RunState): Promise<RunState> {
  try {
    await run.perform(scenario);
    return run;
  } catch (cause) {
    const { met } = run;
    const which = met === undefined ? "already when no failure is injected" : `in the run ${show(met)}`;
    const again = met === undefined ? "" : `. To repeat it alone: everyFailure(scenario, { only: ${show(met)} })`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw testingError("testing.run_failed", { cause, message: `The scenario fails ${which}: ${reason}${again}` });
  }
}
