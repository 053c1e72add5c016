import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";

/** How long a test waits for a condition, in ms: far longer than anything takes, on a busy machine too. */
const patience = 60_000;

/**
 * Lets the event loop turn, or does what `between` does, until a condition holds; fails, with the condition, if it does not
 * come to that.
 */
export async function until(condition: () => boolean, between: () => Promise<unknown> = turn): Promise<void> {
  const end = performance.now() + patience;
  while (!condition()) {
    assert.ok(performance.now() < end, `it never held within ${patience} ms: ${condition.toString()}`);
    await between();
  }
}
