import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

test("the API reference can be made: every exported name has a docstring, and every link leads somewhere", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "serval-api-"));
  try {
    const { status, stderr, stdout } = spawnSync(process.execPath, ["scripts/docs.mjs", folder], {
      cwd: root,
      encoding: "utf8",
    });
    assert.equal(status, 0, stdout + stderr);
    // What several modules export stands under one of them.
    const pages = (kind: string): string[] => readdirSync(path.join(folder, kind));
    for (const name of ["Stream", "ServalError", "Fields"]) {
      assert.ok(
        pages("classes").some((page) => page.endsWith(`.${name}.html`)),
        name,
      );
    }
    const serve = pages("functions").find((page) => /^(index|server)\.serve\.html$/.test(page));
    assert.ok(serve !== undefined);
    assert.match(readFileSync(path.join(folder, "functions", serve), "utf8"), /net\.address_in_use/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
