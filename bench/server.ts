import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A contender in a process of its own. */
export class Server {
  readonly port: number;
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess, port: number) {
    this.#process = process;
    this.port = port;
  }

  static async start(name: string, execArgv: readonly string[] = []): Promise<Server> {
    const child = fork(new URL("contender.js", import.meta.url), [name], {
      execArgv: [...process.execArgv, ...execArgv],
    });
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    return new Server(child, port);
  }

  /** Asks it something, and returns what it answers. */
  async ask<Answer>(question: string | object): Promise<Answer> {
    this.#process.send(question);
    return ((await once(this.#process, "message")) as [Answer])[0];
  }

  stop(): void {
    this.#process.disconnect();
  }
}
