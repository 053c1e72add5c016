import assert from "node:assert/strict";

/** More runs than anything takes. */
const most = 2000;

/**
 * Runs something whose n-th operation fails, for n = 0, 1, 2, … until there is none to fail, and `run` returns that all went
 * well. Fails itself if fewer than `least` operations could.
 */
export async function everyFailure(least: number, run: (n: number) => Promise<boolean>): Promise<void> {
  let n = 0;
  while (!(await run(n))) assert.ok(++n < most, `an operation fails in each of ${most} runs`);
  assert.ok(n >= least, `only ${n} operations failed`);
}
