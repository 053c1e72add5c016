import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError, type ByteStream } from "../../src/core/index.ts";
import {
  everyFailure,
  type EveryFailureOptions,
  pair as importedPair,
  type Failure,
  type Run,
  type Scenario,
} from "../../src/testing/index.ts";
import { read, write } from "../core/support/stream-operations.ts";

const hello = Buffer.from("hello");

/** Says "hello", reads five bytes, and closes. */
async function talk(stream: ByteStream): Promise<string> {
  try {
    for (let rest = hello; rest.length > 0;) rest = rest.subarray(await write(stream, rest));
    let heard = "";
    while (heard.length < 5) {
      const bytes = await read(stream);
      if (bytes === undefined) return `${heard}, then the end`;
      heard += String(bytes);
    }
    return heard;
  } finally {
    stream.close();
  }
}

/** The same with a peer that says "there". */
function talking({ pair }: Run): Promise<string> {
  const [stream, peer] = pair();
  peer.writeSome(Buffer.from("there"), () => {});
  return talk(stream);
}

/** The error that a scenario's runs end with. */
async function failureOf(scenario: Scenario, options?: EveryFailureOptions): Promise<ServalError> {
  const error: unknown = await everyFailure(scenario, options).then(
    (names) => assert.fail(`all runs went well: ${names.join()}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ServalError, String(error));
  return error;
}

describe("everyFailure", () => {
  it("fails each operation in each way, until a run meets none", async () => {
    const outcomes: Record<string, string> = {};
    const names = await everyFailure(async (run) => {
      const said = await talking(run).catch((error: ServalError) => error.code);
      outcomes[run.met ?? "none"] = said;
    });
    assert.deepEqual(outcomes, {
      none: "there",
      "write 1 error": "testing.failure",
      "read 1 error": "testing.failure",
      "read 1 end": ", then the end",
      "write 1 reset": "core.connection_reset",
      "read 1 reset": "core.connection_reset",
      "write 1 delay": "there",
      "read 1 delay": "there",
      "write 1 stall": "there",
      "read 1 stall": "there",
      "write 1 short": "there",
      "read 1 short": "there",
    });
    assert.deepEqual(names, Object.keys(outcomes).slice(1));
  });

  it("aborts the signal while each operation is in flight, if the scenario has asked for it", async () => {
    const names = await everyFailure(
      async (run) => {
        const [stream] = run.pair();
        const stop = (): void => stream.close();
        run.signal.addEventListener("abort", stop);
        await write(stream, hello);
        const reading = read(stream);
        if (run.met === undefined) stream.close();
        await reading.catch((error: ServalError) => assert.equal(error.code, "core.aborted"));
        stream.close();
        run.signal.removeEventListener("abort", stop);
      },
      { failures: ["abort"] },
    );
    assert.deepEqual(names, ["write 1 abort", "read 1 abort"]);
    assert.deepEqual(await everyFailure(talking, { failures: ["abort"] }), []);
  });

  it("takes a rejection for an outcome, once the failure has come and is one", async () => {
    assert.equal((await everyFailure(talking)).length, 11);
    for (const failure of ["delay", "short", "error"] satisfies Failure[]) {
      const scenario = async (run: Run): Promise<void> => {
        await talking(run).catch(() => {});
        if (run.met !== undefined) throw new ServalError("a.b", failure === "error" ? "misuse" : "timeout", "too bad");
      };
      const error = await failureOf(scenario, { failures: [failure] });
      assert.equal((error.cause as ServalError).code, "a.b");
    }
  });

  it("rejects with the name of the run, the scenario's error, and how to repeat it", async () => {
    const scenario = async (run: Run): Promise<void> => {
      await talking(run);
      assert.notEqual(run.met, "read 1 delay", "no delay, please");
    };
    const error = await failureOf(scenario);
    assert.deepEqual([error.code, error.condition], ["testing.run_failed", "misuse"]);
    assert.equal(
      error.message,
      'The scenario fails in the run "read 1 delay": no delay, please. To repeat it alone: everyFailure(scenario, { only: "read 1 delay" })',
    );
    assert.ok(error.cause instanceof assert.AssertionError);
    assert.equal((await failureOf(scenario, { only: "read 1 delay" })).message, error.message);
    assert.deepEqual(await everyFailure(scenario, { only: "write 1 delay" }), ["write 1 delay"]);
  });

  it("reports a scenario that fails without any failure", async () => {
    const error = await failureOf(() => {
      throw new TypeError("no such thing");
    });
    assert.equal(error.message, "The scenario fails already when no failure is injected: no such thing");
    assert.ok(error.cause instanceof TypeError);
  });

  it("lets the clock move when nothing else does, so that deadlines expire before an operation that stalls", async () => {
    const outcomes = new Set<string>();
    await everyFailure(async (run) => {
      const [stream, peer] = run.pair();
      peer.writeSome(hello, () => {});
      const timer = run.clock.setTimer(30_000, () => stream.close());
      outcomes.add(
        await read(stream).then(String, (error: ServalError) => `${run.met} ${error.code} ${run.clock.now()}`),
      );
      timer.cancel();
      stream.close();
    });
    assert.ok(outcomes.has("read 1 stall core.aborted 30000"));
    assert.ok(outcomes.has("hello"));
  });

  it("counts the streams that it wraps together", async () => {
    const names = await everyFailure(
      async ({ pair, wrap }) => {
        const [stream, peer] = pair();
        const other = wrap(peer);
        const both = [write(stream, hello), read(other)];
        await Promise.all(both).finally(() => {
          stream.close();
          other.close();
        });
      },
      { failures: ["error"] },
    );
    assert.deepEqual(names, ["write 1 error", "read 1 error"]);
  });

  it("stops a scenario that meets further operations in every run", async () => {
    let operations = 0;
    const error = await failureOf(
      async ({ pair }) => {
        const [stream] = pair({ capacity: Infinity });
        operations++;
        for (let count = 0; count < operations; count++) await write(stream, hello).catch(() => {});
        stream.close();
      },
      { maxRuns: 20 },
    );
    assert.deepEqual([error.code, operations], ["testing.too_many_runs", 21]);
  });

  it("refuses a scenario that starts no operation on the run's streams, since nothing could fail", async () => {
    const scenarios: Scenario[] = [
      async () => {},
      async () => {
        const [stream, peer] = importedPair();
        peer.writeSome(Buffer.from("there"), () => {});
        assert.equal(await talk(stream), "there");
      },
      ({ pair }) => pair()[0].close(),
      async ({ pair }) => {
        const [stream, peer] = pair();
        await write(peer, hello);
        stream.close();
      },
    ];
    for (const scenario of scenarios) {
      for (const options of [{}, { only: "read 1 error" }]) {
        const error = await failureOf(scenario, options);
        assert.deepEqual([error.code, error.condition], ["testing.no_operations", "misuse"]);
        assert.match(error.message, /make its streams with the `pair` or `wrap` that it gets/);
      }
    }
  });

  it("takes nothing but a function for a scenario", async () => {
    for (const scenario of ["x", undefined, { pair: 1 }]) {
      const error = await failureOf(scenario as unknown as Scenario);
      assert.equal(error.code, "core.invalid_argument");
      assert.match(error.message, /^everyFailure takes a function, .*, not ("x"|undefined|an object)$/);
    }
  });

  it("says what it expects", async () => {
    for (const [given, message] of [
      [{ only: "write" }, /only must be the name of a run, such as "write 3 reset", not "write"/],
      [{ only: "write 1 end" }, /name of a run/],
      [{ only: "read 7 end" }, /has no operation for the run "read 7 end"/],
      [{ failures: ["crash" as Failure] }, /no failure "crash": there are error, end/],
      [{ failures: ["error", undefined] as Failure[] }, /no failure undefined: there are error, end/],
      [
        { failures: "error" as unknown as Failure[] },
        /^failures must be a list, such as \["error", "end"\], not "error"$/,
      ],
      [{ maxRun: 1 } as EveryFailureOptions, /did you mean maxRuns/],
      [{ patience: -1 }, /patience must be a number of milliseconds/],
    ] as const) {
      const error = await failureOf(talking, given);
      assert.equal(error.code, "core.invalid_argument");
      assert.match(error.message, message);
    }
  });
});
