import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { contentLength } from "../../src/http/framing.ts";
import { Fields } from "../../src/http/index.ts";

const of = (...lengths: string[]): number | undefined => contentLength(new Fields({ "content-length": lengths }));

describe("contentLength", () => {
  it("is the number that the field has", () => {
    assert.equal(of(), undefined);
    assert.equal(of("0"), 0);
    assert.equal(of("42"), 42);
    assert.equal(of("0042"), 42);
    assert.equal(of("9007199254740991"), Number.MAX_SAFE_INTEGER);
  });

  it("is nothing but digits", () => {
    const bad = ["", "-1", "+1", "1.0", "1e3", "0x10", "1 2", "1,1", "1, 1", "a", "1a", "Infinity", "9007199254740992"];
    for (const value of [...bad, "9".repeat(400)])
      assert.throws(() => of(value), { code: "http.bad_content_length" }, value);
  });

  it("is there once, even where all agree", () => {
    assert.throws(() => of("1", "2"), { code: "http.multiple_content_length" });
    assert.throws(() => of("1", "1"), { code: "http.multiple_content_length" });
  });

  it("does not go with Transfer-Encoding, whatever either says", () => {
    for (const [length, coding] of [
      ["0", "chunked"],
      ["5", "identity"],
      ["x", ""],
    ]) {
      const fields = new Fields({ "Content-Length": length, "Transfer-Encoding": coding });
      assert.throws(() => contentLength(fields), { code: "http.bad_transfer_encoding" });
    }
    assert.equal(contentLength(new Fields({ "Transfer-Encoding": "chunked" })), undefined);
  });
});
