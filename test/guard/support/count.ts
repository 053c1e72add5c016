// The program that counts: run-count.ts starts it in a process of its own, with flags. It prints the counts as JSON.
import { createHook } from "node:async_hooks";
import { Session, type HeapProfiler, type Profiler } from "node:inspector";
import type { TransportCalls } from "./client.ts";
import type { Counts } from "./run-count.ts";
import { openIdle, workloads, type Operation, type Workload } from "./workloads.ts";

const idleConnections = 100;

const sources = new URL("../../../src/", import.meta.url).href;
/** The transport in memory is not guarded. */
const testKit = new URL("testing/", sources).href;
const isSource = (url: string): boolean => url.startsWith(sources) && !url.startsWith(testKit);

const session = new Session();
session.connect();

/** Each operation has a turn of the event loop of its own. */
async function repeat(operation: Operation, count: number): Promise<void> {
  let left = count;
  await new Promise<void>((resolve) => {
    const next = (): void => {
      if (left-- === 0) resolve();
      else setImmediate(operation, next);
    };
    next();
  });
}

/**
 * Runs something, and returns the bytes that the sources have allocated on the heap meanwhile: every single allocation is a
 * sample. What built-in functions and the platform allocate is their caller's.
 */
async function heapBytes(run: () => Promise<void>, counted: "all" | "retained"): Promise<number> {
  const includesCollected = counted === "all";
  session.post("HeapProfiler.startSampling", {
    samplingInterval: 1,
    includeObjectsCollectedByMajorGC: includesCollected,
    includeObjectsCollectedByMinorGC: includesCollected,
  });
  await run();
  let bytes = 0;
  session.post("HeapProfiler.stopSampling", (_, { profile }) => {
    bytes = bytesBelow(profile.head, false);
  });
  return bytes;
}

function bytesBelow(node: HeapProfiler.SamplingHeapProfileNode, isCallerCounted: boolean): number {
  const { url } = node.callFrame;
  const isCounted = url.startsWith("file:") ? isSource(url) : isCallerCounted;
  const own = isCounted ? node.selfSize : 0;
  return node.children.reduce((sum, child) => sum + bytesBelow(child, isCounted), own);
}

/** Counts the promises that are made, and the callbacks that are queued. */
async function queued(run: () => Promise<void>): Promise<{ promises: number; tasks: number }> {
  let promises = 0;
  let tasks = 0;
  const hook = createHook({
    init(_, type) {
      if (type === "PROMISE") promises++;
      else tasks++;
    },
  });
  hook.enable();
  await run();
  hook.disable();
  return { promises, tasks };
}

async function functionsEntered(run: () => Promise<void>): Promise<number> {
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });
  // Taking the counts begins new ones.
  session.post("Profiler.takePreciseCoverage");
  await run();
  let scripts: Profiler.ScriptCoverage[] = [];
  session.post("Profiler.takePreciseCoverage", (_, { result }) => {
    scripts = result;
  });
  session.post("Profiler.disable");
  return scripts
    .filter(({ url }) => isSource(url))
    .flatMap(({ functions }) => functions)
    .reduce((sum, { ranges }) => sum + ranges[0]!.count, 0);
}

async function countsOf(operation: Operation, count: number, calls?: TransportCalls): Promise<Required<Counts>> {
  const run = (): Promise<void> => repeat(operation, count);
  // Code is compiled, and inline caches and pools are filled, before anything is counted.
  await run();
  await run();
  const buffersBefore = process.memoryUsage().arrayBuffers;
  await run();
  const buffers = process.memoryUsage().arrayBuffers - buffersBefore;
  const bytes = await heapBytes(run, "all");
  const { reads = 0, writes = 0 } = calls ?? {};
  const { promises, tasks } = await queued(run);
  const inRun = { reads: (calls?.reads ?? 0) - reads, writes: (calls?.writes ?? 0) - writes };
  const functions = await functionsEntered(run);
  return { ...inRun, promises, tasks, functions, bytes, buffers };
}

/** What an operation costs more than a turn of the event loop in which nothing happens. */
async function count({ start, count: operations }: Workload): Promise<Counts> {
  const calls: TransportCalls = { reads: 0, writes: 0 };
  const counts = await countsOf(await start(calls), operations, calls);
  const nothing = await countsOf((next) => next(), operations);
  const names = Object.keys(counts) as (keyof Counts)[];
  return Object.fromEntries(names.map((name) => [name, rounded((counts[name] - nothing[name]) / operations)]));
}

/** To a tenth: an operation may leave something for every hundredth of its kind. */
function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Bytes that a connection holds. */
async function bytesRetained(): Promise<number> {
  const open = openIdle();
  const held: unknown[] = [];
  const run = async (): Promise<void> => {
    for (let i = 0; i < idleConnections; i++) held.push(await open());
    globalThis.gc!();
    // The second collection takes what the first one has released.
    await new Promise(setImmediate);
    globalThis.gc!();
  };
  await run();
  return (await heapBytes(run, "retained")) / idleConnections;
}

// Every buffer is allocated by itself, so that each one counts: a pool grows by many at a time.
Buffer.poolSize = 0;
const all: Record<string, Counts> = {};
for (const [name, workload] of Object.entries(workloads)) all[name] = await count(workload);
all["an idle WebSocket"] = { bytes: rounded(await bytesRetained()) };
console.log(JSON.stringify(all));
