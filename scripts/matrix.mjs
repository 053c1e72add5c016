// npm run test:matrix -- [versions]: runs the tests of `npm test`, and the tiers abuse, bench, examples, interop and
// stand-in, on other versions of Node.js, by default 22, 24 and 26.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { ensureNode } from "./other-node.mjs";
import { ensureTestsBuilt, quickTests, testArguments, testsOf } from "./tests.mjs";

const versions = process.argv.length > 2 ? process.argv.slice(2) : ["22", "24", "26"];

// A browser, and what compiles the documentation, do not depend on the version.
const files = [...quickTests, ...testsOf(["abuse", "bench", "examples", "interop", "stand-in"])];
if (!(await ensureTestsBuilt(files))) process.exit(1);

for (const version of versions) {
  const { program, version: actual } = await ensureNode(version);
  if (actual === undefined) {
    console.log(`Node.js ${version}: not installed`);
    process.exitCode = 1;
    continue;
  }
  // First on the path too, for tests that start `node`.
  const PATH = path.dirname(program) + path.delimiter + process.env.PATH;
  const options = { encoding: "utf8", env: { ...process.env, PATH }, maxBuffer: Infinity };
  const result = spawnSync(program, testArguments(files), options);
  const count = (what) => Number(new RegExp(`^ℹ ${what} (\\d+)$`, "m").exec(result.stdout)?.[1] ?? 0);
  const passed = result.status === 0 && count("pass") > 0;
  if (!passed) {
    console.log(result.stdout + result.stderr);
    process.exitCode = 1;
  }
  const counts = ["tests", "pass", "fail", "skipped"].map((what) => `${what} ${count(what)}`).join(", ");
  console.log(`Node.js ${actual}: ${passed ? "passed" : "FAILED"} (${counts})`);
}
