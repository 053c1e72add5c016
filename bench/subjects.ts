import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { pinned } from "./child.ts";
import type { Environment } from "./environment.ts";
import type { Generator } from "./generator.ts";
import { floodForms } from "./load/flood-forms.ts";
import type { LoadResult } from "./load/run.ts";
import type { Sample } from "./results.ts";
import { aloneSubject, clientSubject, idleClientSubject } from "./client-subjects.ts";
import { Program } from "./server.ts";
import { afresh, warmed, type Bench, type Of, type Subject } from "./subject.ts";
import type { Workload } from "./workload.ts";

/** Starts a contender for a workload. */
export async function startSubject(name: string, workload: Workload, bench: Bench): Promise<Subject> {
  if (workload.kind === "cold") return coldSubject(name, workload, bench);
  if (workload.kind === "idle") return idleSubject(name, workload, bench);
  if (workload.kind === "client") return clientSubject(name, workload, bench);
  if (workload.kind === "clientIdle") return idleClientSubject(name, workload, bench);
  if (workload.kind === "alone") return aloneSubject(name, workload, bench);
  const server = await Program.start(name, workload.server, bench.environment);
  const run = await prepareRun(server, workload, bench);
  const { warm, run: milliseconds } = bench.environment.effort;
  return {
    version: server.version,
    // What runs for a connection runs but once for each: it takes many of them to be compiled.
    warm: () => warmed(run, isRenewed(workload) ? 4 * warm : warm),
    measure: () => run(milliseconds),
    stop: () => server.stop(),
  };
}

const isRenewed = ({ kind }: Workload): boolean => kind === "churn" || kind === "requests";

/** Makes what loads a server for so long, and says what that cost it. */
async function prepareRun(
  server: Program,
  workload: Exclude<Workload, { kind: "cold" | "idle" | "client" | "clientIdle" | "alone" }>,
  bench: Bench,
): Promise<(milliseconds: number) => Promise<Sample>> {
  const { generator } = bench;
  const { port } = server;
  switch (workload.kind) {
    case "echo": {
      const { deflate = false, tls = false } = workload.server;
      const { group } = await generator.ask("openEcho", { port, load: workload.load, deflate, tls });
      return async (milliseconds) => sampled(server, () => generator.ask("run", { group, milliseconds }));
    }
    case "churn":
      return async (milliseconds) =>
        sampled(server, () => generator.ask("churn", { port, end: workload.end, milliseconds }));
    case "broadcast":
      return prepareBroadcast(server, workload, generator);
    case "http":
      return async (milliseconds) => requests(server, workload, bench, milliseconds);
    case "requests":
      return async (milliseconds) =>
        sampled(server, () => generator.ask("requests", { port, form: workload.form, milliseconds }));
    case "flood":
      return async (milliseconds) => flood(server, workload, bench, milliseconds);
  }
}

async function sampled(server: Program, work: () => Promise<LoadResult>): Promise<Sample> {
  const { result, ...sample } = await server.during(work);
  const { p50, p99, p999, load } = result;
  return { ...sample, p50, p99, p999, load };
}

/** Messages are counted, since it is the server that sends them; their number is found by the time that the first ones take. */
async function prepareBroadcast(
  server: Program,
  { connections, size, each }: Of<"broadcast">,
  generator: Generator,
): Promise<(milliseconds: number) => Promise<Sample>> {
  const { group } = await generator.ask("openReceivers", { port: server.port, connections });
  // All frames have a header of four bytes.
  const frame = size + 4;
  const broadcast = async (rounds: number): Promise<LoadResult> => {
    const received = generator.ask("receive", { group, bytes: rounds * each * connections * frame });
    const [result] = await Promise.all([received, server.broadcast(rounds, { size, each })]);
    return { ...result, operations: rounds * each * connections };
  };
  let perRound = (await broadcast(8)).seconds / 8;
  await generator.ask("checkReceived", { group, messages: 8 * each, size });
  return async (milliseconds) => {
    const rounds = Math.max(4, Math.round(milliseconds / 1000 / perRound));
    const { result, ...sample } = await server.during(() => broadcast(rounds));
    perRound = result.seconds / rounds;
    return { ...sample, load: result.load };
  };
}

