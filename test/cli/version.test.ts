import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { version } from "../../src/cli/version.ts";

describe("version", () => {
  it("is the one of package.json", () => {
    const text = readFileSync(new URL("../../../package.json", import.meta.url), "utf8");
    assert.equal(version(), (JSON.parse(text) as { version: string }).version);
  });
});
