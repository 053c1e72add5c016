import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lastOf, listed, numberOf, quoted, readOptions, UsageError, wholeOf } from "../../src/cli/options.ts";

const table = {
  size: { type: "string", short: "s", example: "--size 64" },
  text: { type: "boolean" },
} as const;

const given = (line: string) => readOptions(line === "" ? [] : line.split(" "), table);

function wrong(run: () => unknown, message: string): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, message);
    return true;
  });
}

describe("readOptions", () => {
  it("tells words from options, of which all values are kept", () => {
    const { words, values } = given("a --size 1 --text b -s2 --size=-3");
    assert.deepEqual(words, ["a", "b"]);
    assert.deepEqual(
      [...values],
      [
        ["size", ["1", "2", "-3"]],
        ["text", [""]],
      ],
    );
  });

  it("says what is wrong", () => {
    wrong(() => given("--sise 1"), 'unknown option "--sise"; the options are --size and --text');
    wrong(() => given("--toString"), 'unknown option "--toString"; the options are --size and --text');
    wrong(() => given("--text=1"), "--text takes no value");
    wrong(() => given("--size --text"), "--size needs a value, such as --size 64");
    wrong(() => given("--size"), "--size needs a value, such as --size 64");
  });
});

describe("values of options", () => {
  it("are the last ones given", () => {
    assert.equal(lastOf(given("-s 1 -s 2"), "size"), "2");
    assert.equal(lastOf(given(""), "size"), undefined);
  });

  it("are whole numbers where they must be", () => {
    assert.equal(wholeOf(given("-s 12"), "size", 1), 12);
    assert.equal(wholeOf(given(""), "size", 1), undefined);
    for (const text of ["0", "1.5", "1e3", "x", "0x10"]) {
      wrong(
        () => wholeOf(given(`--size=${text}`), "size", 1),
        `"${text}" is no such number; --size takes a whole number of at least 1`,
      );
    }
  });

  it("are numbers where they must be", () => {
    assert.equal(numberOf(given("-s 0.25"), "size"), 0.25);
    assert.equal(numberOf(given(""), "size"), undefined);
    for (const text of ["-1", ".5", "1e3", "Infinity", "1,5"]) {
      wrong(
        () => numberOf(given(`--size=${text}`), "size"),
        `"${text}" is no such number; --size takes one such as 10 or 0.5`,
      );
    }
  });
});

describe("words in a message", () => {
  it("are listed as in a sentence, and quoted", () => {
    assert.deepEqual(
      [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])],
      ["", "a", "a and b", "a, b and c"],
    );
    assert.equal(quoted('a\n"'), '"a\\n\\""');
  });
});
