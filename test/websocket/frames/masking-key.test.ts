import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maskingKey } from "../../../src/websocket/frames/masking-key.ts";

describe("RFC 6455 5.3: masking keys", () => {
  it("each is fresh from the platform's cryptographic source: in its order, and none is used twice", (context) => {
    const source = globalThis.crypto;
    const random = source.getRandomValues.bind(source);
    const given: number[] = [];
    context.mock.method(source, "getRandomValues", (values: Int32Array) => {
      random(values);
      given.push(...values);
      return values;
    });
    let first = maskingKey();
    // What was drawn before this test comes first.
    for (let before = 0; given.length === 0; before++) {
      assert.ok(before < 100_000, "the source is never asked");
      first = maskingKey();
    }
    assert.equal(first, given[0]);
    for (let i = 1; i < 5000; i++) assert.equal(maskingKey(), given[i]);
  });

  it("is 32 bits, each of them set in some and not in others", () => {
    let all = -1;
    let any = 0;
    for (let i = 0; i < 1000; i++) {
      const key = maskingKey();
      assert.equal(key, key | 0);
      all &= key;
      any |= key;
    }
    assert.deepEqual([all, any], [0, -1]);
  });
});
