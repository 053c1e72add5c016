// The folders with a package.json and a lock file of their own.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** A folder and those in it, but for installed packages and what git ignores. */
function folders(folder: string): string[] {
  const inside = readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(\..*|node_modules|build|dist|packed)$/.test(entry.name))
    .flatMap((entry) => folders(path.join(folder, entry.name)));
  return [folder, ...inside];
}

/** But for what else is published, which needs nothing to be installed here. */
const all = folders("").filter(
  (folder) => path.dirname(folder) !== "packages" && existsSync(path.join(root, folder, "package.json")),
);
const text = (folder: string, file: string): string => readFileSync(path.join(root, folder, file), "utf8");

interface Lock {
  packages: Readonly<Record<string, { readonly version?: string }>>;
}

describe("packages", () => {
  it("are locked in each folder, without the registry that they came from", () => {
    assert.ok(all.length > 5);
    for (const folder of all) {
      assert.doesNotMatch(text(folder, "package-lock.json"), /"resolved": "(?!packed\/)/, folder);
      // Otherwise npm would write it with the next change.
      assert.match(text(folder, ".npmrc"), /^omit-lockfile-registry-resolved=true$/m, folder);
    }
  });

  it("have a line each that says why, in docs/dependencies.md", () => {
    const page = text("docs", "dependencies.md");
    for (const folder of all) {
      const { devDependencies = {} } = JSON.parse(text(folder, "package.json")) as {
        devDependencies?: Readonly<Record<string, string>>;
      };
      const rows = page.split("\n").filter((line) => line.startsWith(folder === "" ? "|" : `| \`${folder}\` |`));
      const unnamed = Object.keys(devDependencies).filter((name) => !rows.some((row) => row.includes(`\`${name}\``)));
      assert.deepEqual(unnamed, [], folder);
    }
  });

  it("bring one version of @types/node: the compiler would see two of every type", () => {
    const versions = all.flatMap((folder) => {
      const { packages } = JSON.parse(text(folder, "package-lock.json")) as Lock;
      return packages["node_modules/@types/node"]?.version ?? [];
    });
    assert.equal(new Set(versions).size, 1, versions.join(", "));
  });
});
