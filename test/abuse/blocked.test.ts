// A server whose event loop is blocked for longer than any of its deadlines: what came meanwhile is read before anybody is cut.
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { platform } from "node:process";
import { describe, it, type TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { connect } from "../../src/client/index.ts";
import type { ServerStatistics } from "../../src/server/index.ts";
import { get, post } from "../http/support/serving.ts";
import { quiet } from "../support/quiet.ts";
import { until } from "../support/until.ts";
import { text } from "../websocket/support/frames.ts";
import type { Question, Setup } from "./support/blocked-server.ts";
import { RawClient } from "./support/raw-client.ts";

/** Of each deadline. What precedes the block takes less. */
const ms = 1500;
const blockMs = 2 * ms;
const timeouts = { handshake: ms, header: ms, body: ms, write: ms, keepAlive: ms, idle: ms };

class Server {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(test: TestContext, setup: Setup): Promise<Server> {
    const script = fileURLToPath(new URL("support/blocked-server.js", import.meta.url));
    const child = fork(script, [JSON.stringify(setup)], { execArgv: [] });
    test.after(() => void child.kill("SIGKILL"));
    const [port] = (await once(child, "message")) as [number];
    return new Server(child, port);
  }

  async #ask(question: Question): Promise<unknown> {
    const answer = once(this.#child, "message");
    this.#child.send(question);
    return ((await answer) as [unknown])[0];
  }

  stats(): Promise<ServerStatistics> {
    return this.#ask("stats") as Promise<ServerStatistics>;
  }

  /** Blocks the loop with a long computation, and fulfils as soon as that runs. */
  async compute(): Promise<() => Promise<void>> {
    await this.#ask({ block: blockMs });
    return () => Promise.resolve();
  }

  /** Stops the process. Fulfils, once it stands, with what makes it go on after the time of the block. */
  async stop(): Promise<() => Promise<void>> {
    this.#child.kill("SIGSTOP");
    await until(() => readFileSync(`/proc/${this.#child.pid}/stat`, "utf8").split(") ")[1]![0] === "T");
    return async () => {
      await delay(blockMs);
      this.#child.kill("SIGCONT");
    };
  }
}

for (const tls of [false, true]) {
  for (const way of ["compute", "stop"] as const) {
    const skip = way === "stop" && platform !== "linux" && "it is seen in /proc that a process has stopped";
    const name = way === "compute" ? "a long computation" : "SIGSTOP";
    describe(`after ${name}, over ${tls ? "TLS" : "TCP"}`, { skip }, () => {
      it("a server takes what is there, asks the silent, and cuts only those that stay so", async (t) => {
        const server = await Server.start(t, { tls, timeouts });
        const client = async (): Promise<RawClient> => {
          const made = new RawClient(server.port, tls);
          t.after(() => made.socket.destroy());
          await once(made.socket, tls ? "secureConnect" : "connect");
          return made;
        };
        const [silent, dead, speaking, closing, first, half, kept, body, slow] = (await Promise.all(
          Array.from({ length: 9 }, client) as [Promise<RawClient>],
        )) as unknown as RawClient[];
        await Promise.all([silent!.open(true), dead!.open(false), speaking!.open(true), closing!.open(true)]);
        closing!.send(text("close"));
        await closing!.gets("\x88\x02\x03\xe8");
        slow!.socket.pause();
        slow!.send(get("/long"));
        kept!.send(get("/"));
        half!.send(get("/").slice(0, -5));
        body!.send(post("hello").slice(0, -2));
        await kept!.gets("HTTP/1.1 200");

        const goOn = await server[way]();
        first!.send(get("/"));
        half!.send(get("/").slice(-5));
        kept!.send(get("/"));
        body!.send("lo");
        speaking!.send(text("here"));
        closing!.answerClose();
        slow!.socket.resume();
        const late = new RawClient(server.port, tls);
        t.after(() => late.socket.destroy());
        late.send(get("/"));
        await goOn();

        for (const one of [first!, half!, late]) await one.gets("HTTP/1.1 200");
        await kept!.gets("HTTP/1.1 200", 2);
        await body!.gets("hello");
        await speaking!.gets("here");
        await slow!.until((received) => received.length > 32 * 1024 * 1024);
        assert.equal(await closing!.closed, undefined);
        await dead!.closed;
        await silent!.gets("\x89");
        await silent!.echo("still here");
        const { limits, closed } = await server.stats();
        const passed = Object.entries(limits).filter(([limit, count]) => limit.startsWith("timeouts.") && count > 0);
        assert.deepEqual(passed, [["timeouts.idle", 1]]);
        assert.deepEqual(closed, { 1000: 1, 1006: 1 });
      });
    });
  }
}

/** A client over TCP that lives as long as the test. */
async function connected(t: TestContext, server: Server): Promise<RawClient> {
  const client = new RawClient(server.port, false);
  t.after(() => client.socket.destroy());
  await once(client.socket, "connect");
  return client;
}

it("a mount whose loop was blocked reads what is there, and asks the silent", async (t) => {
  const server = await Server.start(t, { mounts: true, timeouts });
  const [silent, speaking, closing, opening] = [
    await (await connected(t, server)).open(true),
    await (await connected(t, server)).open(true),
    await (await connected(t, server)).open(true),
    await connected(t, server),
  ];
  closing.send(text("close"));
  await closing.gets("\x88\x02\x03\xe8");
  await server.compute();
  speaking.send(text("here"));
  closing.answerClose();
  await opening.open(true);
  await speaking.gets("here");
  assert.equal(await closing.closed, undefined);
  await silent.gets("\x89");
  for (const one of [silent, speaking, opening]) await one.echo("still here");
  assert.deepEqual((await server.stats()).closed, { 1000: 1 });
});

it("a server whose loop was blocked takes the rest of a header of the PROXY protocol that is there", async (t) => {
  const server = await Server.start(t, { proxyProtocol: true, timeouts });
  const [none, half] = [await connected(t, server), await connected(t, server)];
  const header = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n";
  half.send(header.slice(0, 10));
  await server.compute();
  none.send(header, get("/"));
  half.send(header.slice(10), get("/"));
  for (const one of [none, half]) await one.gets("HTTP/1.1 200");
});

for (const tls of [false, true]) {
  it(`a client whose own loop is blocked while it connects takes the answer that is there, over ${tls ? "TLS" : "TCP"}`, async (t) => {
    const server = await Server.start(t, { tls, timeouts: {} });
    // After the call, while names are looked up, and in the middle of the handshakes.
    for (const turns of [0, 1, 2, 4, 6]) {
      const opening = connect(`${tls ? "wss" : "ws"}://127.0.0.1:${server.port}/`, {
        tls: { rejectUnauthorized: false },
        timeouts: { handshake: 1000 },
      });
      await quiet(turns);
      compute(1200);
      const ws = await opening;
      await ws.close();
    }
  });
}

/** Blocks this process. */
function compute(duration: number): void {
  const end = performance.now() + duration;
  while (performance.now() < end);
}
