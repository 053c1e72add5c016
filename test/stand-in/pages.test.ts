// The page of the hosts shows the programs that these tests run.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { it } from "node:test";
import { here } from "./support/whose.ts";

it("docs/ws-hosts.md shows each host's program as it is", () => {
  const page = readFileSync(path.join(here, "../../docs/ws-hosts.md"), "utf8");
  const shown = [...page.matchAll(/<!-- host: (.*?) -->\n```ts\n(.*?)```/gs)].map(([, name, code]) => [name, code]);
  const programs = readdirSync(path.join(here, "support/hosts")).map((file) => [
    path.basename(file, ".ts"),
    readFileSync(path.join(here, "support/hosts", file), "utf8"),
  ]);
  assert.equal(programs.length, 10);
  assert.deepEqual(Object.fromEntries(shown), Object.fromEntries(programs));
});
