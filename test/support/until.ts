import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";

/** How long a test waits for a condition, in ms: far longer than anything takes, on a busy machine too. */
const patience = 60_000;

/** How many steps a test takes towards a condition: far more than anything takes. */
const most = 1_000_000;

/**
 * Lets the event loop turn, or does what `between` does, until a condition holds; fails, with the condition, if it does not
 * come to that.
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  between: () => Promise<unknown> = turn,
): Promise<void> {
  const end = performance.now() + patience;
  for (;;) {
    const holds = condition();
    // A condition that is known at once is not waited for.
    if (typeof holds === "boolean" ? holds : await holds) return;
    if (performance.now() > end) assert.fail(`it never held within ${patience} ms: ${condition.toString()}`);
    await between();
  }
}

/** Takes steps until a condition holds, without waiting; fails, with the condition, if it does not come to that. */
export function stepUntil(condition: () => boolean, step: () => void): void {
  for (let steps = 0; !condition(); steps++) {
    if (steps === most) assert.fail(`it never held within ${most} steps: ${condition.toString()}`);
    step();
  }
}
