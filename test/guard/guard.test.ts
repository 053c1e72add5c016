import assert from "node:assert/strict";
import { before, test } from "node:test";
import { expected, seenWith, tolerance, type Expected, type Major } from "./support/expected.ts";
import { runCount, type Counts } from "./support/run-count.ts";

const major = Number(process.versions.node.split(".")[0]) as Major;
const isKnown = Object.hasOwn(seenWith, major);
const skip = !isKnown && `expected.ts has no numbers for Node.js ${major}`;

let counted: Record<string, Counts> = {};
before(async () => {
  if (isKnown) counted = await runCount();
});

test("every workload has its expected numbers", { skip }, () => {
  assert.deepEqual(Object.keys(counted), Object.keys(expected));
});

for (const [name, expectedCounts] of Object.entries(expected)) {
  test(`${name} costs no more than expected`, { skip }, (t) => {
    const rises: string[] = [];
    for (const [key, { is, why }] of Object.entries(expectedCounts) as [keyof Counts, Expected][]) {
      const limit = typeof is === "number" ? is : is[major];
      const seen = counted[name]![key]!;
      const slack = limit * tolerance[key];
      if (!(seen <= limit + slack)) rises.push(`${key}: ${seen} instead of ${limit}. ${why}`);
      else if (seen < limit - slack)
        t.diagnostic(`${name}, ${key}: ${seen} now, so expected.ts may say less than ${limit}`);
    }
    if (rises.length === 0) return;
    const help = `Where that is meant, change expected.ts, seen with Node.js ${seenWith[major]}; print.js beside it prints the numbers of this one.`;
    assert.fail([...rises, help].join("\n"));
  });
}
