import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inspect } from "../../../src/cli/inspect/inspect.ts";
import type { Inspection } from "../../../src/cli/inspect/inspection.ts";
import type { ConnectOptions } from "../../../src/client/index.ts";
import { answering, echoing } from "../../client/support/servers.ts";
import { TestStdio } from "../support/test-stdio.ts";

describe("inspect", () => {
  const run = async (url: string, json = false, options: ConnectOptions = {}) => {
    const stdio = new TestStdio({ stdout: true });
    return {
      code: await inspect({ url, options: { ...options, timeouts: { handshake: 10_000 } } }, json, stdio),
      stdio,
    };
  };

  it("prints what it finds, and exits with 0 if a WebSocket opened", async () => {
    await using server = await echoing();
    const { code, stdio } = await run(`ws://127.0.0.1:${server.port}/`);
    assert.equal(code, 0);
    assert.match(stdio.out, /✓ tcp .*✓ handshake .*✓ ping .*✓ close .*\n\nAll is well: .*\n$/s);
    assert.equal(stdio.err, "");
  });

  it("exits with 1 if none opened; the same as JSON", async () => {
    await using server = await answering(() => [401, {}, "\u009b"]);
    const url = `ws://127.0.0.1:${server.port}/`;
    const { code, stdio } = await run(url, true);
    assert.equal(code, 1);
    assert.doesNotMatch(stdio.out, /\u009b/);
    const found = JSON.parse(stdio.out) as Inspection;
    assert.deepEqual([found.url, found.opened, found.failure!.response!.body], [url, false, "\u009b"]);
    assert.match(found.verdict, /answered 401 Unauthorized/);
  });

  it("exits with 2 for an invalid URL or option, without connecting", async () => {
    await using server = await echoing();
    const url = `ws://127.0.0.1:${server.port}/`;
    for (const [given, options, words] of [
      ["ftp://a", {}, /begins with ws:/],
      [`${url}#a`, {}, /no fragment/],
      [url, { proxy: "socks5://a" }, /an http: or https: proxy only/],
      [url, { proxy: "environment" }, /an http: or https: proxy only/],
      [url, { headers: { "Proxy-Authorization": "a" } }, /Proxy-Authorization/],
    ] as const) {
      const { code, stdio } = await run(given, false, options);
      assert.equal(code, 2);
      assert.match(stdio.err, words);
      assert.equal(stdio.out, "");
    }
    assert.equal(server.accepted, 0);
  });
});
