// The server of docs/behind-a-proxy.md as a process of its own: its program as it stands, but for its port, its times and
// what it does with a message.
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../support/free-port.ts";
import type { Cleanup } from "../../support/programs.ts";
import { replaced } from "./documented-proxies.ts";

/** Every wait of the page is shortened by this factor. */
export const hurry = 10;

/** One of the servers behind a proxy, which can be restarted. */
export class DocumentedServer {
  readonly port: number;
  /** The messages that the server stored before it acknowledged them. */
  readonly stored: Set<string>;
  readonly #file: string;
  #child: ChildProcess | undefined;

  private constructor(port: number, file: string, stored: Set<string>) {
    this.port = port;
    this.#file = file;
    this.stored = stored;
  }

  /** Starts the page's program on a free port; it is killed after the test. */
  static async start(test: Cleanup, stored: Set<string>): Promise<DocumentedServer> {
    const folder = await mkdtemp(path.join(tmpdir(), "serval-restart-"));
    const port = await freePort();
    const file = path.join(folder, "server.mjs");
    await writeFile(file, await program(port));
    const server = new DocumentedServer(port, file, stored);
    test.after(async () => {
      await server.#kill();
      await rm(folder, { recursive: true, force: true });
    });
    await server.#begin();
    return server;
  }

  /** Ends the program by SIGTERM, and starts it again when it has ended. */
  async restart(): Promise<void> {
    const child = this.#child!;
    const ended = once(child, "close");
    child.kill("SIGTERM");
    const [code, signal] = (await ended) as [number | null, string | null];
    assert.deepEqual([code, signal], [0, null]);
    await this.#begin();
  }

  async #begin(): Promise<void> {
    const child = fork(this.#file, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    this.#child = child;
    child.on("message", (message) => this.stored.add(String(message)));
    const [line] = (await once(child.stdout!, "data")) as [Buffer];
    assert.match(String(line), /^listening on /);
  }

  async #kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  }
}

/** The page's program, on this port. */
async function program(port: number): Promise<string> {
  const page = await readFile(new URL("../../../../docs/behind-a-proxy.md", import.meta.url), "utf8");
  const [, written] = /<!-- example: proxy server -->\n```ts\n(.*?)```/s.exec(page)!;
  const serval = new URL("../../../src/index.js", import.meta.url);
  let code = replaced(written!, '"serval"', JSON.stringify(fileURLToPath(serval)));
  code = replaced(code, "port: 8080", `port: ${port}`);
  code = replaced(code, /setTimeout\(([\d_]+)\)/, (_, ms: string) => `setTimeout(${hurried(ms)})`);
  code = replaced(code, /(timeout|jitter): ([\d_]+)/g, (_, name: string, ms: string) => `${name}: ${hurried(ms)}`);
  // The channel must not keep the process alive.
  return `${replaced(code, /message: .*,\n/, `message: ${store},\n`)}\nprocess.channel.unref();\n`;
}

const hurried = (ms: string): number => Number(ms.replaceAll("_", "")) / hurry;

/** A message is acknowledged after it has been stored. */
const store = `async (ws, message) => {
  await new Promise((stored) => process.send(message, stored));
  await ws.write(message);
}`;
