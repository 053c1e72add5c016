// Which tests there are, what they need, and how Node.js runs them.
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { ensureBuilt, ensureInstalled, filesUnder, note } from "./common.mjs";

/** The folders of test/ that `npm test` leaves out, since they take long or need other programs: each is a tier. */
export const tiers = ["abuse", "bench", "browser", "docs", "examples", "interop", "stand-in"];

/** What the tests of a folder need beside the sources and the root's packages: parts to compile, or packages alone. */
const needs = {
  browser: ["test/browser", "examples"],
  docs: ["test/docs", "tools/typedoc"],
  examples: ["examples"],
  interop: ["test/interop"],
  project: ["tools/lint"],
  "stand-in": ["test/stand-in"],
};

/** Every test, as a path of its source. */
export const allTests = filesUnder("test").filter((file) => file.endsWith(".test.ts"));

const folderOf = (file) => file.split(path.sep)[1];

/** The tests of `npm test`: those in any folder that is no tier. */
export const quickTests = allTests.filter((file) => !tiers.includes(folderOf(file)));

/** The tests of these tiers. */
export const testsOf = (names) => allTests.filter((file) => names.includes(folderOf(file)));

/** The tests, of a tier or not, whose path contains one of the words. */
export const testsWith = (words) =>
  allTests.filter((file) => words.some((word) => file.split(path.sep).join("/").includes(word)));

/** Compiles what these tests are and need, and installs the packages for that; returns whether the types hold. */
export async function ensureTestsBuilt(files) {
  const results = [await ensureBuilt("build")];
  for (const needed of new Set(files.flatMap((file) => needs[folderOf(file)] ?? []))) {
    if (existsSync(path.join(needed, "tsconfig.json"))) results.push(await ensureBuilt(needed));
    else await ensureInstalled(needed);
  }
  return results.every(Boolean);
}

/**
 * The arguments to Node.js that run these tests; the process ends if there are none, since nothing tested is no success.
 * Lists are explicit because Node.js 20 expands no patterns. A test or file that hangs fails, rather than the whole run.
 */
export function testArguments(files, options = []) {
  if (files.length === 0) {
    note("there is no such test");
    process.exit(1);
  }
  return [
    "--enable-source-maps",
    "--import=./scripts/watch-test.mjs",
    "--test",
    "--test-reporter=spec",
    "--test-timeout=120000",
    `--test-concurrency=${availableParallelism()}`,
    ...options,
    ...files.map((file) => path.join("build", file.replace(/\.ts$/, ".js"))),
  ];
}
