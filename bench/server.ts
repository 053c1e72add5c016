import path from "node:path";
import { localhost } from "../test/support/localhost.ts";
import { Child, pinned } from "./child.ts";
import { contenderKind } from "./contenders.ts";
import type { Environment } from "./environment.ts";
import type { Sample } from "./results.ts";
import type { ServerMode } from "./workload.ts";

/** What a program says when it is ready; a client has no port. */
interface About {
  readonly version: string;
  readonly port: number;
}

interface Usage {
  readonly cpu: NodeJS.CpuUsage;
  readonly memory: number;
}

/** What a client's program answers to `run`. */
interface ClientRun {
  readonly cpu: NodeJS.CpuUsage;
  readonly milliseconds: number;
  readonly latencies: readonly number[];
  /** How many operations each latency is of. */
  readonly each: number;
}

/** What goes to a program besides its mode. */
export interface Details {
  readonly core?: number | undefined;
  readonly port?: number;
  readonly size?: number;
  readonly depth?: number;
  readonly connections?: number;
  /** What a client sends, in turn; without them it is bytes. */
  readonly texts?: readonly string[];
}

/** A program of `programs/` in a process of its own. */
export class Program {
  readonly #child: Child<About>;

  private constructor(child: Child<About>) {
    this.#child = child;
  }

  /** Starts a contender's program on a core; `details` go to it with the mode. */
  static async start(
    name: string,
    { tls = false, program: common, ...mode }: ServerMode,
    environment: Environment,
    { core = environment.testCore, ...details }: Details = {},
  ): Promise<Program> {
    const { program, runtime } = contenderKind(name);
    const { path: serval, version } = environment.builds[name] ?? {};
    const options = { ...mode, ...details, serval, version, file: environment.file, ...(tls && { tls: localhost }) };
    const file = path.join(environment.programs, common ?? program);
    const command = [...runtimeCommand(runtime, environment), file, JSON.stringify(options)];
    return new Program(await Child.start<About>(name, pinned(command, core)));
  }

  get port(): number {
    return this.#child.about.port;
  }

  get version(): string {
    return this.#child.about.version;
  }

  /** What its processor time comes to for each operation of `work`, and its memory afterwards. */
  async during<Result extends { operations: number; seconds: number }>(
    work: () => Promise<Result>,
  ): Promise<Sample & { result: Result }> {
    const before = await this.#child.ask<Usage>("usage");
    const result = await work();
    const after = await this.#child.ask<Usage>("usage");
    const user = (after.cpu.user - before.cpu.user) / result.operations;
    const system = (after.cpu.system - before.cpu.system) / result.operations;
    const rate = result.operations / result.seconds;
    return { cpu: user + system, user, system, rate, memory: after.memory, result };
  }

  /** Resident memory once the collector has been through. */
  async idleMemory(): Promise<number> {
    return (await this.#child.ask<{ memory: number }>("idleMemory")).memory;
  }

  async watchDelay(): Promise<void> {
    await this.#child.ask("watchDelay");
  }

  /** How late the event loop was, in microseconds. */
  async delay(): Promise<{ readonly delay: number; readonly delay99: number }> {
    return this.#child.ask("delay");
  }

  /** Has a server publish so many times `each` messages, those in one turn of its event loop. */
  async broadcast(rounds: number, { size, each }: { size: number; each: number }): Promise<void> {
    await this.#child.ask("broadcast", { rounds, size, each });
  }

  /** Has a client open so many connections more, which it keeps. */
  async open(connections: number): Promise<void> {
    await this.#child.ask("open", { connections });
  }

  /** Has a client's program work for so long. */
  async run(milliseconds: number): Promise<ClientRun> {
    return this.#child.ask<ClientRun>("run", { milliseconds });
  }

  async usage(): Promise<Usage> {
    return this.#child.ask<Usage>("usage");
  }

  async stop(): Promise<void> {
    await this.#child.stop();
  }
}

function runtimeCommand(runtime: "bun" | "deno" | undefined, environment: Environment): readonly string[] {
  if (runtime === undefined) return [process.execPath, "--expose-gc"];
  const command = environment.runtimes[runtime]!;
  return runtime === "bun" ? [command] : [command, "run", "--allow-all", "--no-lock", "--v8-flags=--expose-gc"];
}
