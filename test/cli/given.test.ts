import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Given, quoted, UsageError } from "../../src/cli/given.ts";

describe("Given", () => {
  it("has all values of an option, and the last one where there can be but one", () => {
    const given = new Given();
    given.add("header", "a: 1");
    given.add("header", "b: 2");
    assert.deepEqual([given.size, given.has("header"), given.has("port")], [1, true, false]);
    assert.deepEqual(given.all("header"), ["a: 1", "b: 2"]);
    assert.equal(given.get("header"), "b: 2");
    assert.deepEqual([given.all("port"), given.get("port")], [[], undefined]);
  });

  it("reads whole numbers, and says what else is meant", () => {
    const given = new Given();
    assert.equal(given.count("wait", "time", "milliseconds"), undefined);
    given.add("wait", "250");
    assert.equal(given.count("wait", "time", "milliseconds"), 250);
    given.add("wait", "1\n");
    assert.throws(() => given.count("wait", "time", "milliseconds"), {
      constructor: UsageError,
      message: '"1\\n" is no time; --wait takes a number of milliseconds',
    });
  });
});

describe("quoted", () => {
  it("keeps what was given on its line", () => {
    assert.equal(quoted('a\n"b"'), '"a\\n\\"b\\""');
  });
});
