import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { limits } from "../../../src/websocket/options/limits.ts";

describe("limits", () => {
  it("have the documented defaults", () =>
    assert.deepEqual(limits({}), {
      maxMessageSize: 16_777_216,
      maxFragments: 131_072,
      highWaterMark: 65_536,
      text: "string",
    }));

  it("are as given; 1 where 0 would stop everything", () => {
    const given = { maxMessageSize: 5, maxFragments: 6, highWaterMark: Infinity, text: "bytes" } as const;
    assert.deepEqual(limits({ ...given, other: 1 } as typeof given), given);
    const none = { maxMessageSize: 0, maxFragments: 0, highWaterMark: 0 };
    assert.deepEqual(limits(none), { maxMessageSize: 0, maxFragments: 1, highWaterMark: 1, text: "string" });
  });

  for (const name of ["maxMessageSize", "maxFragments", "highWaterMark", "text"]) {
    it(`${name} can't be negative, NaN, null or another kind`, () => {
      for (const value of [-1, NaN, null, "5", {}]) {
        assert.throws(() => limits({ [name]: value }), { code: "core.invalid_argument", message: new RegExp(name) });
      }
    });
  }
});
