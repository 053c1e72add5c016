// npm run bench [-- …]: compiles, installs and builds what is compared with, then measures; --help says what there is.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, note, npm, run } from "./common.mjs";
import { runtime } from "./other-runtimes.mjs";

if (!(await ensureBuilt("bench"))) process.exit(2);
const compiled = (file) => import(pathToFileURL(path.resolve("build/bench", file)).href);
const { help, parseArguments, UsageError } = await compiled("arguments.js");

const plan = planned();
if (!(await ensureBuilt("dist"))) process.exit(2);
const builds = { serval: { path: path.resolve("dist/index.js"), version: here() } };
if (plan.against !== undefined) builds.before = await buildOf(plan.against);
const runtimes = {};
for (const name of ["bun", "deno"]) {
  const command = await runtime(name, plan.peers?.includes(name) === true);
  if (command !== undefined) runtimes[name] = command;
}
const { main } = await compiled("main.js");
process.exit(await main({ plan, builds, runtimes }));

/** What the command line asks for. */
function planned() {
  try {
    const read = parseArguments(process.argv.slice(2));
    if (read !== "help") return read;
    process.stdout.write(help());
    process.exit(0);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    note(error.message);
    process.exit(2);
  }
}

function git(...args) {
  return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

/** The commit of the working tree, with a mark if that has changes; a package without a repository has none. */
function here() {
  try {
    return git("describe", "--always", "--dirty", "--exclude=*");
  } catch {
    return "unknown";
  }
}

/** Builds the package of a commit in a folder of its own, unless that was done before. */
async function buildOf(commit) {
  let sha;
  try {
    sha = git("rev-parse", "--verify", `${commit}^{commit}`);
  } catch {
    note(`no commit "${commit}" in this repository`);
    process.exit(2);
  }
  const version = sha.slice(0, 7);
  const folder = path.resolve(".cache", `against-${version}`);
  const index = path.join(folder, "dist/index.js");
  if (existsSync(index)) return { path: index, version };
  note(`building ${version} …`);
  // Under another name until it is whole.
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const archive = execFileSync("git", ["archive", sha], { maxBuffer: 2 ** 30 });
  execFileSync("tar", ["-x", "-C", unfinished], { input: archive });
  const lock = "package-lock.json";
  if (readFileSync(lock, "utf8") === readFileSync(path.join(unfinished, lock), "utf8")) {
    symlinkSync(path.resolve("node_modules"), path.join(unfinished, "node_modules"), "junction");
  } else {
    const installed = await npm(["ci", "--include=dev", "--loglevel=error"], {
      cwd: unfinished,
      stdio: ["ignore", 2, 2],
    });
    if (installed !== 0) process.exit(2);
  }
  const compiler = path.join(unfinished, "node_modules/typescript/bin/tsc");
  const options = { cwd: unfinished, stdio: ["ignore", 2, 2] };
  if ((await run(process.execPath, [compiler, "-p", "tsconfig.build.json"], options)) !== 0) process.exit(2);
  // What runs is all that is kept.
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const kept of ["package.json", "dist"]) renameSync(path.join(unfinished, kept), path.join(folder, kept));
  rmSync(unfinished, { recursive: true });
  return { path: index, version };
}
