import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as ws from "ws";
import { extension } from "../../src/ws/extension.ts";
import { fc, runs } from "../support/property.ts";

// The types of `ws` lack it.
const { extension: other } = ws as unknown as { extension: typeof extension };

/** What a function returned, or the error it threw. */
function outcome(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

describe("extension.parse", () => {
  it("returns the offers of each extension, in their order", () => {
    const parsed = extension.parse('foo, bar; baz=2; qux, foo; a="1"; a=2');
    assert.deepEqual(
      { ...parsed },
      {
        foo: [{ __proto__: null }, { __proto__: null, a: ["1", "2"] }],
        bar: [{ __proto__: null, baz: ["2"], qux: [true] }],
      },
    );
  });

  it("takes names that objects have by themselves", () => {
    assert.deepEqual(Object.keys(extension.parse("__proto__, toString; constructor=1")), ["__proto__", "toString"]);
  });

  it("says where it went wrong", () => {
    assert.throws(() => extension.parse("foo; bar =1"), new SyntaxError("Unexpected character at index 9"));
    assert.throws(() => extension.parse('foo; bar="1'), new SyntaxError("Unexpected end of input"));
  });

  it("returns and throws what ws' own does, for every combination of pieces", () => {
    const pieces = ["a", "b", ";", ",", "=", '"', "\\", " ", "\t", "é", "\0"];
    const header = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((list) => list.join(""));
    const property = fc.property(header, (value) => {
      assert.deepEqual(
        outcome(() => extension.parse(value)),
        outcome(() => other.parse(value)),
      );
    });
    fc.assert(property, { numRuns: runs(4000) });
  });
});

describe("extension.format", () => {
  it("writes what parse has read", () => {
    const header = "foo; a; b=1; b=2, foo, bar; c";
    assert.equal(extension.format(extension.parse(header)), header);
  });

  it("takes one offer without a list, and values without a list", () => {
    assert.equal(extension.format({ foo: { a: true, b: 10 }, bar: [{}] }), "foo; a; b=10, bar");
    assert.equal(extension.format({}), "");
  });
});
