import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
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
    for (const page of [
      "functions/server.serve.html",
      "classes/websocket.Stream.html",
      "classes/core.ServalError.html",
    ]) {
      assert.ok(existsSync(path.join(folder, page)), page);
    }
    assert.match(readFileSync(path.join(folder, "functions/server.serve.html"), "utf8"), /net\.address_in_use/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
