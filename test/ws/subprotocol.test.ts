import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as ws from "ws";
import { subprotocol } from "../../src/ws/subprotocol.ts";
import { fc, runs } from "../support/property.ts";

// The types of `ws` lack it.
const { subprotocol: other } = ws as unknown as { subprotocol: typeof subprotocol };

/** What a function returned, or the error it threw. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

describe("subprotocol.parse", () => {
  it("returns the names in their order", () => {
    assert.deepEqual([...subprotocol.parse("foo,bar ,\tbaz")], ["foo", "bar", "baz"]);
  });

  it("refuses a name that comes twice", () => {
    assert.throws(() => subprotocol.parse("a, b, a"), new SyntaxError('The "a" subprotocol is duplicated'));
  });

  it("returns and throws what ws' own does, for every combination of pieces", () => {
    const header = fc
      .array(fc.constantFrom("a", "b", "c", ",", " ", "\t", "é"), { maxLength: 10 })
      .map((list) => list.join(""));
    const property = fc.property(header, (value) => {
      assert.deepEqual(
        outcome(() => subprotocol.parse(value)),
        outcome(() => other.parse(value)),
      );
    });
    fc.assert(property, { numRuns: runs(4000) });
  });
});
