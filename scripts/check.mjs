// npm run check -- [steps]: everything that can be said about the code without running it. All steps run, also after a
// failure, so that one run says all.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { isCurrent } from "../tools/lint/rooms.mjs";
import { ensureBuilt, ensureInstalled, filesUnder, folders, note, run, tool } from "./common.mjs";

const node = (...args) => run(process.execPath, args).then((code) => code === 0);
const tsc = (project, from = ".") => node(tool(`${from}/node_modules/typescript`, "tsc"), "-p", project, "--noEmit");

const lint = "tools/lint/node_modules";

/** Has the oldest TypeScript that README.md promises. */
const oldest = "tools/oldest-typescript";

const steps = {
  format: () => node(tool(`${lint}/oxfmt`), "--check"),
  // Style, the direction of imports, the purity of rooms, and the length of files and functions.
  lint: async () => (await node(tool(`${lint}/oxlint`))) && lintSawEverything() && lintIsCurrent(),
  types: async () => {
    const results = [];
    await installAll();
    for (const config of ["tsconfig.json", "tsconfig.build.json", ...folders("tsconfig.json")]) {
      results.push(await tsc(config));
    }
    return results.every(Boolean);
  },
  // Unused files, exports and dependencies.
  unused: async () => {
    await installAll();
    return node(tool(`${lint}/knip`));
  },
  // The declarations as a project has them that installs the package.
  declarations: async () =>
    (await ensureBuilt("dist")) && hasNothingInternal() && (await declarationsHold()) && programsCompile(),
  // What would be published: every export there, and of the right kind.
  package: async () => (await ensureBuilt("dist")) && node(tool(`${lint}/publint`), "run", "--strict"),
};

/** What the sources import in any folder is installed: their types are needed. */
async function installAll() {
  for (const folder of folders("package-lock.json")) await ensureInstalled(folder);
}

/** Whether the linter, which holds the direction of imports, looked at every source: a check of nothing finds nothing. */
function lintSawEverything() {
  const expected = ["src", "test", "bench", "examples", "scripts", "tools"]
    .flatMap(filesUnder)
    .filter((file) => /\.(ts|mjs)$/.test(file)).length;
  const report = execFileSync(process.execPath, [tool(`${lint}/oxlint`), "--format=json"], { encoding: "utf8" });
  const seen = JSON.parse(report).number_of_files;
  note(`the linter saw ${seen} of ${expected} files`);
  return expected > 0 && seen >= expected;
}

/** Whether the linter has read what the page of the rooms says. */
function lintIsCurrent() {
  if (!isCurrent()) note("tools/lint/rooms.json is not what rooms.mjs says: run npm run format");
  return isCurrent();
}

const declarations = () => filesUnder("dist").filter((file) => /\.d\.c?ts$/.test(file));

/** Whether the compiler has left out of the declarations all that is marked `@internal`. */
function hasNothingInternal() {
  const found = declarations().filter((file) => readFileSync(file, "utf8").includes("@internal"));
  for (const file of found) note(`${file}: declares what is marked @internal`);
  return found.length === 0 && declarations().length > 0;
}

/**
 * Whether the declarations compile where no package is installed but the types of Node.js, and none of the files is
 * skipped: with the TypeScript that made them, and with the oldest that users may have.
 */
async function declarationsHold() {
  const folder = mkdtempSync(path.join(tmpdir(), "serval-declarations-"));
  try {
    for (const file of declarations()) cpSync(file, path.join(folder, file));
    return await compilesAlone(folder, ["node"], { exactOptionalPropertyTypes: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether what programs written against the types of `ws` say compiles with them, and with those of `serval/ws` alike. */
async function programsCompile() {
  const folder = mkdtempSync(path.join(tmpdir(), "serval-programs-"));
  try {
    const installed = path.join(folder, "node_modules/serval");
    for (const file of [...declarations(), "package.json"]) cpSync(file, path.join(installed, file));
    for (const file of filesUnder("test/ws/support/programs")) {
      const program = readFileSync(file, "utf8");
      const name = path.basename(file);
      writeFileSync(path.join(folder, `with-ws-${name}`), program);
      writeFileSync(path.join(folder, `with-serval-${name}`), program.replaceAll('"ws"', '"serval/ws"'));
    }
    return await compilesAlone(folder, ["node", "ws"], { esModuleInterop: true });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Whether a folder compiles with these types of packages and no others, and none of their files is skipped. */
async function compilesAlone(folder, packages, options) {
  mkdirSync(path.join(folder, "node_modules/@types"), { recursive: true });
  for (const name of packages) {
    const types = `node_modules/@types/${name}`;
    symlinkSync(path.resolve(types), path.join(folder, types), "junction");
  }
  writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
  const compilerOptions = {
    target: "es2022",
    lib: ["es2023", "esnext.disposable"],
    types: ["node"],
    module: "nodenext",
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    ...options,
  };
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  await ensureInstalled(oldest);
  const results = [await tsc(folder), await tsc(folder, oldest)];
  return results.every(Boolean);
}

const chosen = process.argv.slice(2);
for (const name of chosen) {
  if (!Object.hasOwn(steps, name)) {
    note(`no step "${name}": there are ${Object.keys(steps).join(", ")}`);
    process.exit(1);
  }
}

await ensureInstalled();
await ensureInstalled("tools/lint");
const failed = [];
for (const name of chosen.length > 0 ? chosen : Object.keys(steps)) {
  console.log(`\n== ${name}`);
  if (!(await steps[name]())) failed.push(name);
}
console.log(failed.length === 0 ? "\ncheck: all is well" : `\ncheck: failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
