import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plotSpec } from "../../bench/plot-spec.ts";
import type { Report } from "../../bench/results.ts";

describe("plotSpec", () => {
  it("has a value for each peer and workload: the peer's cost divided by serval's", () => {
    const report: Report = {
      date: "",
      commit: "abc",
      node: "20",
      processor: "",
      cores: 2,
      pinned: true,
      quick: false,
      workloads: [
        {
          key: "echo",
          title: "64 B",
          unit: "message",
          metric: "cpu",
          entries: [
            { name: "serval", version: "", samples: [{ cpu: 1 }, { cpu: 2 }, { cpu: 1 }] },
            { name: "ws", version: "", samples: [{ cpu: 8 }, { cpu: 8 }, { cpu: 2 }] },
          ],
        },
      ],
    };
    const { data } = plotSpec(report) as { data: { values: object[] } };
    assert.deepEqual(data.values, [{ workload: "64 B", peer: "ws", median: 4, low: 2, high: 8 }]);
  });
});
