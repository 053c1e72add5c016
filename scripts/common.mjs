// What the scripts share: running programs, and having the dependencies installed and the sources compiled.
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/** Where the sources are compiled to. */
const outputs = {
  build: { project: "tsconfig.json", base: ".", sources: ["src", "test", "bench", "examples"] },
  dist: { project: "tsconfig.build.json", base: "src", sources: ["src"] },
};

/** Says something about the work itself, beside the output that the user came for. */
export function note(text) {
  process.stderr.write(`${text}\n`);
}

/**
 * Runs a program to its end and returns its exit code, 128 and the signal's number after a signal as in a shell. SIGINT
 * and SIGTERM are passed on, so that ending the script ends the program.
 */
export async function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: "inherit", ...options });
  const forward = (signal) => child.kill(signal);
  process.on("SIGINT", forward).on("SIGTERM", forward);
  try {
    return await new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
    });
  } finally {
    process.off("SIGINT", forward).off("SIGTERM", forward);
  }
}

/** The path of a development dependency's command, for Node.js to run: that needs no shell on any system. */
export function tool(name, packageName = name) {
  const folder = path.join("node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return path.join(folder, typeof bin === "string" ? bin : bin[name]);
}

/** Runs npm: the one that started us, or else the one on the path. */
export function npm(args, options) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) return run(process.execPath, [script, ...args], options);
  return run("npm", args, { shell: process.platform === "win32", ...options });
}

/** Installs the dependencies if that was never done, or not since package-lock.json changed. */
export async function ensureInstalled() {
  const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (modified("node_modules/.package-lock.json") >= modified("package-lock.json")) return;
  note("installing the development dependencies …");
  // They are needed also where NODE_ENV=production leaves them out. Standard output stays the caller's.
  const code = await npm(["ci", "--include=dev", "--loglevel=error"], { stdio: ["ignore", 2, 2] });
  if (code !== 0) process.exit(code);
}

/** Compiles to `build` or `dist` what changed since the last time; returns whether the types hold. */
export async function ensureBuilt(output) {
  const { project, sources } = outputs[output];
  const stamp = `.cache/${output}.stamp`;
  const inputs = [...sources.flatMap(filesUnder), "tsconfig.json", project, "package-lock.json"];
  // Names, times and sizes, taken before the build: a deleted file counts, and so does one written meanwhile.
  const state = inputs
    .map((file) => [file, statSync(file, { throwIfNoEntry: false })])
    .map(([file, stat]) => `${file} ${stat?.mtimeMs} ${stat?.size}\n`)
    .join("");
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === state) return true;
  note(`compiling to ${output}/ …`);
  rmSync(stamp, { force: true });
  if (!(await build(output))) return false;
  mkdirSync(".cache", { recursive: true });
  writeFileSync(stamp, state);
  return true;
}

/** Compiles to `build` or `dist`, in place, so that what runs from there meanwhile goes on; returns whether the types hold. */
export async function build(output) {
  const { project, base, sources } = outputs[output];
  const code = await run(process.execPath, [tool("tsc", "typescript"), "-p", project], { stdio: ["ignore", 2, 2] });
  // 1 and 2 are errors in the sources; beyond them the compiler crashed, or a signal ended it and means us too.
  if (code > 2) process.exit(code);
  for (const file of sources.flatMap(filesUnder)) {
    if (!file.endsWith(".ts")) cpSync(file, path.join(output, path.relative(base, file)));
  }
  // A deleted source must not leave a test, or a part of the package, behind.
  for (const file of filesUnder(output)) {
    const source = path.join(base, path.relative(output, file));
    if (!existsSync(source) && !existsSync(source.replace(/(\.js|\.d\.ts)(\.map)?$/, ".ts"))) rmSync(file);
  }
  return code === 0;
}

/** The compiled tests whose path contains one of the words; all of them without a word. Lists are explicit because Node.js 20 expands no patterns. */
export function testFiles(words = []) {
  const all = filesUnder("build/test").filter((file) => file.endsWith(".test.js"));
  const found = words.length === 0 ? all : all.filter((file) => words.some((word) => file.includes(word)));
  if (found.length === 0) {
    note(words.length === 0 ? "there is no test in test/" : `no test's path contains ${words.join(" or ")}`);
    process.exit(1);
  }
  return found;
}

/** The arguments to Node.js that run these tests. A test that hangs fails, rather than the whole run. */
export function testArguments(files, options = []) {
  return ["--enable-source-maps", "--test", "--test-reporter=spec", "--test-timeout=120000", ...options, ...files];
}

/** All files under a folder, with the folder's name, sorted; none if there is no such folder. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .toSorted();
}
