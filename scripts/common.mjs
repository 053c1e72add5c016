// What the scripts share: running programs, and having the dependencies installed and the sources compiled.
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

/** npm's own list of what it has installed in a folder. */
const installedList = "node_modules/.package-lock.json";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));

/**
 * What is compiled, by whose settings, to where. Any other name is a part: a folder with a tsconfig.json, and mostly a
 * manifest and lock file, of its own, compiled to `build/` with what it imports.
 */
const projects = {
  build: { config: "tsconfig.json", output: "build", base: ".", sources: ["src", "test"] },
  dist: { config: "tsconfig.build.json", output: "dist", base: "src", sources: ["src"] },
};
const project = (name) =>
  projects[name] ?? { config: `${name}/tsconfig.json`, output: "build", base: ".", sources: ["src", "test", name] };

/** The folders of code, beside src/, that have a file of this name: a tsconfig.json makes one a part. */
export const folders = (file) =>
  ["bench", "examples", "test"]
    .flatMap(filesUnder)
    .filter((name) => path.basename(name) === file)
    .map(path.dirname);

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

/** The path of a command in an installed package, `tools/lint/node_modules/knip`, for Node.js to run: that needs no shell on any system. */
export function tool(folder, name = path.basename(folder)) {
  const { bin } = JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8"));
  return path.join(folder, typeof bin === "string" ? bin : bin[name]);
}

/** Runs npm: the one that started us, or else the one on the path. */
export function npm(args, options) {
  const script = process.env.npm_execpath;
  if (script?.endsWith(".js")) return run(process.execPath, [script, ...args], options);
  return run("npm", args, { shell: process.platform === "win32", ...options });
}

/**
 * Installs what a folder's lock file lists, unless it is there: by default the root's, which all else needs. A folder
 * without a lock file needs nothing.
 */
export async function ensureInstalled(folder = ".") {
  const packages = (file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")).packages;
  const there = existsSync(path.join(folder, installedList)) ? packages(installedList) : {};
  const missing = ([name, { version, optional }]) => name !== "" && !optional && there[name]?.version !== version;
  if (!existsSync(path.join(folder, "package-lock.json"))) return;
  const locked = packages("package-lock.json");
  if (Object.hasOwn(locked, "packed/serval")) {
    const { ensurePacked } = await import("./packed.mjs");
    await ensurePacked(folder);
  }
  if (!Object.entries(locked).some(missing)) return;
  note(`installing the packages of ${folder === "." ? "package.json" : `${folder}/package.json`} …`);
  // They are needed also where NODE_ENV=production leaves them out. Standard output stays the caller's.
  const code = await npm(["ci", "--include=dev", "--loglevel=error"], { cwd: folder, stdio: ["ignore", 2, 2] });
  if (code !== 0) process.exit(code);
}

/** Names, times and sizes of files: a deleted one counts too. */
export const stateOf = (files) =>
  files
    .map((file) => [file, statSync(file, { throwIfNoEntry: false })])
    .map(([file, stat]) => `${file} ${stat?.mtimeMs} ${stat?.size}\n`)
    .join("");

/** Compiles a project or part, and installs what it needs, if anything changed since the last time; returns whether the types hold. */
export async function ensureBuilt(name) {
  const { config, output, sources } = project(name);
  await ensureInstalled();
  if (!(name in projects)) await ensureInstalled(name);
  const stamp = `.cache/${name.replaceAll("/", "-")}.stamp`;
  const inputs = [...sources.flatMap(filesUnder), "tsconfig.json", config, "package-lock.json"];
  const state = stateOf(inputs); // taken before the build, so that what is written meanwhile counts
  if (existsSync(output) && existsSync(stamp) && readFileSync(stamp, "utf8") === state) return true;
  note(name === output ? `compiling to ${output}/ …` : `compiling ${name} to ${output}/ …`);
  rmSync(stamp, { force: true });
  if (!(await build(name))) return false;
  mkdirSync(".cache", { recursive: true });
  writeFileSync(stamp, state);
  return true;
}

/** Compiles a project or part, in place, so that what runs from there meanwhile goes on; returns whether the types hold. */
export async function build(name) {
  const { config, output, base, sources } = project(name);
  const code = await run(process.execPath, [tool("node_modules/typescript", "tsc"), "-p", config], {
    stdio: ["ignore", 2, 2],
  });
  // 1 and 2 are errors in the sources; beyond them the compiler crashed, or a signal ended it and means us too.
  if (code > 2) process.exit(code);
  for (const file of sources.flatMap(filesUnder)) {
    if (!/\.ts$|^(package|package-lock|tsconfig)\.json$/.test(path.basename(file))) {
      cpSync(file, path.join(output, path.relative(base, file)));
    }
  }
  // A deleted source must not leave a test, or a part of the package, behind.
  for (const file of filesUnder(output)) {
    const source = path.join(base, path.relative(output, file));
    if (!existsSync(source) && !existsSync(source.replace(/(\.js|\.d\.ts)(\.map)?$/, ".ts"))) rmSync(file);
  }
  if (!(name in projects)) linkPackages(name, output);
  return code === 0;
}

/** Lets what is compiled from a folder find the packages that are installed there. */
function linkPackages(folder, output) {
  const link = path.join(output, folder, "node_modules");
  rmSync(link, { force: true });
  // A junction needs no privilege on Windows; elsewhere the type is ignored.
  if (existsSync(path.join(folder, "node_modules")))
    symlinkSync(path.resolve(folder, "node_modules"), link, "junction");
}

/** Written by what runs: a new file there is no reason to compile. */
const notSources = new Set([path.join("bench", "results"), path.join("test", "stand-in", "packed")]);

/** All files under a folder but installed packages and results, with the folder's name, sorted; none if there is no such folder. */
export function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const name = path.join(folder, entry.name);
      if (entry.isDirectory() && !notSources.has(name) && entry.name !== "node_modules") return filesUnder(name);
      return entry.isFile() ? [name] : [];
    })
    .toSorted();
}
