// On other runtimes than Node.js, if they are installed: on the path, or under .cache/ by the bench.
import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const script = fileURLToPath(new URL("support/own-conversation.js", import.meta.url));
const cache = fileURLToPath(new URL("../../../.cache/", import.meta.url));

/** The command of a runtime; undefined if it is not installed. */
function command(name: string, scope: string): string | undefined {
  const folder = path.join(cache, name, "node_modules", scope);
  const packages = existsSync(folder) ? readdirSync(folder) : [];
  const installed = packages.flatMap((each) => [path.join(folder, each, "bin", name), path.join(folder, each, name)]);
  return [name, ...installed].find((file) => spawnSync(file, ["--version"]).status === 0);
}

describe("a server and a client", () => {
  for (const [name, scope, args] of [
    ["bun", "@oven", []],
    ["deno", "@deno", ["run", "--allow-all", "--no-lock"]],
  ] as const) {
    const runtime = command(name, scope);
    const skip = runtime === undefined && `${name} is not installed: npm run bench -- --peers ${name} does that`;
    it(`talk to each other over sockets on ${name}`, { skip }, async () => {
      const { stdout } = await promisify(execFile)(runtime!, [...args, script], { timeout: 60_000 });
      assert.equal(stdout, "socket");
    });
  }
});
