import type { Effort, Environment } from "./environment.ts";
import { Generator } from "./generator.ts";
import type { Entry, Sample, WorkloadResult } from "./results.ts";
import type { Bench, Subject } from "./subject.ts";
import { startSubject } from "./subjects.ts";
import type { Workload } from "./workload.ts";

/**
 * Measures a workload: all contenders at once are started and warmed, then run one after the other, in pairs; then all
 * that again. Every other pair is in the opposite order, so that what changes steadily meanwhile favours nobody. An error
 * names the workload and the contender.
 */
export async function measure(
  workload: Workload,
  names: readonly string[],
  environment: Environment,
  progress: (text: string) => void,
): Promise<WorkloadResult> {
  const { launches, pairs } = startsOf(workload, environment.effort);
  const samples = names.map((): Sample[] => []);
  const versions: string[] = [];
  for (let launch = 0; launch < launches; launch++) {
    const subjects: Subject[] = [];
    const each = async (work: (subject: Subject, i: number) => Promise<unknown>, reverse = false): Promise<void> => {
      const order = [...names.keys()];
      for (const i of reverse ? order.toReversed() : order) {
        await named(workload, names[i]!, () => work(subjects[i]!, i));
      }
    };
    progress(`start ${launch + 1} of ${launches}`);
    const bench = await startBench(environment);
    try {
      await each(async (_, i) => (subjects[i] = await startSubject(names[i]!, workload, bench)));
      await each((subject) => subject.warm());
      for (let pair = 0; pair < pairs; pair++) {
        progress(`start ${launch + 1} of ${launches}, pair ${pair + 1} of ${pairs}`);
        await each(async (subject, i) => samples[i]!.push(await subject.measure()), pair % 2 === 1);
      }
      for (const [i, subject] of subjects.entries()) versions[i] = subject.version;
    } finally {
      await Promise.all(subjects.map((subject) => subject.stop()));
      await Promise.all([bench.generator.stop(), bench.honest.stop()]);
    }
  }
  const { key, unit, metric, bar } = workload;
  const title = titleOf(workload, environment.effort);
  const entries = names.map((name, i): Entry => ({ name, version: versions[i]!, samples: samples[i]! }));
  return { key, title, unit, metric, ...(bar !== undefined && { bar }), entries };
}

/** A quick run opens fewer connections, which is another workload: most of a server's code is compiled in the first 1,000. */
function titleOf(workload: Workload, { divisor }: Effort): string {
  const isFewer = divisor > 1 && ["cold", "idle", "clientIdle"].includes(workload.kind);
  return isFewer ? `${workload.title} (quick: one in ${divisor} of them)` : workload.title;
}

async function startBench(environment: Environment): Promise<Bench> {
  const [generator, honest] = await Promise.all([
    Generator.start(environment.loadCore),
    Generator.start(environment.loadCore),
  ]);
  return { environment, generator, honest };
}

const once: ReadonlySet<Workload["kind"]> = new Set(["cold", "idle", "clientIdle", "flood"]);

/**
 * How many times the processes are started, and pairs of runs for each: where a run starts one itself, it is all the same,
 * and a flood is told from rest by one start.
 */
function startsOf({ kind }: Workload, { launches, pairs, single }: Effort): { launches: number; pairs: number } {
  return once.has(kind) ? { launches: 1, pairs: single } : { launches, pairs };
}

async function named(workload: Workload, name: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw new Error(`"${workload.title}" with ${name}: ${(error as Error).message}`, { cause: error });
  }
}
