import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real `serval` command, running. It is killed at the end of an `await using`, if it is still there then. */
export class Command implements AsyncDisposable {
  readonly child;
  readonly ended: Promise<Ended>;

  constructor(...args: string[]) {
    const main = fileURLToPath(new URL("../../../src/cli/main.js", import.meta.url));
    this.child = spawn(process.execPath, [main, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    const { stdin, stdout, stderr } = this.child;
    // Who has ended reads no more.
    stdin.on("error", () => {});
    // A test may close its end of a pipe; then what came is of no interest.
    const all = Promise.all([once(this.child, "exit"), ...[stdout, stderr].map((pipe) => text(pipe).catch(() => ""))]);
    this.ended = all.then(([[code, signal], out, err]) => ({ code, signal, stdout: out, stderr: err }) as Ended);
  }

  /** The first line that comes from a pipe. */
  async line(pipe: Readable = this.child.stdout): Promise<string> {
    const [line] = (await once(createInterface(pipe), "line")) as [string];
    return line;
  }

  /** The URL that the line about listening names, once it listens: of the HTTP server, or of the WebSocket. */
  async url(scheme: "http" | "ws" | "wss" | "ws+unix" = "http"): Promise<string> {
    const line = await this.line();
    const url = new RegExp(`${scheme.replace("+", "\\+")}:/[^ )]+`).exec(line);
    if (url === null) throw new Error(`no URL in ${line}`);
    return url[0];
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.ended;
  }
}

/** Runs the command to its end, with nothing to read. */
export async function command(...args: string[]): Promise<Ended> {
  return commandReading("", ...args);
}

/** Runs the command to its end, with this to read. */
export async function commandReading(input: string | Uint8Array, ...args: string[]): Promise<Ended> {
  await using running = new Command(...args);
  running.child.stdin.end(input);
  return await running.ended;
}
