import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../src/core/index.ts";
import { everySplit, type EverySplitOptions } from "../../src/testing/index.ts";

const bytes = Buffer.from("abcd");

/** The ways in which bytes are split, each with its pieces. */
function splits(of: Uint8Array, options?: EverySplitOptions): Record<string, string> {
  const seen: Record<string, string> = {};
  const text = (piece: Uint8Array): string => Buffer.from(piece).toString();
  everySplit(of, (pieces, name) => void (seen[name] = pieces.map(text).join("|")), options);
  return seen;
}

describe("everySplit", () => {
  it("splits nowhere, everywhere, and at each place", () => {
    assert.deepEqual(splits(bytes), {
      whole: "abcd",
      "byte by byte": "a|b|c|d",
      "at 1": "a|bcd",
      "at 2": "ab|cd",
      "at 3": "abc|d",
    });
    assert.deepEqual(splits(bytes.subarray(0, 1)), { whole: "a" });
    assert.deepEqual(splits(bytes.subarray(0, 0)), { whole: "" });
  });

  it("splits long bytes at random, by a seed", () => {
    const long = Buffer.from("x".repeat(200));
    const ways = splits(long, { maxSplits: 198 });
    assert.equal(Object.keys(ways).length, 200);
    const pieces = new Set<number>();
    for (const [name, split] of Object.entries(ways)) {
      assert.match(name, /^(whole|byte by byte|random \d+)$/);
      assert.equal(split.replaceAll("|", ""), String(long));
      assert.doesNotMatch(split, /\|\||^\||\|$/);
      pieces.add(split.split("|").length);
    }
    assert.deepEqual(
      [...pieces].toSorted((a, b) => a - b),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 200],
    );
    assert.deepEqual(splits(long, { maxSplits: 198 }), ways);
    assert.notDeepEqual(splits(long, { maxSplits: 198, seed: 2 }), ways);
    assert.equal(Object.keys(splits(long, { maxSplits: 199 })).at(-1), "at 199");
  });

  it("gives pieces that are the scenario's own", () => {
    const mine = Buffer.from("abcd");
    everySplit(mine, (pieces) => {
      for (const piece of pieces) piece.fill(0);
    });
    assert.equal(String(mine), "abcd");
  });

  it("waits for a scenario that returns promises, one after the other", async () => {
    const seen: string[] = [];
    let running = 0;
    await everySplit(bytes, async (_, name) => {
      assert.equal(++running, 1);
      await new Promise(setImmediate);
      seen.push(name);
      running--;
    });
    assert.deepEqual(seen, Object.keys(splits(bytes)));
  });

  it("fails if the scenario's promise does not settle, with the way", async () => {
    const seen: string[] = [];
    const hangs = (_: Uint8Array[], name: string): Promise<void> => {
      seen.push(name);
      return name === "at 2" ? new Promise(() => {}) : Promise.resolve();
    };
    await assert.rejects(everySplit(bytes, hangs, { patience: 20 }), {
      code: "testing.run_failed",
      message:
        'The scenario fails with its bytes split "at 2": its promise has not settled within 20 ms (the option patience). To repeat it alone: { only: "at 2" }',
    });
    assert.deepEqual(seen, ["whole", "byte by byte", "at 1", "at 2"]);
    // Its rejection, when all is over, is nobody's.
    let reject!: (error: Error) => void;
    const late = everySplit(bytes, () => new Promise((_, no) => (reject = no)), { patience: 1 });
    await assert.rejects(late, /"whole"/);
    reject(new Error("too late"));
    await new Promise(setImmediate);
  });

  it("fails with the way, the scenario's error, and how to repeat it", async () => {
    const fails = (pieces: Uint8Array[]): void => assert.notEqual(pieces[0]!.length, 2, "not two");
    const message = 'The scenario fails with its bytes split "at 2": not two. To repeat it alone: { only: "at 2" }';
    const check = (error: unknown): true => {
      assert.ok(error instanceof ServalError);
      assert.deepEqual([error.code, error.message], ["testing.run_failed", message]);
      assert.ok(error.cause instanceof assert.AssertionError);
      return true;
    };
    for (const options of [{}, { only: "at 2" }]) {
      assert.throws(() => everySplit(bytes, fails, options), check);
      await assert.rejects(
        everySplit(bytes, async (pieces) => fails(pieces), options),
        check,
      );
    }
    assert.deepEqual(Object.keys(splits(bytes, { only: "at 1" })), ["at 1"]);
  });

  it("takes nothing but bytes and a function, and says so at the call", () => {
    const none = async (): Promise<void> => assert.fail("called");
    for (const [given, scenario, message] of [
      ["abc", none, /^everySplit takes the bytes as a Uint8Array, not "abc"$/],
      [[1, 2, 3], none, /^everySplit takes the bytes as a Uint8Array, not a list$/],
      [new ArrayBuffer(3), none, /not an ArrayBuffer$/],
      [undefined, none, /not undefined$/],
      [bytes, undefined, /^everySplit takes a function, such as \(pieces\) => …, not undefined$/],
      [bytes, { seed: 2 }, /takes a function, .*, not an object$/],
    ] as unknown as [Uint8Array, () => Promise<void>, RegExp][]) {
      assert.throws(() => void everySplit(given, scenario), { code: "core.invalid_argument", message });
    }
  });

  it("says what it expects", () => {
    for (const [options, message] of [
      [{ only: "at 4" }, /4 bytes are not split "at 4": there are whole, byte by byte, at 1, at 2, at 3$/],
      [{ maxSplits: -1 }, /maxSplits must be a number, 0 or more/],
      [{ seeds: 1 } as EverySplitOptions, /did you mean seed\?/],
    ] as const) {
      assert.throws(() => splits(bytes, options), { code: "core.invalid_argument", message });
    }
    assert.throws(() => splits(Buffer.alloc(10), { only: "at" }), {
      message: /whole, byte by byte, at 1, … and at 9$/,
    });
  });
});
