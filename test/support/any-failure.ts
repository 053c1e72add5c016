import type { ServalError } from "../../src/core/index.ts";
import { everyFailure, type EveryFailureOptions, type Scenario } from "../../src/testing/index.ts";

/**
 * As `everyFailure`, for the scenarios of a table, of which some need nothing from the stream below: those run once,
 * where nothing fails, and that is all.
 */
export async function anyFailure(scenario: Scenario, options: EveryFailureOptions = {}): Promise<readonly string[]> {
  try {
    return await everyFailure(scenario, options);
  } catch (error) {
    if ((error as ServalError).code === "testing.no_operations") return [];
    throw error;
  }
}
