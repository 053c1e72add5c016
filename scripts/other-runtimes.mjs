// Bun and Deno, for benchmarks and tests: those on the path, or installed under .cache/ from npm.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { note, npm } from "./common.mjs";

/** The command of a runtime that is on the path or was installed here before; undefined without. Installs it if that is asked for. */
export async function runtime(name, isAskedFor) {
  if (works(name)) return name;
  const folder = path.resolve(".cache", name);
  if (isAskedFor && installed(name, folder) === undefined) {
    note(`installing ${name} …`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "package.json"), '{ "private": true }\n');
    // The programs are in packages for each platform; the scripts that would copy them are not needed.
    const args = ["install", name, "--prefix", folder, "--no-package-lock", "--ignore-scripts", "--loglevel=error"];
    await npm(args, { cwd: folder, stdio: ["ignore", 2, 2] });
    if (installed(name, folder) === undefined) {
      note(`${name} could not be installed`);
      process.exit(2);
    }
  }
  return installed(name, folder);
}

/** The program in whichever of a runtime's packages is this platform's. */
function installed(name, folder) {
  const scope = path.join(folder, "node_modules", name === "bun" ? "@oven" : "@deno");
  const packages = existsSync(scope) ? readdirSync(scope) : [];
  return packages
    .flatMap((platform) => [path.join(scope, platform, "bin", name), path.join(scope, platform, name)])
    .find(works);
}

function works(command) {
  return spawnSync(command, ["--version"]).status === 0;
}
