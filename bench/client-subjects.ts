import type { Effort } from "./environment.ts";
import { payload } from "./load/frames.ts";
import type { Sample } from "./results.ts";
import { Program } from "./server.ts";
import { percentiles } from "./statistics.ts";
import { afresh, warmed, type Bench, type Of, type Subject } from "./subject.ts";
import type { ServerMode } from "./workload.ts";

/** How many texts a client sends in turn. */
const distinct = 32;

/** A client's process under test, and a lean server as the load. */
export async function clientSubject(
  name: string,
  { server: mode, load }: Of<"client">,
  { environment }: Bench,
): Promise<Subject> {
  const server = await startLoad(mode, environment);
  const { connections, size, depth, text = false } = load;
  const form = { size, text, deflate: false };
  const texts = text && Array.from({ length: distinct }, (_, number) => payload(form, number).toString());
  const details = { port: server.port, connections, size, depth, ...(texts !== false && { texts }) };
  const client = await Program.start(name, mode, environment, details);
  const run = async (milliseconds: number): Promise<Sample> => {
    const { result, ...serving } = await server.during(() => working(client, milliseconds));
    const { operations, seconds, sample } = result;
    return { ...sample, load: (serving.cpu! * operations) / 1e6 / seconds };
  };
  // What runs for a connection runs but once for each: it takes many of them to be compiled.
  const times = mode.mode === "clientClose" ? 4 : 1;
  return running(client, run, environment.effort, { times, others: [server] });
}

/** The server of clients, on the core of the load. */
function startLoad({ mode, deflate = false }: ServerMode, environment: Bench["environment"]): Promise<Program> {
  const served: ServerMode = mode === "request" ? { mode: "http", form: "get" } : { mode: "echo", deflate };
  return Program.start("net", served, environment, { core: environment.loadCore });
}

/** A process that does something by itself. */
export async function aloneSubject(name: string, { server }: Of<"alone">, { environment }: Bench): Promise<Subject> {
  const program = await Program.start(name, server, environment);
  const run = async (milliseconds: number): Promise<Sample> => (await working(program, milliseconds)).sample;
  return running(program, run, environment.effort);
}

/** A program that works for as long as it is told; `times` is how much longer it takes to be warm. */
function running(
  program: Program,
  run: (milliseconds: number) => Promise<Sample>,
  effort: Effort,
  { times = 1, others = [] }: { times?: number; others?: readonly Program[] } = {},
): Subject {
  return {
    version: program.version,
    warm: () => warmed(run, times * effort.warm),
    measure: () => run(effort.run),
    stop: async () => {
      for (const each of [program, ...others]) await each.stop();
    },
  };
}

/** Has a program work for so long: what it did, and what that cost it. */
async function working(
  program: Program,
  milliseconds: number,
): Promise<{ operations: number; seconds: number; sample: Sample }> {
  const { cpu, latencies, each, milliseconds: passed } = await program.run(milliseconds);
  const operations = latencies.length * each;
  const seconds = passed / 1000;
  const [user, system] = [cpu.user / operations, cpu.system / operations];
  const { p50, p99, p999 } = percentiles(Float64Array.from(latencies), latencies.length);
  const { memory } = await program.usage();
  return {
    operations,
    seconds,
    sample: { cpu: user + system, user, system, rate: operations / seconds, p50, p99, p999, memory },
  };
}

/** A client's process of its own for each run: memory that was once in use is not given back. */
export async function idleClientSubject(
  name: string,
  workload: Of<"clientIdle">,
  { environment }: Bench,
): Promise<Subject> {
  const connections = workload.connections / environment.effort.divisor;
  return afresh(async () => {
    const server = await startLoad(workload.server, environment);
    const client = await Program.start(name, workload.server, environment, { port: server.port });
    // What the process needs once, whatever the number of connections.
    await client.open(100);
    const before = await client.idleMemory();
    await client.open(connections);
    const memory = await client.idleMemory();
    await client.stop();
    await server.stop();
    return { version: client.version, sample: { connection: (memory - before) / connections, memory } };
  });
}
