import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import * as net from "node:net";
import { spread } from "./statistics.ts";

interface Load {
  readonly name: string;
  /** Requests that each connection has in flight. */
  readonly depth: number;
  readonly connections: number;
  readonly requests: number;
  readonly bar: string;
  readonly names: readonly string[];
}

const loads: readonly Load[] = [
  {
    name: "GET, 1 in flight x 50",
    depth: 1,
    connections: 50,
    requests: 60_000,
    bar: "at least 1.8",
    names: ["serval", "serval fetch", "node:http"],
  },
  {
    name: "GET, pipelined 16 deep x 50",
    depth: 16,
    connections: 50,
    requests: 160_000,
    bar: "at least 4",
    names: ["serval", "node:http"],
  },
];

const head = "GET /hello HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n";

/** An HTTP server in a process of its own, with connections to it. */
class Contender {
  readonly #process: ChildProcess;
  readonly #sockets: readonly net.Socket[];
  /** The size of a response, which is always the same. */
  readonly #size: number;

  private constructor(process: ChildProcess, sockets: readonly net.Socket[], size: number) {
    this.#process = process;
    this.#sockets = sockets;
    this.#size = size;
  }

  static async start(name: string, { connections }: Load): Promise<Contender> {
    const child = fork(new URL("http-contender.js", import.meta.url), [name]);
    const [{ port }] = (await once(child, "message")) as [{ port: number }];
    const sockets: net.Socket[] = [];
    for (let i = 0; i < connections; i++) sockets.push(net.connect({ port, host: "127.0.0.1", noDelay: true }));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    sockets[0]!.write(head);
    let answer = "";
    while (!answer.endsWith("\r\n\r\nHello, world!\n")) answer += String((await once(sockets[0]!, "data"))[0]);
    return new Contender(child, sockets, answer.length);
  }

  /** Processor microseconds, user and system, that one request costs the server. */
  async measure({ depth, requests }: Load): Promise<number> {
    const before = await this.#cpu();
    if (this.#sockets.some((socket) => socket.closed)) throw new Error("The server closed a connection");
    const rounds = Math.max(1, Math.round(requests / depth / this.#sockets.length));
    const batch = Buffer.from(head.repeat(depth));
    await Promise.all(this.#sockets.map((socket) => this.#rounds(socket, batch, depth * this.#size, rounds)));
    return ((await this.#cpu()) - before) / (rounds * depth * this.#sockets.length);
  }

  stop(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#process.disconnect();
  }

  /** Sends batches, each when the responses to the one before have come whole. */
  #rounds(socket: net.Socket, batch: Buffer, expected: number, rounds: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let round = 0;
      let missing = expected;
      const onData = (chunk: Buffer): void => {
        missing -= chunk.length;
        if (missing > 0) return;
        if (missing < 0) return reject(new Error("More came back than was asked for"));
        missing = expected;
        if (++round < rounds) {
          socket.write(batch);
          return;
        }
        socket.off("data", onData);
        socket.off("close", onClose);
        resolve();
      };
      const onClose = (): void => reject(new Error("The server closed the connection"));
      socket.on("data", onData);
      socket.on("close", onClose);
      socket.write(batch);
    });
  }

  async #cpu(): Promise<number> {
    this.#process.send("cpu");
    const [{ user, system }] = (await once(this.#process, "message")) as [NodeJS.CpuUsage];
    return user + system;
  }
}

/** Measures requests in pairs, each of ours with one of `node:http` right after it, and prints medians and spread. */
export async function http(pairs: number, only: string | undefined): Promise<void> {
  console.log(`\nHTTP: processor µs per request of the server, median of ${pairs} pairs (lowest to highest)`);
  for (const load of loads) {
    if (only !== undefined && !load.name.includes(only)) continue;
    const { names } = load;
    const contenders = await Promise.all(names.map((name) => Contender.start(name, load)));
    const costs = names.map((): number[] => []);
    for (const contender of contenders) await contender.measure({ ...load, requests: load.requests / 2 });
    for (let pair = 0; pair < pairs; pair++) {
      for (const [i, contender] of contenders.entries()) costs[i]!.push(await contender.measure(load));
    }
    for (const contender of contenders) contender.stop();
    const theirs = costs.at(-1)!;
    console.log(`  ${load.name}`);
    for (const [i, name] of names.entries()) {
      // How many times the requests that the same processor time is good for.
      const times = spread(costs[i]!.map((cost, at) => theirs[at]! / cost));
      const comparison = costs[i] === theirs ? "" : `   times node:http ${times}${i === 0 ? `, bar: ${load.bar}` : ""}`;
      console.log(`    ${name.padEnd(13)}  ${spread(costs[i]!)}${comparison}`);
    }
  }
}
