import { confidence, median, range, type Spread } from "./statistics.ts";

/** What one run measured of one contender. Latencies are in microseconds. */
export interface Sample {
  /** Processor microseconds of the process under test for each operation: `user` and `system` together. */
  readonly cpu?: number;
  readonly user?: number;
  readonly system?: number;
  /** Operations a second. */
  readonly rate?: number;
  readonly p50?: number;
  readonly p99?: number;
  readonly p999?: number;
  readonly max?: number;
  /** Resident bytes of the process under test after the run. */
  readonly memory?: number;
  /** Resident bytes for each idle connection. */
  readonly connection?: number;
  /** How late the event loop of the process under test ran, in microseconds: at most, and at the 99th percentile. */
  readonly delay?: number;
  readonly delay99?: number;
  /** How busy the load generator was, from 0 to 1. Near 1, the rate is the generator's. */
  readonly load?: number;
}

export type Metric = keyof Sample;

/** A contender's runs in one workload. Runs at the same place in two lists are a pair: one was made right after the other. */
export interface Entry {
  readonly name: string;
  readonly version: string;
  readonly samples: readonly Sample[];
}

/** What a workload brought. The first entry is the subject, to which the others are compared by `metric`; less is better. */
export interface WorkloadResult {
  readonly key: string;
  readonly title: string;
  /** What an operation is: a message, a connection. */
  readonly unit: string;
  readonly metric: Metric;
  /** What the ratios are to be at most. */
  readonly bar?: number;
  readonly entries: readonly Entry[];
}

/** A run of the whole bench, as it is written to a file. */
export interface Report {
  readonly date: string;
  readonly commit: string;
  readonly against?: string;
  readonly node: string;
  readonly processor: string;
  readonly cores: number;
  readonly pinned: boolean;
  readonly quick: boolean;
  readonly workloads: readonly WorkloadResult[];
}

/** The values of a metric, of the runs that have it. */
function valuesOf(entry: Entry, metric: Metric): number[] {
  return entry.samples.map((sample) => sample[metric]).filter((value) => value !== undefined);
}

/** The median of a metric with its lowest and highest value; undefined if no run has it. */
export function summary(entry: Entry, metric: Metric): Spread | undefined {
  const values = valuesOf(entry, metric);
  return values.length === 0 ? undefined : range(values);
}

/** The subject's cost over another's, pair by pair. */
export function ratios(result: WorkloadResult, other: Entry): number[] {
  const subject = result.entries[0]!;
  return subject.samples.flatMap((sample, pair) => {
    const ours = sample[result.metric];
    const theirs = other.samples[pair]?.[result.metric];
    return ours === undefined || theirs === undefined ? [] : [ours / theirs];
  });
}

type Judgement = "faster" | "slower" | "no difference";

/** How the subject compares to another: the ratio of their costs, its spread, and whether that leaves 1 out. */
export interface Verdict {
  readonly ratio: Spread;
  readonly judgement: Judgement;
}

export function compare(result: WorkloadResult, other: Entry): Verdict {
  const ratio = confidence(ratios(result, other));
  const judgement = ratio.low > 1 ? "slower" : ratio.high < 1 ? "faster" : "no difference";
  return { ratio, judgement };
}

/** The workloads in which the subject is slower than the contender of that name, by more than the spread. */
export function slowerThan(workloads: readonly WorkloadResult[], name: string): WorkloadResult[] {
  return workloads.filter((result) => {
    const other = result.entries.find((entry) => entry.name === name);
    return other !== undefined && compare(result, other).judgement === "slower";
  });
}

/** The workloads with some of them replaced by what a later run of the same brought. */
export function replaced(
  workloads: readonly WorkloadResult[],
  again: readonly WorkloadResult[],
): readonly WorkloadResult[] {
  return workloads.map((result) => again.find(({ key }) => key === result.key) ?? result);
}

/** Whether the load generator, and not the contender, was what limited the rate of most runs. */
export function isLimitedByLoad(entry: Entry): boolean {
  const loads = valuesOf(entry, "load");
  return loads.length > 0 && median(loads) > 0.95;
}
