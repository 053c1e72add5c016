import { older } from "./contenders.ts";
import {
  compare,
  isLimitedByLoad,
  summary,
  type Entry,
  type Metric,
  type Report,
  type WorkloadResult,
} from "./results.ts";
import { figure, type Spread } from "./statistics.ts";

/** A metric as a column: its heading, and what its values are divided by. */
const columns: readonly { metric: Metric; heading: string; by?: number }[] = [
  { metric: "cpu", heading: "µs" },
  { metric: "user", heading: "user" },
  { metric: "system", heading: "system" },
  { metric: "connection", heading: "bytes each" },
  { metric: "rate", heading: "per second" },
  { metric: "p50", heading: "p50 µs" },
  { metric: "p99", heading: "p99 µs" },
  { metric: "p999", heading: "p99.9 µs" },
  { metric: "max", heading: "max µs" },
  { metric: "delay99", heading: "loop delay p99 µs" },
  { metric: "delay", heading: "loop delay max µs" },
  { metric: "memory", heading: "MB", by: 1e6 },
  { metric: "load", heading: "load %", by: 0.01 },
];

/** Rows of cells as lines, the first column to the left and the others to the right, each as wide as it must be. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  ");
  return rows.map((row) => line(row).trimEnd()).join("\n");
}

function spreadText({ median, low, high }: Spread, by = 1): string {
  return `${figure(median / by)} (${figure(low / by)} to ${figure(high / by)})`;
}

const barText = ({ bar }: WorkloadResult): string => (bar === undefined ? "" : `, bar ${bar}`);

/** What a workload brought, one contender a line. */
export function workloadTable(result: WorkloadResult): string {
  const used = columns.filter(({ metric }) => result.entries.some((entry) => summary(entry, metric) !== undefined));
  const subject = result.entries[0]!;
  const cell = (entry: Entry, { metric, by = 1 }: (typeof columns)[number]): string => {
    const values = summary(entry, metric);
    if (values === undefined) return "";
    if (metric === result.metric) return spreadText(values, by);
    return figure(values.median / by) + (metric === "rate" && isLimitedByLoad(entry) ? "+" : "");
  };
  const rows = result.entries.map((entry) => [
    `  ${entry.name}`,
    ...used.map((column) => cell(entry, column)),
    entry === subject ? "" : spreadText(compare(result, entry).ratio),
  ]);
  return aligned([
    [result.title, ...used.map(({ heading }) => heading), `${subject.name} / it${barText(result)}`],
    ...rows,
  ]);
}

/** The whole report as text. */
export function reportTable(report: Report): string {
  const { node, processor, cores, pinned, quick, commit } = report;
  const versions = new Map(
    report.workloads.flatMap(({ entries }) => entries.map((entry) => [entry.name, entry.version])),
  );
  const contenders = [...versions].map(([name, version]) => `${name} ${version}`).join(", ");
  return [
    `serval at ${commit}, Node.js ${node}, ${cores} x ${processor}${pinned ? "" : ", not pinned"}${quick ? ", quick" : ""}`,
    `contenders: ${contenders}`,
    "µs: processor time of the process under test for each operation, median (lowest to highest run)",
    "a ratio's range has the median with 99 % confidence, if there are 8 pairs or more; a rate with + is limited by the load generator",
    ...report.workloads.map((result) => `\n${workloadTable(result)}`),
  ].join("\n");
}

/** How each workload compares to the older build, and what that comes to. */
export function comparisonTable(workloads: readonly WorkloadResult[]): string {
  const rows = workloads.flatMap((result) => {
    const other = result.entries.find(({ name }) => name === older);
    if (other === undefined) return [];
    const { ratio, judgement } = compare(result, other);
    return [[result.title, figure(ratio.median), `${figure(ratio.low)} to ${figure(ratio.high)}`, judgement]];
  });
  return aligned([["workload", "ratio", "spread", "verdict"], ...rows]);
}
