import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { hostAndPort, placeOf } from "../../../src/cli/shared/place.ts";

describe("placeOf", () => {
  const place = { isSecure: false, port: 80, unix: undefined, target: "/", authorization: undefined };

  for (const [url, expected] of [
    ["ws://a", { ...place, host: "a", authority: "a" }],
    ["wss://A:1/b?c=d", { ...place, isSecure: true, host: "a", port: 1, authority: "a:1", target: "/b?c=d" }],
    ["https://a", { ...place, isSecure: true, host: "a", port: 443, authority: "a" }],
    ["http://[::1]:81/", { ...place, host: "::1", port: 81, authority: "[::1]:81" }],
    [
      "ws+unix:/a%3Ab.sock:/t:u?v",
      { ...place, host: "localhost", unix: "/a:b.sock", authority: "localhost", target: "/t:u?v" },
    ],
    ["ws+unix:/a.sock", { ...place, host: "localhost", unix: "/a.sock", authority: "localhost" }],
    ["ws://me:p%40ss@a", { ...place, host: "a", authority: "a", authorization: "Basic bWU6cEBzcw==" }],
  ] as const) {
    it(`takes ${url} apart`, () => {
      assert.deepEqual(placeOf(url), expected);
    });
  }
});

describe("hostAndPort", () => {
  it("puts an IPv6 address in brackets", () => {
    assert.equal(hostAndPort({ host: "::1", port: 1 }), "[::1]:1");
    assert.equal(hostAndPort({ host: "a", port: 1 }), "a:1");
  });
});
