import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkNumber, checkOptions } from "../../../src/http/messages/options.ts";
import { RequestParser, type ServeOptions } from "../../../src/http/index.ts";
import { ServeSettings } from "../../../src/http/internal.ts";

const misuse = (message: RegExp): object => ({ code: "core.invalid_argument", message });

describe("options", () => {
  it("are numbers, or what goes by default", () => {
    assert.deepEqual([checkNumber("a", undefined, 7), checkNumber("a", 0, 7)], [7, 0]);
    assert.equal(checkNumber("a", Infinity, 7), Infinity);
    for (const value of [NaN, -1, "5mb", null, {}]) {
      assert.throws(() => checkNumber("a", value as number, 7), misuse(/option a must be a number/));
    }
  });

  it("are refused where there is none of their name", () => {
    checkOptions("it", { a: 1 }, ["a", "b"]);
    assert.throws(() => checkOptions("it", { c: 1 }, ["a", "b"]), misuse(/it has no option "c": there are a, b/));
    for (const value of [1, "a", null, []]) assert.throws(() => checkOptions("it", value, []), misuse(/plain object/));
  });

  it("of a parser and of a server can't mean no limit by mistake", () => {
    for (const name of ["maxBodySize", "maxChunkExtensionSize", "maxHeadersCount", "maxHeaderSize"]) {
      for (const value of [NaN, "1mb"]) {
        assert.throws(() => new RequestParser({ [name]: value }), misuse(new RegExp(name)));
        assert.throws(() => new ServeSettings({ [name]: value } as ServeOptions), misuse(new RegExp(name)));
      }
    }
    assert.throws(() => new ServeSettings({ timeouts: { header: NaN } }), misuse(/timeouts.header/));
    assert.throws(
      () => new ServeSettings({ timeouts: { head: 1 } as object }),
      misuse(/timeouts has no option "head": did you mean header/),
    );
    assert.throws(() => new ServeSettings({ limit: 1 } as ServeOptions), misuse(/no option "limit"/));
    assert.throws(() => new ServeSettings({ onError: true } as unknown as ServeOptions), misuse(/onError/));
  });
});
