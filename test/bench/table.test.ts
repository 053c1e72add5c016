import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Report, WorkloadResult } from "../../bench/results.ts";
import { aligned, comparisonTable, reportTable, workloadTable } from "../../bench/table.ts";

const workload: WorkloadResult = {
  key: "echo",
  title: "64 B",
  unit: "message",
  metric: "cpu",
  entries: [
    { name: "serval", version: "abc", samples: [{ cpu: 2, rate: 1000, load: 0.2 }] },
    { name: "before", version: "def", samples: [{ cpu: 4, rate: 500, memory: 5e7, load: 0.99 }] },
  ],
};

describe("aligned", () => {
  it("makes columns as wide as their widest cell", () => {
    assert.equal(
      aligned([
        ["name", "µs"],
        ["ws", "100"],
        ["serval", ""],
      ]),
      "name     µs\nws      100\nserval",
    );
  });
});

describe("workloadTable", () => {
  it("has the columns for which there are values, and the ratio", () => {
    assert.deepEqual(workloadTable(workload).split("\n"), [
      "64 B                       µs  per second    MB  load %             serval / it",
      "  serval  2.00 (2.00 to 2.00)       1,000          20.0",
      "  before  4.00 (4.00 to 4.00)        500+  50.0    99.0  0.500 (0.500 to 0.500)",
    ]);
  });

  it("has the bar of a workload that has one", () => {
    assert.match(workloadTable({ ...workload, bar: 0.25 }).split("\n")[0]!, / serval \/ it, bar 0\.25$/);
  });
});

describe("comparisonTable", () => {
  it("has a verdict for each workload that was compared with the older build", () => {
    const alone: WorkloadResult = { ...workload, entries: workload.entries.slice(0, 1) };
    assert.deepEqual(comparisonTable([workload, alone]).split("\n"), [
      "workload  ratio          spread  verdict",
      "64 B      0.500  0.500 to 0.500   faster",
    ]);
  });
});

describe("reportTable", () => {
  it("names the commit, the Node version, the machine and the workloads", () => {
    const report: Report = {
      date: "2026-11-30T00:00:00.000Z",
      commit: "abc",
      node: "20.20.2",
      processor: "Xeon",
      cores: 2,
      pinned: false,
      quick: true,
      workloads: [workload],
    };
    const lines = reportTable(report).split("\n");
    assert.equal(lines[0], "serval at abc, Node.js 20.20.2, 2 x Xeon, not pinned, quick");
    assert.equal(lines[1], "contenders: serval abc, before def");
    assert.ok(lines.includes("  serval  2.00 (2.00 to 2.00)       1,000          20.0"));
  });
});
