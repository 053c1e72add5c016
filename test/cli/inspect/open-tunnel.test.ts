import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { openTunnel } from "../../../src/cli/inspect/open-tunnel.ts";
import { parseUrl } from "../../../src/client/internal.ts";
import { ServalError } from "../../../src/core/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { read, readExactly, writeAll } from "../../core/support/stream-operations.ts";

describe("openTunnel", () => {
  const start = (answer: string) => {
    const [stream, proxy] = pair();
    void writeAll(proxy, Buffer.from(answer));
    const { signal } = new AbortController();
    const tunnel = openTunnel(stream, parseUrl("wss://[::1]/a"), parseUrl("http://me:pass@proxy"), signal);
    return { proxy, tunnel };
  };

  it("asks for host and port, and keeps the bytes after the response", async () => {
    const { proxy, tunnel } = start("HTTP/1.1 200 Fine\r\n\r\nfirst bytes");
    const stream = await tunnel;
    assert.equal(
      String(await read(proxy)),
      "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic bWU6cGFzcw==\r\n\r\n",
    );
    assert.equal(String(await readExactly(stream, 11)), "first bytes");
  });

  it("throws a refusal with the response", async () => {
    const { tunnel } = start("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
    await assert.rejects(tunnel, (error) => {
      assert.ok(error instanceof ServalError);
      assert.deepEqual(
        [error.code, error.response!.status, String(Buffer.from(error.response!.body))],
        ["client.proxy_refused", 403, "no"],
      );
      return true;
    });
  });
});
