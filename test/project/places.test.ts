// Each test is found where its source is, and each source has one; helpers stand apart from tests.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The folders of test/ whose tests are of no one source. */
const withoutSources = [
  "abuse",
  "bench",
  "browser",
  "contexts",
  "docs",
  "examples",
  "faults",
  "guard",
  "interop",
  "project",
  "rfc",
  "stand-in",
];

/** What a folder that has packages or compiler settings of its own says so with. */
const manifests = [".npmrc", "package-lock.json", "package.json", "tsconfig.json"];

/** The files under a folder but installed and packed packages, from there, in the order of the alphabet. */
function filesUnder(folder: string, within = ""): string[] {
  return readdirSync(path.join(root, folder, within), { withFileTypes: true })
    .flatMap((entry) => {
      const name = path.posix.join(within, entry.name);
      if (!entry.isDirectory()) return [name];
      return entry.name === "node_modules" || entry.name === "packed" ? [] : filesUnder(folder, name);
    })
    .toSorted();
}

/** Whether a source has anything to run: what is compiled from types alone is empty. */
function hasCode(source: string): boolean {
  const compiled = readFileSync(path.join(root, "build/src", source.replace(/\.ts$/, ".js")), "utf8");
  return compiled.replaceAll(/^\/\/.*$|\/\*.*?\*\//gms, "").trim() !== "export {};";
}

/** Whether a test is of a source: it has the source's name, or stands in a folder of that name. */
const isOf = (test: string, source: string): boolean => {
  const name = source.replace(/\.ts$/, "");
  return test === `${name}.test.ts` || path.posix.dirname(test) === name;
};

/** The sources that have code, and no test. */
function untested(sources: readonly string[], tests: readonly string[]): string[] {
  return sources
    .filter((source) => !/(^|\/)(index|internal)\.ts$/.test(source))
    .filter((source) => !tests.some((test) => isOf(test, source)))
    .filter(hasCode);
}

/** The tests that are of no source, and in no folder of such tests. */
function homeless(sources: readonly string[], tests: readonly string[]): string[] {
  return tests
    .filter((test) => !withoutSources.includes(test.split("/")[0]!))
    .filter((test) => !sources.some((source) => isOf(test, source)));
}

/** The helpers that stand among tests, and the tests among helpers. */
function misplaced(files: readonly string[]): string[] {
  return files
    .filter((file) => !manifests.includes(path.posix.basename(file)))
    .filter((file) => path.posix.dirname(file).split("/").includes("support") === file.endsWith(".test.ts"));
}

describe("the tests' places", () => {
  const sources = filesUnder("src").filter((file) => file.endsWith(".ts"));
  const files = filesUnder("test");
  const tests = files.filter((file) => file.endsWith(".test.ts"));

  it("has a test for each source: src/a/b.ts in test/a/b.test.ts, or in files of a folder test/a/b/", () => {
    assert.ok(sources.length > 100);
    assert.deepEqual(untested(sources, tests), [], "these sources have no test");
    const first = sources.find((source) => source.startsWith("core/") && !/index|internal/.test(source))!;
    const others = tests.filter((test) => !isOf(test, first));
    assert.deepEqual(untested(sources, others), [first], "a source without a test would go unseen");
  });

  it("has a source for each test, but in the folders of tests that have none", () => {
    assert.ok(tests.length > 100);
    assert.deepEqual(homeless(sources, tests), [], "these tests have no source at their path");
    assert.deepEqual(homeless(sources, ["core/a-room.test.ts", "rfc/a.test.ts", "a.test.ts"]), [
      "core/a-room.test.ts",
      "a.test.ts",
    ]);
  });

  it("keeps helpers in support folders, and tests out of them", () => {
    assert.deepEqual(misplaced(files), [], "helpers belong in a folder support/, tests elsewhere");
    assert.deepEqual(
      misplaced([
        "core/helper.ts",
        "core/support/a.test.ts",
        "core/support/a.ts",
        "core/a.test.ts",
        "docs/package.json",
      ]),
      ["core/helper.ts", "core/support/a.test.ts"],
    );
  });
});
