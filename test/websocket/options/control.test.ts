import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeUtf8 as utf8 } from "../../../src/core/text.ts";
import { checkClose, checkControl } from "../../../src/websocket/options/control.ts";

describe("checkClose", () => {
  const good: [code: number, reason: string][] = [
    [1005, ""],
    [1000, ""],
    [1011, "x".repeat(123)],
    [3000, "€".repeat(41)],
    [4999, ""],
  ];
  for (const [code, reason] of good) {
    it(`${code} with ${utf8(reason).length} bytes can be sent`, () =>
      assert.deepEqual(checkClose({ code, reason }), { code, reason }));
  }
  const bad: [code: number, reason: string, objection: RegExp][] = [
    [1005, "x", /needs a close code/],
    [999, "", /999/],
    [1004, "", /1004/],
    [1006, "", /1006/],
    [1015, "", /1015/],
    [2999, "", /2999/],
    [5000, "", /5000/],
    [1000.5, "", /1000\.5/],
    [Number.NaN, "", /NaN/],
    [1000, "x".repeat(124), /123 bytes/],
    [1000, "€".repeat(42), /123 bytes/],
  ];
  for (const [code, reason, objection] of bad) {
    it(`${code} with ${utf8(reason).length} bytes can't`, () =>
      assert.throws(() => checkClose({ code, reason }), { code: "core.invalid_argument", message: objection }));
  }
});

describe("checkClose's options", () => {
  it("are 1000 and no reason by default", () => assert.deepEqual(checkClose({}), { code: 1000, reason: "" }));
  for (const wrong of [1000, "bye", null, { reason: 7 }]) {
    it(`can't be ${JSON.stringify(wrong)}`, () =>
      assert.throws(() => checkClose(wrong as object), { code: "core.invalid_argument" }));
  }
});

describe("checkControl", () => {
  it("passes up to 125 bytes, and strings as UTF-8", () => {
    assert.equal(checkControl(new Uint8Array(125)).length, 125);
    assert.deepEqual(checkControl("é"), utf8("é"));
  });
  it("refuses more, and values that are no bytes", () => {
    for (const wrong of [new Uint8Array(126), "é".repeat(63), 5 as unknown as string]) {
      assert.throws(() => checkControl(wrong), { code: "core.invalid_argument" });
    }
  });
});
