import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pathOf } from "../../../src/http/messages/target.ts";

describe("the path of a target", () => {
  for (const [target, path] of [
    ["/", "/"],
    ["/chat", "/chat"],
    ["/chat?room=1", "/chat"],
    ["/chat?a=/b?c", "/chat"],
    ["/Chat/", "/Chat/"],
    ["//chat", "//chat"],
    ["/a/../chat", "/a/../chat"],
    ["/%63hat", "/%63hat"],
    ["http://example.com/chat?x", "/chat"],
    ["HTTPS://example.com:443/chat?x=http://a/b", "/chat"],
    ["ws://[::1]:80/chat", "/chat"],
    ["http://example.com", "/"],
    ["http://example.com?x=/chat", "/"],
  ] as const) {
    it(`is ${path} for ${target}`, () => {
      assert.equal(pathOf(target), path);
      if (!target.startsWith("http")) return;
      // What fetch's URL has, but for dots and escapes.
      assert.equal(new URL(target).pathname, path);
    });
  }

  for (const target of [
    "*",
    "",
    "?/chat",
    "chat",
    "example.com:443",
    "http:/chat",
    "http:chat",
    "http:///chat",
    "http://user@example.com/chat",
    "http://a\\b/chat",
    "http://a#/chat",
    "http://[::1/chat",
    "ftp://example.com/chat",
    "x http://example.com/chat",
  ]) {
    it(`is no path for "${target}"`, () => assert.ok(!pathOf(target).startsWith("/")));
  }
});
