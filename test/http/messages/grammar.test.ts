import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  dropOws,
  equalsIgnoringCase,
  isTarget,
  isToken,
  isValue,
  skipOws,
  skipTarget,
  skipToken,
  skipValue,
} from "../../../src/http/messages/grammar.ts";

/** All bytes of a rule, by its own words: every one of the 256 is asked. */
const rules = {
  token: /[!#$%&'*+\-.^_`|~0-9A-Za-z]/,
  target: /[\x21-\x7e]/,
  value: /[\t\x20-\x7e\x80-\xff]/,
};
const everyCode = Array.from({ length: 256 }, (_, code) => code);

describe("the characters of a rule", () => {
  const scans = { token: skipToken, target: skipTarget, value: skipValue };
  for (const [name, rule] of Object.entries(rules)) {
    it(`${name}: each of 256 bytes`, () => {
      for (const code of everyCode) {
        const length = scans[name as keyof typeof scans](Uint8Array.of(code), 0, 1);
        assert.equal(length === 1, rule.test(String.fromCharCode(code)), `0x${code.toString(16)}`);
      }
    });
  }

  it("stop at the given end", () => {
    const bytes = new Uint8Array(8).fill(0x61);
    for (const scan of Object.values(scans)) {
      assert.equal(scan(bytes, 2, 5), 5);
      assert.equal(scan(bytes, 5, 5), 5);
    }
  });
});

describe("isToken, isTarget and isValue", () => {
  it("accept the same characters as the scans", () => {
    for (const code of everyCode) {
      const text = String.fromCharCode(code);
      assert.equal(isToken(text), rules.token.test(text));
      assert.equal(isToken(`a${text}a`), rules.token.test(text));
      assert.equal(isTarget(text), rules.target.test(text));
      assert.equal(isTarget(`a${text}a`), rules.target.test(text));
      assert.equal(isValue(text), rules.value.test(text));
      assert.equal(isValue(`a${text}a`), rules.value.test(text));
    }
  });

  it("refuse characters above U+00FF, even if their low byte would be a line break", () => {
    for (const text of ["\u0100", "\u010d", "\u010a", "\u2028", "\u{1f600}", "ab\u0161"]) {
      assert.equal(isToken(text), false);
      assert.equal(isTarget(text), false);
      assert.equal(isValue(text), false);
    }
  });

  it("accept an empty value but no empty token or target", () => {
    assert.equal(isToken(""), false);
    assert.equal(isTarget(""), false);
    assert.equal(isValue(""), true);
  });
});

it("strips space and tab at both ends, nothing else", () => {
  for (const [text, rest] of [
    ["", ""],
    [" \t ", ""],
    ["a", "a"],
    [" \ta b\t ", "a b"],
    ["\u00a0a\n", "\u00a0a\n"],
  ] as const) {
    const from = skipOws(text, 0, text.length);
    assert.equal(text.slice(from, dropOws(text, from, text.length)), rest);
  }
});

it("ignores only the case of ASCII letters", () => {
  const equals = (a: string, b: string): boolean => equalsIgnoringCase(`-${a}-`, 1, a.length + 1, b);
  assert.equal(equals("Upgrade", "uPGRADE"), true);
  assert.equal(equals("a-z_09", "A-Z_09"), true);
  assert.equal(equals("", ""), true);
  assert.equal(equals("Upgrade", "Upgrad"), false);
  assert.equal(equals("Upgrade", "Upgradf"), false);
  for (const code of everyCode) {
    for (const other of everyCode) {
      const [a, b] = [String.fromCharCode(code), String.fromCharCode(other)];
      const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
      assert.equal(equals(a, b), lower(a) === lower(b), `0x${code.toString(16)} and 0x${other.toString(16)}`);
    }
  }
});
