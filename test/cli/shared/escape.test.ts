import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { escaped, escapedLine, escapedWords } from "../../../src/cli/shared/escape.ts";

describe("escaped", () => {
  it("escapes what acts on a terminal", () => {
    for (const [text, shown] of [
      ["\u001b]0;title\u0007", "\\u001b]0;title\\u0007"],
      ["a\rb\bc\u007f", "a\\u000db\\u0008c\\u007f"],
      ["\u009b31m", "\\u009b31m"],
      ["\u202egnp.exe\u2066", "\\u202egnp.exe\\u2066"],
      ["\u2028\u2029\u200b\u00ad", "\\u2028\\u2029\\u200b\\u00ad"],
      ["\u{e0041}", "\\udb40\\udc41"],
    ] as const) {
      assert.equal(escaped(text), shown);
      // As JSON has it: in a string of JSON it is still the same text.
      assert.equal(JSON.parse(`"${shown}"`), text);
    }
  });

  it("leaves other text unchanged", () => {
    const text = "tab\t, line\n, é, €, 😀, 👩\u200d👩\u200d👧, می\u200cخواهم, \\u001b";
    assert.equal(escaped(text), text);
  });
});

describe("escapedLine", () => {
  it("stays on one line", () => {
    assert.equal(escapedLine("a\nb\u001b"), "a\\nb\\u001b");
  });
});

describe("escapedWords", () => {
  it("joins lines", () => {
    assert.equal(escapedWords("a \n  b\u001b\n\nc"), "a b\\u001b c");
  });
});
