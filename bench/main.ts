// Measures what the script bench.mjs has prepared, and prints and writes the results.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Plan } from "./arguments.ts";
import { pinnable } from "./child.ts";
import { contenderKind, older, subject } from "./contenders.ts";
import { comparing, quick, thorough, type Environment } from "./environment.ts";
import { fileContent } from "./load/http-forms.ts";
import { measure } from "./measure.ts";
import { plotSpec } from "./plot-spec.ts";
import { replaced, slowerThan, type Report, type WorkloadResult } from "./results.ts";
import { comparisonTable, reportTable } from "./table.ts";
import type { Workload } from "./workload.ts";

/** What the script has prepared. */
export interface Prepared {
  readonly plan: Plan;
  readonly builds: Environment["builds"];
  readonly runtimes: Environment["runtimes"];
}

/** What could not be measured, and why: the other workloads are measured all the same. */
const failures: string[] = [];

/** Runs the bench; returns the exit code. */
export async function main({ plan, builds, runtimes }: Prepared): Promise<number> {
  const [testCore, loadCore] = pinnable();
  const effort = plan.quick ? quick : thorough;
  const file = fileURLToPath(new URL("file", import.meta.url));
  writeFileSync(file, fileContent);
  const environment: Environment = {
    programs: path.resolve("bench/programs"),
    file,
    builds,
    runtimes,
    wrk: spawnSync("wrk", ["-v"]).error === undefined,
    ...(testCore !== undefined && loadCore !== undefined && { testCore, loadCore }),
    effort: plan.against === undefined ? effort : comparing(effort),
  };
  if (testCore === undefined) note("without taskset and two cores nothing is pinned: the figures will vary more");
  if (!environment.wrk) note("without wrk, requests come from the generator of the messages");
  const began = new Date();
  const describedNow = (workloads: readonly WorkloadResult[]): Report =>
    describe(plan, environment, { began, workloads });
  // Written after each workload, since a run may be ended before its last one.
  const workloads = await measureAll(plan, environment, (some) => writeResults(describedNow(some)));
  const report = describedNow(workloads);
  console.log(plan.json ? JSON.stringify(report, null, 2) : reportTable(report));
  note(`\nwritten: ${write(report)}`);
  if (failures.length > 0) note(`\nnot measured:\n${failures.join("\n")}`);
  const verdict = plan.against === undefined ? 0 : judge(workloads);
  return failures.length > 0 ? 2 : verdict;
}

/** Measures all workloads; what seems slower than the older build is measured once more, and that counts. */
async function measureAll(
  plan: Plan,
  environment: Environment,
  onResult: (workloads: readonly WorkloadResult[]) => void,
): Promise<readonly WorkloadResult[]> {
  const results = await measureEach(plan.workloads, plan, environment, onResult);
  const suspects = slowerThan(results, older).map(({ key }) => key);
  if (suspects.length === 0) return results;
  note(`once more, since they seem slower: ${suspects.join(", ")}`);
  const again = plan.workloads.filter(({ key }) => suspects.includes(key));
  return replaced(results, await measureEach(again, plan, environment));
}

async function measureEach(
  workloads: readonly Workload[],
  plan: Plan,
  environment: Environment,
  onResult: (workloads: readonly WorkloadResult[]) => void = () => {},
): Promise<WorkloadResult[]> {
  const { isTTY } = process.stderr;
  const results: WorkloadResult[] = [];
  for (const [i, workload] of workloads.entries()) {
    const names = contenders(workload, plan, environment);
    const began = performance.now();
    const place = `${i + 1}/${workloads.length} ${workload.key} (${names.join(", ")})`;
    const progress = (text: string): void => void (isTTY && process.stderr.write(`\r\x1b[K${place}: ${text}`));
    let outcome = names.length < 2 ? "nothing to compare with, " : "";
    try {
      results.push(await measure(workload, names, environment, progress));
      onResult(results);
    } catch (error) {
      failures.push((error as Error).message);
      outcome = "failed, ";
    }
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    note(`${isTTY ? "\r\x1b[K" : ""}${place}: ${outcome}${seconds} s`);
  }
  return results;
}

/** Who takes part in a workload: first the build that is measured. */
function contenders({ peers }: Workload, plan: Plan, { runtimes }: Environment): readonly string[] {
  const wanted = plan.peers ?? (plan.against === undefined ? peers : []);
  const isThere = (name: string): boolean => {
    const { runtime } = contenderKind(name);
    return runtime === undefined || Object.hasOwn(runtimes, runtime);
  };
  const chosen = peers.filter((name) => wanted.includes(name) && isThere(name));
  return [subject, ...(plan.against === undefined ? [] : [older]), ...chosen];
}

function describe(
  plan: Plan,
  environment: Environment,
  { began, workloads }: { began: Date; workloads: readonly WorkloadResult[] },
): Report {
  return {
    date: began.toISOString(),
    commit: environment.builds[subject]!.version,
    ...(plan.against !== undefined && { against: environment.builds[older]!.version }),
    node: process.versions.node,
    processor: cpus()[0]?.model ?? "unknown processor",
    cores: cpus().length,
    pinned: environment.testCore !== undefined,
    quick: plan.quick,
    workloads,
  };
}

/** Writes the results; returns the path. */
function writeResults(report: Report): string {
  const name = report.date.slice(0, 19).replaceAll(":", "");
  const file = path.join("bench/results", `${name}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
  return file;
}

/** Writes the results, and a plot of them; returns their paths. */
function write(report: Report): string {
  const file = writeResults(report);
  if (report.workloads.every(({ entries }) => entries.length < 2)) return file;
  const input = JSON.stringify(plotSpec(report));
  const plot = spawnSync(process.execPath, ["bench/programs/plot.mjs"], { input, encoding: "utf8" });
  if (plot.status !== 0) return `${file}; no plot: ${plot.stderr}`;
  const picture = file.replace(/json$/, "svg");
  writeFileSync(picture, plot.stdout);
  return `${file}, ${picture}`;
}

/** Says how the workloads compare with the older build; 1 if one is slower. */
function judge(workloads: readonly WorkloadResult[]): number {
  const slower = slowerThan(workloads, older);
  note(`\n${comparisonTable(workloads)}\n`);
  note(
    slower.length === 0
      ? "no workload is slower by more than the spread"
      : `slower by more than the spread, twice: ${slower.map(({ title }) => title).join("; ")}`,
  );
  return slower.length === 0 ? 0 : 1;
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}
