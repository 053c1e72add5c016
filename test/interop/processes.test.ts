// Servers and clients in processes and threads of their own, over both transports: where handles come from elsewhere, what
// keeps a process alive, and flags of Node.js that restrict it.
import assert from "node:assert/strict";
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer, connect as connectSocket, type AddressInfo, type Socket } from "node:net";
import { allowedNodeEnvironmentFlags, platform } from "node:process";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { connect } from "../../src/client/index.ts";
import { serve } from "../../src/server/index.ts";
import { until } from "../support/until.ts";
import type { OwnReport, OwnSetup } from "./support/own-process.ts";

const script = fileURLToPath(new URL("support/own-process.js", import.meta.url));
const host = "127.0.0.1";
const transports = ["handle", "socket"] as const;
/** What Node.js calls an open connection. */
const connectionResource = /^TCP(?:Socket)?Wrap$/i;
/** Without a choice, and where nothing speaks against handles. */
const usual = process.env.SERVAL_TRANSPORT === "socket" || platform !== "linux" ? "socket" : "handle";

/** A process of its own, and the first thing that it says. */
class Own {
  readonly first: OwnReport;
  readonly child: ChildProcess;
  /** What it has printed, on either output. */
  output = "";
  readonly ended: Promise<[code: number | null, signal: string | null]>;

  private constructor(child: ChildProcess, first: OwnReport) {
    this.child = child;
    this.first = first;
    this.ended = once(child, "exit") as Promise<[number | null, string | null]>;
  }

  static async start(t: TestContext, setup: OwnSetup, execArgv: readonly string[] = []): Promise<Own> {
    const transport = setup.options?.transport;
    const env = { ...process.env, ...(transport !== undefined && { SERVAL_TRANSPORT: transport }) };
    const child = fork(script, [JSON.stringify(setup)], { env, execArgv: [...execArgv], silent: true });
    t.after(() => void child.kill("SIGKILL"));
    let output = "";
    for (const pipe of [child.stdout!, child.stderr!]) pipe.on("data", (data: Buffer) => (output += data.toString()));
    const failed = once(child, "exit").then(([code]) => assert.fail(`it ended with ${code}: ${output}`));
    const [first] = (await Promise.race([once(child, "message"), failed])) as [OwnReport];
    failed.catch(() => {});
    const own = new Own(child, first);
    own.output = output;
    for (const pipe of [child.stdout!, child.stderr!])
      pipe.on("data", (data: Buffer) => (own.output += data.toString()));
    return own;
  }

  async report(): Promise<OwnReport> {
    const answer = once(this.child, "message");
    this.child.send("report");
    return ((await answer) as [OwnReport])[0];
  }
}

/** What a server says of itself. */
interface Identity {
  readonly pid: number;
  readonly transport: string;
}

/** Asks a server which process it is, and has it echo some large and small messages. */
async function visited(port: number): Promise<Identity> {
  const ws = await connect(`ws://${host}:${port}/`);
  await ws.write("who");
  const identity = JSON.parse(String(await ws.read())) as Identity;
  for (const size of [1, 64, 70_000, 3_000_000]) {
    const sent = new Uint8Array(size).fill(size);
    const [received] = await Promise.all([ws.read(), ws.write(sent)]);
    assert.ok(Buffer.from(sent).equals(received as Uint8Array));
  }
  await ws.close();
  return identity;
}

/** A plain client that is open. */
async function opened(port: number): Promise<Socket> {
  const socket = connectSocket(port, host);
  await once(socket, "connect");
  return socket;
}