/** GETs by `wrk` where it is installed, for at least the second that is its least; otherwise, and to warm up, by our own generator. */
async function requests(
  server: Program,
  { form, depth, connections }: Of<"http">,
  { environment, generator }: Bench,
  milliseconds: number,
): Promise<Sample> {
  const { port } = server;
  const isPlain = form === "get" && depth === 1;
  if (isPlain && environment.wrk && environment.effort.wrk && milliseconds !== environment.effort.warm) {
    const { result, ...sample } = await server.during(() => wrk(port, connections, environment));
    const { p50, p99, p999 } = result;
    return { ...sample, p50, p99, p999 };
  }
  // Opened for each run: a server closes those that wait while the others are measured.
  const { group } = await generator.ask("openHttp", { port, form, depth, connections });
  const sample = await sampled(server, () => generator.ask("run", { group, milliseconds }));
  await generator.ask("close", { group });
  return sample;
}

interface WrkResult {
  readonly operations: number;
  readonly seconds: number;
  readonly errors: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

async function wrk(port: number, connections: number, environment: Environment): Promise<WrkResult> {
  const script = path.join(environment.programs, "wrk.lua");
  const options = ["-t1", `-c${connections}`, "-d1s", "-s", script, `http://127.0.0.1:${port}/`];
  const [command, ...args] = pinned(["wrk", ...options], environment.loadCore) as [string, ...string[]];
  const { stdout } = await promisify(execFile)(command, args, { timeout: 30_000 });
  const result = JSON.parse(stdout.split("\n").find((line) => line.startsWith("{")) ?? "{}") as WrkResult;
  if (!(result.operations > 0) || result.errors > 0) throw new Error(`wrk: ${stdout}`);
  return result;
}

/** A flood, with an honest client beside it: how long that one waits, and how late the server's event loop is. */
async function flood(
  server: Program,
  { connections, flood: kind, server: { tls = false } }: Of<"flood">,
  { generator, honest }: Bench,
  milliseconds: number,
): Promise<Sample> {
  const { port } = server;
  const { group } = await generator.ask("openFlood", { port, connections, flood: kind, tls });
  await server.watchDelay();
  // Long enough for some hundreds of messages.
  const { isHttp } = floodForms[kind];
  const { p50, p99, max } = await honest.ask("pulse", { port, milliseconds: 5 * milliseconds, isHttp, tls });
  const delay = await server.delay();
  const { ended } = await generator.ask("ended", { group });
  await generator.ask("close", { group });
  if (ended > 0) throw new Error(`the server has ended ${ended} connections of the flood`);
  const { memory } = await server.usage();
  return { p50, p99, max, ...delay, memory };
}

/** A process of its own for each run, so that nothing is compiled yet. */
async function coldSubject(name: string, workload: Of<"cold">, bench: Bench): Promise<Subject> {
  const { environment, generator } = bench;
  const count = workload.connections / environment.effort.divisor;
  return afresh(async () => {
    const server = await Program.start(name, workload.server, environment);
    const sample = await sampled(server, () => generator.ask("churn", { port: server.port, end: "reset", count }));
    await server.stop();
    return { version: server.version, sample };
  });
}

/** A process of its own for each run: memory that was once in use is not given back. */
async function idleSubject(name: string, workload: Of<"idle">, bench: Bench): Promise<Subject> {
  const { environment, generator } = bench;
  const connections = workload.connections / environment.effort.divisor;
  return afresh(async () => {
    const server = await Program.start(name, workload.server, environment);
    const { port, version } = server;
    // What the process needs once, whatever the number of connections.
    const first = await generator.ask("openIdle", { port, connections: 100 });
    const before = await server.idleMemory();
    const { group } = await generator.ask("openIdle", { port, connections });
    const memory = await server.idleMemory();
    await server.stop();
    await generator.ask("close", first);
    await generator.ask("close", { group });
    return { version, sample: { connection: (memory - before) / connections, memory } };
  });
}
