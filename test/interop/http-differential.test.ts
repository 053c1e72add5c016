import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { check, checkAll } from "./support/http-check.ts";
import { corpus } from "./support/http-corpus.ts";
import { differences, type Difference } from "./support/http-differences.ts";
import { eachMutated } from "./support/http-mutations.ts";

// Our parser beside llhttp, on messages of all kinds. Each difference is in the list, with the reason why nothing can be
// smuggled by it. SOAK=<n> compares so many mutated messages, SEED=<n> others than usual.

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** Set in the runs on other versions of Node.js, which run no others. */
const onlyHere = "SERVAL_LLHTTP_OF_THIS_NODE";

/** The path of another Node.js, installed by our own script. */
function otherNode(version: string): string {
  const found = spawnSync(process.execPath, [`${root}scripts/other-node.mjs`, version], { encoding: "utf8" });
  assert.equal(found.status, 0, found.stderr);
  return found.stdout.trim();
}

describe("our parser and llhttp", () => {
  it("agree on ordinary messages and known tricks, except for the list", () => {
    for (const input of corpus) checkAll(input);
  });

  it("agree on mutated ones, except for the list", () => {
    eachMutated(20_000, checkAll);
  });

  const [major, minor] = process.versions.llhttp!.split(".").map(Number) as [number, number];
  for (const difference of differences) {
    const version = major + minor / 100;
    const { since = 0, until = Infinity, only, example } = difference;
    it(`differ in ${difference.what}`, () => {
      const isOfNode = since <= version && version < until && only === undefined;
      assert.equal(check(example, ["node"]).has(difference), isOfNode, `llhttp ${process.versions.llhttp} of Node.js`);
      if (only === "undici") assert.ok(check(example, ["undici"]).has(difference), "llhttp of undici");
    });
  }

  // The oldest version that is supported, and the newest.
  for (const version of ["20", "26"]) {
    if (process.env[onlyHere] !== undefined || process.version.startsWith(`v${version}.`)) continue;
    it(`of Node.js ${version} too agree except for the list`, { timeout: 600_000 }, () => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env;
      const args = ["--test-reporter=spec", "--enable-source-maps", fileURLToPath(import.meta.url)];
      const options = { encoding: "utf8", env: { ...env, [onlyHere]: "1" } } as const;
      const { status, stdout, stderr } = spawnSync(otherNode(version), args, options);
      assert.equal(status, 0, stdout + stderr);
      assert.match(stdout, /^ℹ pass [1-9]\d+$/m);
    });
  }

  it("differ as the documentation says", () => {
    const page = readFileSync(`${root}docs/strictness.md`, "utf8");
    const own = `Node.js ${process.versions.node.split(".")[0]} (${major}.${minor})`;
    // The last release of a version of Node.js, not any that somebody has.
    if (process.env[onlyHere] !== undefined) assert.ok(page.includes(own), `docs/strictness.md wants ${own}`);
    const table = (aspects: (difference: Difference) => boolean): string =>
      differences
        .filter(aspects)
        .map(({ what, we, they, why }) => `| ${what} | ${we} | ${they} | ${why} |\n`)
        .join("");
    const isLooser = ({ aspect }: Difference): boolean => aspect === "accepted";
    const isOther = ({ aspect }: Difference): boolean => aspect.includes("length");
    const isStricter = (difference: Difference): boolean => !isLooser(difference) && !isOther(difference);
    for (const rows of [isLooser, isOther, isStricter].map(table)) {
      assert.ok(page.includes(`|---|---|---|---|\n${rows}\n`), `docs/strictness.md wants:\n${rows}`);
    }
  });
});
