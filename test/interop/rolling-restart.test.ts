// Two servers restart in turn behind a proxy with the configuration of docs/behind-a-proxy.md, under load: no request and
// no acknowledged message is lost.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { describe, it } from "node:test";
import { text } from "node:stream/consumers";
import { connect } from "../../src/client/index.ts";
import type { ServalError } from "../../src/core/index.ts";
import { requires, type Daemon } from "../support/programs.ts";
import { until } from "../support/until.ts";
import { haproxy, nginx, replaced, type Proxy } from "./support/documented-proxies.ts";
import { DocumentedServer, hurry } from "./support/documented-server.ts";

/** A proxy of requests, and how it learns of a server. */
interface Case {
  readonly proxy: Proxy;
  /** The methods of requests that the page says are not lost. */
  readonly methods: readonly string[];
  /** The page's configuration, with its waits shortened as the server's are. */
  readonly change: (block: string) => string;
  /** How often the proxy has found one of its servers up. */
  readonly ups: (proxy: Daemon) => number;
}

const cases: readonly Case[] = [
  // Without health checks, nginx tries a server when it has a request for it.
  { proxy: nginx, methods: ["GET", "PUT"], change: (block) => block, ups: () => Infinity },
  {
    proxy: haproxy,
    methods: ["GET", "PUT", "POST"],
    // A check may still take as long as on the page: the machine is not ten times faster.
    change: (block) =>
      replaced(
        replaced(block, /inter 2s/g, `inter ${2_000 / hurry}ms`),
        "timeout connect 5s",
        "timeout connect 5s\n  timeout check 2s",
      ),
    ups: ({ output }) => output.match(/ is UP/g)?.length ?? 0,
  },
];

/** The clients of a proxy: some send requests, others have WebSockets, until they are stopped. */
class Load {
  /** How many responses have come, by method; every request is answered with 200. */
  readonly answered: Record<string, number> = {};
  /** The messages that were acknowledged. */
  readonly acknowledged = new Set<string>();
  /** What should not have happened, and how often it did. */
  readonly failures: Record<string, number> = {};
  /** The codes by which WebSockets ended before the load did. */
  readonly codes: number[] = [];
  readonly #port: number;
  readonly #stop = new AbortController();
  readonly #clients: Promise<void>[] = [];

  constructor(port: number, methods: readonly string[]) {
    this.#port = port;
    for (const method of methods) {
      for (const keepAlive of [true, true, false]) this.#clients.push(this.#request(method, keepAlive));
    }
    for (let i = 0; i < 8; i++) this.#clients.push(this.#converse(`client ${i}`));
  }

  /** Fulfils when each kind of client has been served since the call. */
  async goesOn(): Promise<void> {
    const { answered, acknowledged } = this;
    const [requests, messages] = [{ ...answered }, acknowledged.size];
    await until(
      () =>
        this.#hasFailed ||
        (acknowledged.size > messages + 100 &&
          Object.entries(answered).every(([method, count]) => count > (requests[method] ?? 0) + 10)),
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#clients);
  }

  get #hasFailed(): boolean {
    return Object.keys(this.failures).length > 0;
  }

  #failed(failure: string): void {
    this.failures[failure] = (this.failures[failure] ?? 0) + 1;
  }

  async #request(method: string, keepAlive: boolean): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1, rejectUnauthorized: false });
    this.answered[method] = 0;
    while (!this.#stop.signal.aborted && !this.#hasFailed) {
      const asked = request({ host: "127.0.0.1", port: this.#port, method, agent, path: "/page" });
      asked.end(method === "GET" ? undefined : "the body of a request");
      try {
        const [response] = (await once(asked, "response")) as [IncomingMessage];
        const body = await text(response);
        if (response.statusCode === 200 && body === "a page\n") this.answered[method]++;
        else this.#failed(`${method}: ${response.statusCode} ${body}`);
      } catch (error) {
        this.#failed(`${method}: ${String(error)}`);
      }
    }
    agent.destroy();
  }

  /** Sends messages one by one, each again until it has been acknowledged. */
  async #converse(name: string): Promise<void> {
    const { signal } = this.#stop;
    const streams = connect.forever(`wss://127.0.0.1:${this.#port}/`, {
      signal,
      tls: { rejectUnauthorized: false },
      backoff: { initial: 50, max: 100 },
      retry: (error) => this.#failed(`WebSocket: ${error.message}`),
    });
    let sent = 0;
    for await (const ws of streams) {
      try {
        await ws.write(`${name}: ${sent}`);
        for await (const message of ws) {
          this.acknowledged.add(String(message));
          await ws.write(`${name}: ${++sent}`);
        }
      } catch (error) {
        // A write after the server's close: the message goes to the next server.
        if ((error as ServalError).condition !== "closed") this.#failed(`WebSocket: ${String(error)}`);
      }
      if (!signal.aborted) this.codes.push((await ws.closed).code);
    }
  }
}

for (const { proxy, methods, change, ups } of cases) {
  describe(`two servers restart in turn behind ${proxy.name}`, { skip: requires(...proxy.needs) }, () => {
    it(`no ${methods.join(", ")} and no acknowledged message is lost`, async (t) => {
      const stored = new Set<string>();
      const servers = [await DocumentedServer.start(t, stored), await DocumentedServer.start(t, stored)];
      const daemon = await proxy.start(t, servers, change);
      const load = new Load(daemon.port, methods);
      await load.goesOn();
      for (const server of servers) {
        const before = ups(daemon);
        await server.restart();
        await until(() => ups(daemon) > before || before === Infinity);
        await load.goesOn();
      }
      await load.stop();
      assert.deepEqual(load.failures, {});
      // Each server had WebSockets when it left, and closed them by the page's code.
      assert.ok(load.codes.length >= 8, `${load.codes.length} closes`);
      assert.deepEqual(new Set(load.codes), new Set([1012]));
      assert.deepEqual(
        [...load.acknowledged].filter((message) => !stored.has(message)),
        [],
      );
    });
  });
}
