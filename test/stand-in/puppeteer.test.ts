// puppeteer-core, which gets serval-ws by npm's overrides, as the client of Chromium's DevTools.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { installed } from "../support/programs.ts";
import { titleOf } from "./support/hosts/puppeteer.ts";
import { assertOverridden } from "./support/whose.ts";

describe("puppeteer over serval", () => {
  it("drives Chromium", async () => {
    assertOverridden("puppeteer-core");
    const page = `data:text/html;charset=utf-8,<title>${encodeURIComponent("driven, é")}</title>${"<p>text".repeat(5000)}`;
    assert.equal(await titleOf(page, installed("chromium")), "driven, é");
  });
});
