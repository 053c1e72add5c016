import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkReason } from "../../src/ws/close-reason.ts";

describe("checkReason", () => {
  it("takes text or bytes with a code, and nothing without", () => {
    assert.equal(checkReason(1000, "bye"), "bye");
    assert.equal(checkReason(4999, Buffer.from("né")), "né");
    assert.equal(checkReason(1000, undefined), "");
    assert.equal(checkReason(undefined, "bye"), "");
  });

  it("takes anything without a length for no reason", () => {
    for (const none of [new Error("gone"), 7, true, {}, new ArrayBuffer(4), new Date(0)]) {
      assert.equal(checkReason(1011, none as never), "");
    }
  });

  it("refuses what can't be sent", () => {
    assert.throws(() => checkReason(1005, ""), { name: "TypeError" });
    assert.throws(() => checkReason("1000" as never, ""), { name: "TypeError" });
    assert.throws(() => checkReason(1000, [1] as never), { name: "TypeError" });
    assert.throws(() => checkReason(1000, "é".repeat(62)), { name: "RangeError" });
  });
});
