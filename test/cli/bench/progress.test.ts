import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Progress } from "../../../src/cli/bench/progress.ts";
import { Tally } from "../../../src/cli/bench/tally.ts";
import { coreError } from "../../../src/core/index.ts";
import { VirtualClock } from "../../../src/testing/index.ts";

const clear = "\r\x1b[K";

function start(columns: number | undefined) {
  const clock = new VirtualClock();
  const tally = new Tally();
  const written: string[] = [];
  const output = { out: assert.fail, err: (text: string) => void written.push(text), columns };
  return { clock, tally, written, progress: new Progress(tally, output, clock) };
}

describe("Progress", () => {
  it("shows progress twice a second, in one line that it removes at the end", async () => {
    const { clock, tally, written, progress } = start(80);
    tally.open = 12;
    tally.received = tally.sent = 1000;
    for (const value of [1, 2, 2]) tally.latency.record(value);
    tally.failed(coreError("core.timeout"));
    tally.lost = 1;
    await clock.advance(500);
    tally.received += 10;
    await clock.advance(500);
    progress.end();
    assert.deepEqual(written, [
      `${clear}0 open  0 messages/s  0 errors`,
      `${clear}12 open  2,000 messages/s  p50 2 ms  p99 2 ms  2 errors`,
      `${clear}12 open  20 messages/s  p50 2 ms  p99 2 ms  2 errors`,
      clear,
    ]);
    progress.end();
    assert.deepEqual([written.length, clock.pending], [4, 0]);
  });

  it("keeps to the terminal's width", () => {
    assert.deepEqual(start(10).written, [`${clear}0 open  0`]);
  });

  it("shows nothing without a terminal", async () => {
    const { clock, written, progress } = start(undefined);
    progress.end();
    assert.deepEqual([written, clock.pending], [[], 0]);
  });
});
