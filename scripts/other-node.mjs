// Other versions of Node.js, for tests. The npm package `node` brings them; each gets a folder of its own, as it would take
// over node_modules/.bin/node. As a program, node scripts/other-node.mjs VERSION writes the path of one.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { note, npm } from "./common.mjs";

/** Installs a version unless it is there; returns the path of its program, and the version that it has. */
export async function ensureNode(version) {
  const folder = path.resolve(".cache", `node-${version}`);
  const program = path.join(folder, "node_modules/node/bin/node");
  if (!versionOf(program).startsWith(`v${version}`)) {
    note(`installing Node.js ${version} …`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "package.json"), '{ "private": true }\n');
    const args = ["install", `node@${version}`, "--prefix", folder, "--no-package-lock", "--loglevel=error"];
    await npm(args, { cwd: folder, stdio: ["ignore", 2, 2] });
  }
  const actual = versionOf(program);
  return { program, version: actual.startsWith(`v${version}`) ? actual : undefined };
}

function versionOf(program) {
  return spawnSync(program, ["--version"], { encoding: "utf8" }).stdout?.trim() ?? "";
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { program, version } = await ensureNode(process.argv[2]);
  if (version === undefined) process.exitCode = 1;
  else console.log(program);
}