for (const transport of transports) {
  const options = { transport };

  describe(`a cluster over ${transport}s`, { skip: transport === "handle" && platform !== "linux" }, () => {
    for (const policy of ["rr", "none"] as const) {
      it(`serves with the scheduling policy ${policy}, and drains`, async (t) => {
        const primary = await Own.start(t, { role: "primary", policy, options });
        const seen = await Promise.all(Array.from({ length: 20 }, () => visited(primary.first.port!)));
        for (const identity of seen) assert.equal(identity.transport, transport);
        // The system decides where the primary does not.
        if (policy === "rr") assert.equal(new Set(seen.map(({ pid }) => pid)).size, 4);
        primary.child.kill("SIGTERM");
        assert.deepEqual(await primary.ended, [0, null]);
      });
    }
  });

  describe(`a thread over ${transport}s`, () => {
    const start = async (t: TestContext): Promise<{ worker: Worker; report: OwnReport }> => {
      const worker = new Worker(script, { workerData: { role: "server", options } satisfies OwnSetup });
      t.after(() => worker.terminate());
      const [report] = (await once(worker, "message")) as [OwnReport];
      assert.equal(report.transport, transport);
      return { worker, report };
    };

    it("serves, and ends when its server is closed", async (t) => {
      const { worker, report } = await start(t);
      await visited(report.port!);
      const ended = once(worker, "exit");
      worker.postMessage("close");
      assert.deepEqual(await ended, [0]);
    });

    it("takes its connections with it when it is terminated, and leaves the process well", async (t) => {
      const { worker, report } = await start(t);
      const ws = await connect(`ws://${host}:${report.port!}/`);
      await ws.write("who");
      await ws.read();
      await worker.terminate();
      await assert.rejects(ws.read());
      const { worker: next, report: other } = await start(t);
      await visited(other.port!);
      await next.terminate();
    });
  });

  describe(`a process with ${transport}s`, () => {
    it("names each connection among its active resources, while it is open", async (t) => {
      const own = await Own.start(t, { role: "server", options });
      const sockets = async (): Promise<number> =>
        (await own.report()).resources!.filter((name) => connectionResource.test(name)).length;
      const before = await sockets();
      const ws = await connect(`ws://${host}:${own.first.port!}/`);
      await until(async () => (await sockets()) === before + 1);
      await ws.close();
      await until(async () => (await sockets()) === before);
      assert.equal((await own.report()).connections, 0);
    });

    for (const end of ["end", "resetAndDestroy"] as const) {
      it(`lives as long as a connection, after it has stopped to listen: ${end}`, async (t) => {
        const own = await Own.start(t, { role: "listener", options });
        const socket = await opened(own.first.port!);
        for (const text of ["one", "two", "three"]) {
          socket.write(text);
          assert.equal(String((await once(socket, "data"))[0]), text);
        }
        assert.equal(own.child.exitCode, null);
        socket.on("error", () => {});
        socket[end]();
        assert.deepEqual(await own.ended, [0, null]);
      });
    }

    it("lives as long as its connection to a server", async (t) => {
      const server = await serve({ port: 0, host, ...options, message: (ws, message) => ws.write(message) });
      t.after(() => server.close());
      const own = await Own.start(t, { role: "client", port: server.port!, options });
      const [ws] = server.sockets;
      assert.ok(own.first.resources!.some((name) => connectionResource.test(name)));
      assert.equal(own.child.exitCode, null);
      await ws!.ping();
      assert.equal(own.child.exitCode, null);
      await ws!.close();
      assert.deepEqual(await own.ended, [0, null]);
    });
  });
}

describe("a process that is handed a listening handle", () => {
  it("serves on it by mount", async (t) => {
    const server = createServer().listen(0, host);
    await once(server, "listening");
    const own = await Own.start(t, { role: "handed" });
    const listens = once(own.child, "message");
    own.child.send("handle", server);
    await listens;
    const { port } = server.address() as AddressInfo;
    server.close();
    const ws = await connect(`ws://${host}:${port}/`);
    await ws.write("over a handle of another process");
    assert.equal(await ws.read(), "over a handle of another process");
    await ws.close();
  });
});

describe("a process under restrictions", () => {
  const has = (flag: string): boolean => allowedNodeEnvironmentFlags.has(flag);
  const permission = has("--permission") ? "--permission" : "--experimental-permission";
  const net = has("--allow-net") ? ["--allow-net"] : [];

  it("uses sockets under the permission model", async (t) => {
    const own = await Own.start(t, { role: "server" }, [permission, "--allow-fs-read=*", ...net]);
    assert.equal(own.first.transport, "socket");
    await visited(own.first.port!);
  });

  it("warns of a deprecation at most once, where that is asked for", async (t) => {
    const own = await Own.start(t, { role: "server" }, ["--pending-deprecation"]);
    assert.equal(own.first.transport, usual);
    await visited(own.first.port!);
    const warnings = own.output.split("\n").filter((line) => line.includes("Warning"));
    assert.ok(warnings.length <= 1 && warnings.every((line) => line.includes("DEP0111")), own.output);
  });

  it("warns of nothing where sockets are asked for", async (t) => {
    const own = await Own.start(t, { role: "server", options: { transport: "socket" } }, ["--pending-deprecation"]);
    await visited(own.first.port!);
    assert.equal(own.output, "");
  });

  it("is not ended by a deprecation that is an error", async (t) => {
    const own = await Own.start(t, { role: "server" }, ["--pending-deprecation", "--throw-deprecation"]);
    await visited(own.first.port!);
  });

  for (const flag of ["--frozen-intrinsics", "--disable-proto=throw", "--disallow-code-generation-from-strings"]) {
    it(`works with ${flag}`, async (t) => {
      const own = await Own.start(t, { role: "server" }, [flag]);
      assert.equal(own.first.transport, usual);
      await visited(own.first.port!);
    });
  }
});
