import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it, type TestContext } from "node:test";
import { Liveness, type Watched } from "../../src/ws/liveness.ts";

function watch(
  t: TestContext,
  idle: number,
): { log: string[]; watched: { isDeaf: boolean }; liveness: Liveness; pass(time: number): Promise<void> } {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let now = 0;
  const log: string[] = [];
  const watched: Watched & { isDeaf: boolean } = {
    isDeaf: false,
    ask: () => log.push(`ask ${now}`),
    giveUp: () => log.push(`give up ${now}`),
  };
  const liveness = new Liveness(idle, watched, () => now);
  const pass = async (time: number): Promise<void> => {
    now += time;
    t.mock.timers.tick(time);
    await turn();
  };
  return { log, watched, liveness, pass };
}

describe("Liveness", () => {
  it("asks after half of the time, and gives up after all of it", async (t) => {
    const { log, pass } = watch(t, 100);
    for (let i = 0; i < 30; i++) await pass(10);
    assert.deepEqual(log, ["ask 50", "give up 100"]);
  });

  it("starts over whenever something is heard", async (t) => {
    const { log, liveness, pass } = watch(t, 100);
    for (let i = 0; i < 20; i++) {
      await pass(10);
      liveness.heard();
    }
    assert.deepEqual(log, []);
    for (let i = 0; i < 7; i++) await pass(10);
    assert.deepEqual(log, ["ask 250"]);
    liveness.heard();
    for (let i = 0; i < 12; i++) await pass(10);
    assert.deepEqual(log, ["ask 250", "ask 320", "give up 370"]);
  });

  it("hears what arrived while the event loop was stopped", async (t) => {
    const { log, liveness, pass } = watch(t, 100);
    setImmediate(() => liveness.heard());
    await pass(500);
    assert.deepEqual(log, []);
  });

  it("gives up nobody that is not read, nor after stop", async (t) => {
    const { log, watched, liveness, pass } = watch(t, 100);
    watched.isDeaf = true;
    for (let i = 0; i < 30; i++) await pass(10);
    assert.deepEqual(log, []);
    watched.isDeaf = false;
    liveness.stop();
    for (let i = 0; i < 30; i++) await pass(10);
    assert.deepEqual(log, []);
  });
});
