// A server or a client as a process, a worker of a cluster, or a thread of its own. It says how it is when asked, and ends
// by itself when nothing keeps it.
import cluster from "node:cluster";
import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:net";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { connect } from "../../../src/client/index.ts";
import { listen } from "../../../src/net/index.ts";
import { mount, serve, type ServeOptions } from "../../../src/server/index.ts";

/** What the process does. */
export interface OwnSetup {
  /**
   * `primary` forks four workers, which are `server`s on the same port. `handed` takes the port from its parent. `listener`
   * stops listening at its first connection. `client` connects to the port.
   */
  readonly role: "server" | "primary" | "handed" | "listener" | "client";
  readonly port?: number;
  readonly options?: Pick<ServeOptions, "transport">;
  /** Of a cluster. */
  readonly policy?: "none" | "rr";
}

/** What it says of itself. */
export interface OwnReport {
  readonly port?: number;
  /** Which transport its connections have. */
  readonly transport?: string;
  readonly connections?: number;
  /** What keeps it alive, as Node.js says. */
  readonly resources?: readonly string[];
}

const {
  role,
  port = 0,
  options = {},
  policy,
} = (isMainThread ? JSON.parse(process.argv[2] ?? process.env.OWN_SETUP!) : workerData) as OwnSetup;
const host = "127.0.0.1";

function say(report: OwnReport): void {
  if (isMainThread) process.send!(report);
  else parentPort!.postMessage(report);
}

/** Answers every message with a report. */
function answer(report: () => OwnReport): void {
  const answering = (message: unknown): void => {
    if (message === "report") say({ ...report(), resources: process.getActiveResourcesInfo() });
  };
  if (isMainThread) process.on("message", answering);
  else parentPort!.on("message", answering);
}

const roles: Record<OwnSetup["role"], () => Promise<void>> = {
  server: async () => {
    const server = await serve({
      port,
      host,
      ...options,
      message: async (ws, message) => {
        if (message === "who")
          await ws.write(JSON.stringify({ pid: process.pid, transport: server.stats().transport }));
        else await ws.write(message);
      },
    });
    const report = (): OwnReport => {
      const { connections, transport } = server.stats();
      return { port: server.port!, connections, transport };
    };
    answer(report);
    process.once("SIGTERM", () => void server.drain({ timeout: 10_000 }).then(() => process.disconnect()));
    if (!isMainThread) parentPort!.on("message", (message) => message === "close" && void stop());
    const stop = async (): Promise<void> => {
      await server.close();
      parentPort!.close();
    };
    say(report());
  },

  primary: async () => {
    cluster.schedulingPolicy = policy === "none" ? cluster.SCHED_NONE : cluster.SCHED_RR;
    const setup: OwnSetup = { role: "server", port, options };
    cluster.setupPrimary({ args: [JSON.stringify(setup)] });
    const workers = Array.from({ length: 4 }, () => cluster.fork());
    const reports = await Promise.all(
      workers.map(async (worker) => ((await once(worker, "message")) as [OwnReport])[0]),
    );
    say(reports[0]!);
    process.once("SIGTERM", () => {
      for (const worker of workers) worker.process.kill("SIGTERM");
      void Promise.all(workers.map((worker) => once(worker, "exit"))).then((ends) => {
        process.exitCode = ends.every(([code]) => code === 0) ? 0 : 1;
        process.disconnect();
      });
    });
  },

  handed: async () => {
    const handing = once(process, "message") as Promise<[unknown, Server]>;
    say({});
    const [, handle] = await handing;
    const server = createServer().listen(handle);
    mount(server, { message: (ws, message) => ws.write(message) });
    await once(server, "listening");
    say({});
  },

  listener: async () => {
    const listener = await listen({ port, host, ...options }, (stream) => {
      void listener.close();
      const echo = (): void =>
        stream.readSome((error, bytes) => {
          if (error !== undefined) stream.close();
          else if (bytes === undefined) stream.shutdown(() => stream.close());
          else stream.writeSome(bytes.slice(), echo);
        });
      echo();
    });
    say({ port: listener.port! });
    // Nothing but the connection is to keep the process.
    process.disconnect();
  },

  client: async () => {
    const ws = await connect(`ws://${host}:${port}/`, { message: () => {} });
    say({ resources: process.getActiveResourcesInfo() });
    process.disconnect();
    void ws;
  },
};

await roles[role]();
