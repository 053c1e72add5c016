import { compare, type Report } from "./results.ts";

/**
 * A Vega-Lite specification of a report: for each workload, what the peers cost over what serval costs, with its spread,
 * on a logarithmic axis. To the right of the line at 1, serval costs less.
 */
export function plotSpec(report: Report): object {
  const values = report.workloads.flatMap((result) =>
    result.entries.slice(1).map((entry) => {
      const { ratio } = compare(result, entry);
      const [median, low, high] = [1 / ratio.median, 1 / ratio.high, 1 / ratio.low];
      return { workload: result.title, peer: entry.name, median, low, high };
    }),
  );
  const y = { field: "workload", type: "nominal", sort: null, title: null, axis: { labelLimit: 400, grid: true } };
  const yOffset = { field: "peer", type: "nominal" };
  const color = { field: "peer", type: "nominal", title: "peer" };
  const axis = { grid: true, format: "~r" };
  const x = { type: "quantitative", scale: { type: "log" }, title: "cost of the peer / cost of serval", axis };
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    title: `serval at ${report.commit}, Node.js ${report.node}`,
    background: "white",
    width: 640,
    height: { step: 14 },
    data: { values },
    layer: [
      { mark: { type: "rule", strokeDash: [4, 4] }, encoding: { x: { ...x, datum: 1 } } },
      { mark: "rule", encoding: { y, yOffset, color, x: { ...x, field: "low" }, x2: { field: "high" } } },
      {
        mark: { type: "point", filled: true, size: 50 },
        encoding: { y, yOffset, color, x: { ...x, field: "median" } },
      },
    ],
  };
}
