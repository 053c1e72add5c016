import type { Environment } from "./environment.ts";
import type { Generator } from "./generator.ts";
import type { Sample } from "./results.ts";
import type { Workload } from "./workload.ts";

/** One contender in one workload, from the start of its process to its end. */
export interface Subject {
  readonly version: string;
  /** Loads it as `measure` does, so that it is compiled and its memory grown. */
  warm(): Promise<unknown>;
  measure(): Promise<Sample>;
  stop(): Promise<void>;
}

/** What measuring needs: the load generator, and another for honest clients beside a flood. */
export interface Bench {
  readonly environment: Environment;
  readonly generator: Generator;
  readonly honest: Generator;
}

/** The workloads of a kind. */
export type Of<Kind extends Workload["kind"]> = Workload & { kind: Kind };

/** A subject that starts a process of its own for each run, and gives its version with the sample. */
export function afresh(run: () => Promise<{ readonly version: string; readonly sample: Sample }>): Subject {
  let version = "";
  return {
    get version() {
      return version;
    },
    warm: async () => {},
    async measure() {
      const result = await run();
      version = result.version;
      return result.sample;
    },
    stop: async () => {},
  };
}

/** Loads a process until it has worked for so long: on a busy machine that takes more time. Not without end. */
export async function warmed(run: (milliseconds: number) => Promise<Sample>, milliseconds: number): Promise<void> {
  let worked = 0;
  for (let round = 0; round < 4 && worked < milliseconds * 0.8; round++) {
    const { cpu = 1, rate = 1e6 } = await run(milliseconds);
    worked += ((cpu * rate) / 1e6) * milliseconds;
  }
}
