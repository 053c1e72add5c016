import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** What one operation of a server costs, over a transport in memory; an idle connection has `bytes` alone. */
export interface Counts {
  /** Reads that the server asks of its transport. */
  reads?: number;
  /** Writes that the server asks of its transport; one write takes any number of buffers. */
  writes?: number;
  /** Promises made by the sources and by the platform. */
  promises?: number;
  /** Callbacks queued: microtasks, ticks, immediates and timers. */
  tasks?: number;
  /** Calls of functions of the sources. The test kit's do not count. */
  functions?: number;
  /** Bytes that the sources, and what they call, allocate on the heap; for an idle connection the bytes that it holds. */
  bytes?: number;
  /** Bytes of buffers beside the heap: typed arrays of more than 64 bytes have theirs there. */
  buffers?: number;
}

const flags = [
  // Nothing but the interpreter: optimized code allocates less, from a moment on that depends on the machine's load.
  "--no-opt",
  "--no-maglev",
  "--no-sparkplug",
  "--no-lazy-feedback-allocation",
  // Nothing is collected or compiled beside the program, nor while it counts: all fits into the space for new objects.
  "--single-threaded",
  "--no-flush-bytecode",
  "--min-semi-space-size=64",
  "--max-semi-space-size=64",
  "--hash-seed=1",
  "--random-seed=1",
  "--expose-gc",
];

/** Counts all workloads with this version of Node.js, in a process of its own; returns the counts by the workload's name. */
export async function runCount(): Promise<Record<string, Counts>> {
  const program = fileURLToPath(new URL("count.js", import.meta.url));
  const env = { ...process.env };
  // Preloaded modules and coverage would be counted too.
  delete env.NODE_OPTIONS;
  delete env.NODE_V8_COVERAGE;
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program], { env, timeout: 110_000 });
  return JSON.parse(stdout) as Record<string, Counts>;
}
