import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Client, type Load } from "./load.ts";
import { median, spread } from "./statistics.ts";

/** A workload with its name and what is asked of us: our processor time over that of `ws`. */
interface Workload extends Load {
  name: string;
  bar?: string;
}

/** Distinct texts, compressed by both sides without context takeover. */
const json = { size: 477, connections: 50, deflate: true };

const workloads: readonly Workload[] = [
  { name: "64 B, 64 deep x 50", size: 64, depth: 64, connections: 50, messages: 640_000, bar: "at most 0.125" },
  { name: "64 B, 1 in flight x 50", size: 64, depth: 1, connections: 50, messages: 60_000 },
  { name: "512 B, 16 deep x 50", size: 512, depth: 16, connections: 50, messages: 160_000 },
  { name: "16 KiB, 4 deep x 16", size: 16 * 1024, depth: 4, connections: 16, messages: 16_000, bar: "at most 0.45" },
  { name: "1 MiB, 1 in flight x 4", size: 1024 * 1024, depth: 1, connections: 4, messages: 240, bar: "at most 0.50" },
  { name: "JSON 477 B deflated, 1 in flight x 50", ...json, depth: 1, messages: 20_000, bar: "at most 0.25" },
  { name: "JSON 477 B deflated, 16 deep x 50", ...json, depth: 16, messages: 40_000, bar: "at most 0.143" },
];

/** An echo server in a process of its own, with a client on it. */
class Contender {
  readonly #process: ChildProcess;
  readonly #client: Client;

  private constructor(process: ChildProcess, client: Client) {
    this.#process = process;
    this.#client = client;
  }

  static async start(name: string, load: Load): Promise<Contender> {
    const child = fork(new URL("contender.js", import.meta.url), [name, ...(load.deflate ? ["deflate"] : [])]);
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new Contender(child, await Client.connect(port, load));
  }

  /** Processor microseconds, user and system, that one message costs the server. */
  async measure(load: Load): Promise<number> {
    const before = await this.#cpu();
    await this.#client.echo(load);
    return ((await this.#cpu()) - before) / load.messages;
  }

  stop(): void {
    this.#client.close();
    this.#process.disconnect();
  }

  async #cpu(): Promise<number> {
    this.#process.send("cpu");
    const [{ user, system }] = (await once(this.#process, "message")) as [NodeJS.CpuUsage];
    return user + system;
  }
}

/** Measures echoes in pairs, each of ours with one of `ws` right after it, and prints medians and spread. */
export async function echo(pairs: number, only: string | undefined): Promise<void> {
  console.log(`\nEcho: processor µs per message of the server, median of ${pairs} pairs (lowest to highest)`);
  for (const workload of workloads) {
    if (only !== undefined && !workload.name.includes(only)) continue;
    const names = ["serval", "serval pulled", "ws"];
    const contenders = await Promise.all(names.map((name) => Contender.start(name, workload)));
    const costs = names.map((): number[] => []);
    for (const contender of contenders) await contender.measure({ ...workload, messages: workload.messages / 2 });
    for (let pair = 0; pair < pairs; pair++) {
      for (const [i, contender] of contenders.entries()) costs[i]!.push(await contender.measure(workload));
    }
    for (const contender of contenders) contender.stop();
    const [ours, pulled, theirs] = costs as [number[], number[], number[]];
    const ratios = ours.map((cost, i) => cost / theirs[i]!);
    const pulledRatios = pulled.map((cost, i) => cost / theirs[i]!);
    console.log(`  ${workload.name}`);
    console.log(
      `    serval         ${spread(ours)}   ratio to ws ${spread(ratios)}${workload.bar ? `, bar: ${workload.bar}` : ""}`,
    );
    console.log(`    serval pulled  ${spread(pulled)}   ratio to ws ${spread(pulledRatios)}`);
    console.log(`    ws             ${spread(theirs)}`);
    if (!Number.isFinite(median(ratios))) throw new Error("Nothing was measured");
  }
}
