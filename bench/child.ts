import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

/** The processors that this process may use, if programs can be pinned to them: two at least. */
export function pinnable(): readonly number[] {
  if (process.platform !== "linux" || spawnSync("taskset", ["--version"]).status !== 0) return [];
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "";
  const cores = list.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map(Number) as [number, number?];
    return Array.from({ length: last! - first + 1 }, (_, i) => first + i);
  });
  return cores.length >= 2 ? cores : [];
}

/** A command that runs on one core only; as it is without a core. */
export function pinned(command: readonly string[], core: number | undefined): readonly string[] {
  return core === undefined ? command : ["taskset", "-c", String(core), ...command];
}

/**
 * A process that answers questions: lines of JSON both ways, one question at a time. The first line says that it is
 * ready. What goes wrong is an Error with the process's name and what it printed.
 */
export class Child<About extends object = object> {
  readonly name: string;
  /** How long it may be silent when it is asked, in milliseconds: longer than any run. */
  patience = 60_000;
  readonly #process: ChildProcess;
  #about!: About;
  #complaints = "";
  #waiting: { resolve: (answer: object) => void; reject: (error: Error) => void } | undefined;

  private constructor(name: string, command: readonly string[]) {
    this.name = name;
    this.#process = spawn(command[0]!, command.slice(1), { stdio: ["pipe", "pipe", "pipe"] });
    running.add(this.#process);
    createInterface({ input: this.#process.stdout! }).on("line", (line) => this.#onLine(line));
    this.#process.stderr!.setEncoding("utf8").on("data", (text: string) => {
      this.#complaints = (this.#complaints + text).slice(-2000);
    });
    this.#process.stdin!.on("error", () => {});
    this.#process.on("error", (error) => this.#fail(error.message));
    this.#process.on("close", () => {
      running.delete(this.#process);
      this.#fail("ended");
    });
  }

  /** Starts a process and waits until it is ready, for at most `patience` milliseconds. */
  static async start<About extends object>(
    name: string,
    command: readonly string[],
    patience = 60_000,
  ): Promise<Child<About>> {
    const child = new Child<About>(name, command);
    try {
      child.#about = (await child.#answer(patience)) as About;
      return child;
    } catch (error) {
      await child.stop();
      throw error;
    }
  }

  /** What the process said when it was ready. */
  get about(): About {
    return this.#about;
  }

  /** Asks a question of this name; the answer is what the process says about it. */
  async ask<Answer extends object>(question: string, details: object = {}): Promise<Answer> {
    const answer = this.#answer(this.patience);
    this.#process.stdin!.write(`${JSON.stringify({ question, ...details })}\n`);
    return (await answer) as Answer;
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    if (!running.has(this.#process)) return;
    const gone = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.kill("SIGKILL");
    await gone;
  }

  async #answer(patience: number): Promise<object> {
    const timer = setTimeout(() => this.#fail(`has not answered for ${patience / 1000} s`), patience);
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting = { resolve, reject };
        if (!running.has(this.#process)) this.#fail("ended");
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #onLine(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    let answer: { error?: string };
    try {
      answer = JSON.parse(line) as { error?: string };
    } catch {
      return waiting?.reject(new Error(`${this.name} printed: ${line}`));
    }
    if (answer.error === undefined) waiting?.resolve(answer);
    else waiting?.reject(new Error(answer.error));
  }

  #fail(what: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(new Error(`${this.name} ${what}${this.#complaints === "" ? "" : `: ${this.#complaints.trim()}`}`));
  }
}
