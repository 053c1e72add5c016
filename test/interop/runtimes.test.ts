// On other runtimes than Node.js: on the path, or installed under .cache/.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const script = fileURLToPath(new URL("support/own-conversation.js", import.meta.url));
const scripts = new URL("../../../scripts/other-runtimes.mjs", import.meta.url);
const { runtime } = (await import(scripts.href)) as {
  runtime(name: string, isAskedFor: boolean): Promise<string | undefined>;
};

describe("a server and a client", () => {
  for (const [name, args] of [
    ["bun", []],
    ["deno", ["run", "--allow-all", "--no-lock"]],
  ] as const) {
    it(`talk to each other over sockets on ${name}`, { timeout: 300_000 }, async () => {
      const program = await runtime(name, true);
      const { stdout } = await promisify(execFile)(program!, [...args, script], { timeout: 60_000 });
      assert.equal(stdout, "socket");
    });
  }
});
