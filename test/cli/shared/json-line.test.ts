import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { jsonLine } from "../../../src/cli/shared/json-line.ts";

describe("jsonLine", () => {
  it("is one line with the same meaning, and nothing that acts on a terminal", () => {
    const value = { text: "a\nb\u001b[2J\u009b\u2028\u202e", none: null };
    const line = jsonLine(value);
    assert.match(line, /^[\x20-\x7e]+\n$/);
    assert.deepEqual(JSON.parse(line), value);
  });

  it("rounds times to microseconds", () => {
    assert.equal(
      jsonLine({ ms: 1.23456789, count: 12, bytes: 2 ** 40 }),
      '{"ms":1.235,"count":12,"bytes":1099511627776}\n',
    );
  });
});
