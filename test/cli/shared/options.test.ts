import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { firstWord, listed, quoted, readOptions, UsageError } from "../../../src/cli/shared/options.ts";

const table = {
  size: { short: "s", value: "BYTES", example: "64", help: "the size" },
  text: { help: "text" },
};

const given = (line: string) => readOptions(line === "" ? [] : line.split(" "), table, "a");

function wrong(run: () => unknown, message: string): void {
  assert.throws(run, (error) => {
    assert.ok(error instanceof UsageError);
    assert.equal(error.message, message);
    return true;
  });
}

describe("readOptions", () => {
  it("separates words from options, and keeps all values", () => {
    const all = given("a --size 1 --text b -s2 --size=-3");
    assert.deepEqual([all.words, all.isEmpty], [["a", "b"], false]);
    assert.deepEqual(all.all("size"), ["1", "2", "-3"]);
    assert.deepEqual([all.has("text"), all.has("size"), all.has("more")], [true, true, false]);
    const none = given("");
    assert.deepEqual([none.words, none.isEmpty, none.all("size")], [[], true, []]);
    assert.deepEqual([given("a").isEmpty, given("--text").isEmpty], [false, false]);
  });

  it("says what is wrong", () => {
    wrong(
      () => given("--sise 1"),
      'unknown option "--sise"; did you mean --size?; the options of a are --size and --text',
    );
    wrong(() => given("--toString"), 'unknown option "--toString"; the options of a are --size and --text');
    wrong(() => readOptions(["--sise"], table), 'unknown option "--sise"');
    wrong(() => given("--text=1"), "--text takes no value");
    wrong(() => given("--size --text"), "--size needs a value, such as --size 64");
    wrong(() => given("--size"), "--size needs a value, such as --size 64");
  });
});

describe("firstWord", () => {
  it("is neither an option nor an option's value", () => {
    assert.equal(firstWord(["-s", "1", "--text", "--other", "a", "b"], table), "a");
    assert.equal(firstWord(["--size", "1"], table), undefined);
    assert.equal(firstWord(["--", "--size"], table), "--size");
  });
});

describe("values of options", () => {
  it("are the last ones given", () => {
    assert.equal(given("-s 1 -s 2").last("size"), "2");
    assert.equal(given("").last("size"), undefined);
  });

  it("are whole numbers if they must be", () => {
    assert.equal(given("-s 12").whole("size", 1), 12);
    assert.equal(given("").whole("size", 1), undefined);
    for (const text of ["0", "1.5", "1e3", "x", "0x10"]) {
      wrong(() => given(`--size=${text}`).whole("size", 1), `--size takes a whole number of at least 1, not "${text}"`);
    }
  });

  it("are numbers if they must be", () => {
    assert.equal(given("-s 0.25").number("size"), 0.25);
    assert.equal(given("").number("size"), undefined);
    for (const text of ["-1", ".5", "1e3", "Infinity", "1,5"]) {
      wrong(() => given(`--size=${text}`).number("size"), `--size takes a number such as 10 or 0.5, not "${text}"`);
    }
  });
});

describe("times", () => {
  it("are given in seconds, and above 0", () => {
    assert.equal(given("-s 0.25").time("size"), 250);
    assert.equal(given("").time("size"), undefined);
    wrong(() => given("-s 0").time("size"), "--size takes a number of seconds above 0");
  });

  it("may be something else, named in the message", () => {
    wrong(
      () => given("-s x").number("size", ', or "none"'),
      '--size takes a number such as 10 or 0.5, or "none", not "x"',
    );
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
