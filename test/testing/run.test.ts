import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { promised, ServalError, type Handler } from "../../src/core/index.ts";
import { everyFailure, type EveryFailureOptions, type Run, type Scenario } from "../../src/testing/index.ts";
import { RunState } from "../../src/testing/run.ts";
import { read, write } from "../core/support/stream-operations.ts";
import { quiet } from "../support/quiet.ts";

const hello = Buffer.from("hello");

/** What a scenario's runs end with. */
async function failureOf(scenario: Scenario, options?: EveryFailureOptions): Promise<ServalError> {
  const error: unknown = await everyFailure(scenario, options).catch((thrown: unknown) => thrown);
  assert.ok(error instanceof ServalError, String(error));
  return error;
}

describe("a run", () => {
  const leaves: [what: string, message: RegExp, scenario: (run: Run) => unknown][] = [
    ["a stream open", /stream 2 is not closed/, ({ pair }) => [pair()[0].close(), pair()]],
    ["a timer", /1 timers are left/, ({ clock }) => clock.setTimer(1, () => {})],
    ["a listener", /1 listeners are left on the signal/, ({ signal }) => signal.addEventListener("abort", () => {})],
    ["a promise", /1 handlers or promises were never/, ({ track }) => void track(new Promise(() => {}))],
    ["a handler", /1 handlers or promises were never/, ({ once }) => void once(() => {})],
    [
      "nothing to wait for",
      /nothing happens any more, and a read of stream 1 is in flight/,
      ({ pair }) => read(pair()[0]),
    ],
    [
      "no operation to wait for",
      /no operation is in flight\. Timers outside the run's clock are not seen: pass `clock` .* option patience, now 0 milli/,
      () => new Promise(() => {}),
    ],
  ];
  for (const [what, message, scenario] of leaves) {
    it(`fails if it leaves ${what}`, async () => {
      const error = await failureOf(scenario, { patience: 0 });
      assert.equal(error.code, "testing.run_failed");
      assert.match(error.message, message);
    });
  }

  it("fails if a handler is called inside the call, or twice", async () => {
    const inside = await failureOf(({ once }) => once((done) => done()));
    assert.match(inside.message, /called inside the call/);
    const twice = await failureOf(({ once }) =>
      once((done) => {
        queueMicrotask(done);
        setImmediate(done);
      }),
    );
    assert.match(twice.message, /called twice/);
  });

  it("does not end while a clock runs forever", async () => {
    const error = await failureOf(({ clock }) => {
      const again = (): void => void clock.setTimer(600_000, again);
      again();
      return new Promise(() => {});
    });
    assert.match(error.message, /nothing happens any more/);
  });

  it("fulfils once with what the handler was given, and passes misuse on", async () => {
    await new RunState(undefined, 1000).perform(async ({ once, track }) => {
      const operation = (done: (error: undefined, sum: number) => void): void =>
        queueMicrotask(() => done(undefined, 3));
      assert.deepEqual(await once(operation), [undefined, 3]);
      const misuse = once(() => {
        throw new RangeError("no");
      });
      await assert.rejects(misuse, RangeError);
      const promise = promised((handler: Handler<number>) => queueMicrotask(() => handler(undefined, 1)));
      assert.equal(track(promise), promise);
    });
  });

  it("waits for work outside the streams", async () => {
    await new RunState(undefined, 1000).perform(() => new Promise((resolve) => setTimeout(resolve, 20)));
  });

  it("forgets a listener that removes itself", async () => {
    const names = await everyFailure(async ({ pair, signal }) => {
      const [stream] = pair();
      const stop = (): void => {};
      signal.addEventListener("abort", stop, { once: true });
      await write(stream, hello).catch(() => {});
      await quiet();
      if (!signal.aborted) signal.removeEventListener("abort", stop);
      stream.close();
    });
    assert.ok(names.includes("write 1 abort"));
  });
});
