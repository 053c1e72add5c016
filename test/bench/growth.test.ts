import assert from "node:assert/strict";
import { test } from "node:test";
import { growing } from "../../bench/micro/growth.ts";
import { bytesCopied } from "../support/copies.ts";

for (const [name, work] of Object.entries(growing)) {
  test(`four times the pieces are four times the copies: ${name}`, async () => {
    // Once before, for what is made at the first use.
    await work(600);
    const [few, many] = [await bytesCopied(() => work(6000)), await bytesCopied(() => work(24_000))];
    assert.ok(many <= 5 * few + 70_000, `${few} and ${many} bytes`);
  });
}
