import assert from "node:assert/strict";
import { test } from "node:test";
import { resolve } from "node:path";
import { parseUrl } from "../../src/client/url.ts";
import { unixUrl } from "../../src/server/unix-url.ts";

test("the URL of a Unix socket", () => {
  assert.equal(unixUrl("/run/app.sock", false), "ws+unix:/run/app.sock:");
  assert.equal(unixUrl("/run/app.sock", true), "wss+unix:/run/app.sock:");
  assert.equal(unixUrl("/run/a b:1?#%.sock", false), "ws+unix:/run/a%20b%3A1%3F%23%25.sock:");
});

for (const path of [
  "/run/app.sock",
  "/run/my app:1.sock",
  "/run/ü%20?#&=+.sock",
  "app.sock",
  "./a/../b.sock",
  "\0abstract",
]) {
  for (const isSecure of [false, true]) {
    test(`connect reads it as ${JSON.stringify(path)}, ${isSecure ? "with" : "without"} TLS, and a target may follow`, () => {
      const url = unixUrl(path, isSecure);
      const expected = path.startsWith("\0") ? path : resolve(path);
      for (const [target, read] of [
        ["", "/"],
        ["/chat?room=1:2", "/chat?room=1:2"],
      ] as const) {
        const endpoint = parseUrl(url + target);
        assert.deepEqual([endpoint.unix, endpoint.isSecure, endpoint.target], [expected, isSecure, read]);
      }
    });
  }
}
