import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { check, checkAll } from "./support/http-check.ts";
import { corpus } from "./support/http-corpus.ts";
import { differences, type Difference } from "./support/http-differences.ts";
import { eachMutated } from "./support/http-mutations.ts";

// Our parser beside llhttp, on messages of all kinds: wherever we accept what it refuses, that is in the list of
// differences, with the reason that nothing can be smuggled by it, and so is what we refuse and it accepts. No difference
// in where a message ends is in the list. SOAK=<n> compares so many mutated messages, SEED=<n> others than usual.

describe("our parser and llhttp", () => {
  it("agree on ordinary messages and known tricks, except for the list", () => {
    for (const input of corpus) checkAll(input);
  });

  it("agree on mutated ones, except for the list", () => {
    eachMutated(20_000, checkAll);
  });

  for (const difference of differences) {
    const [major, minor] = process.versions.llhttp!.split(".").map(Number) as [number, number];
    // An older llhttp of Node's has not got that far.
    if ((difference.since ?? 0) > major + minor / 100) continue;
    it(`differ in ${difference.what}`, () => {
      assert.ok(check(difference.example).has(difference));
    });
  }

  it("differ as the documentation says", () => {
    const page = readFileSync(fileURLToPath(new URL("../../../docs/strictness.md", import.meta.url)), "utf8");
    const table = (aspects: (difference: Difference) => boolean): string =>
      differences
        .filter(aspects)
        .map(({ what, we, they, why }) => `| ${what} | ${we} | ${they} | ${why} |\n`)
        .join("");
    const isLooser = ({ aspect }: Difference): boolean => aspect === "accepted";
    for (const rows of [table(isLooser), table((difference) => !isLooser(difference))]) {
      assert.ok(page.includes(`|---|---|---|---|\n${rows}\n`), `docs/strictness.md wants:\n${rows}`);
    }
  });
});
