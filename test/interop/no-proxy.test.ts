// The table in docs/client.md says for which hosts curl understands NO_PROXY otherwise: asked of the real one.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { describe, it } from "node:test";
import { noProxyRules } from "../client/support/no-proxy-rules.ts";
import { listening } from "../support/listening.ts";
import { requires, runProgram } from "../support/programs.ts";

describe("curl's NO_PROXY", { skip: requires("curl") }, () => {
  for (const { entry, direct, proxied, curlDiffers } of noProxyRules()) {
    it(`differs as documented for ${entry}`, async () => {
      await using proxy = await listening(createServer((_, response) => response.end("through the proxy")));
      for (const url of [...direct, ...proxied]) {
        const { hostname, port } = new URL(url);
        // Without the proxy it comes to a port of this machine where nothing listens.
        const isName = /[a-z]/.test(hostname);
        const here = isName ? ["--resolve", `${hostname}:${port || "80"}:127.0.0.1`] : [];
        const asProxy = ["--proxy", `http://127.0.0.1:${proxy.port}`, "--noproxy", entry];
        const args = ["-sS", "--max-time", "10", ...here, ...asProxy, url.replace(/^ws/, "http")];
        const { stdout, code } = await runProgram("curl", args);
        assert.deepEqual([code, String(stdout)], code === 0 ? [0, "through the proxy"] : [7, ""], url);
        const isDirect = code === 7;
        assert.equal(isDirect, direct.includes(url) !== curlDiffers.includes(url), url);
      }
    });
  }
});
