// A server in a process of its own, which tells how it is. Its end is SIGTERM: it drains, says how, and has nothing more to do.
import { createHook } from "node:async_hooks";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import type { AddressInfo } from "node:net";
import { monitorEventLoopDelay } from "node:perf_hooks";
import {
  mount,
  serve,
  type MountedServer,
  type ServeOptions,
  type ServerWebSocket,
} from "../../../src/server/index.ts";
import { localhost } from "../../support/localhost.ts";
import type { Farewell, Health, Questions, Setup } from "./setup.ts";

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** How often it looks at itself, in milliseconds. */
const watchMs = 20;

const setup = JSON.parse(process.argv[2]!) as Setup;
const delays = monitorEventLoopDelay({ resolution: watchMs });
let memoryAtStart = 0;
let memory = 0;
let blocked = 0;
let bufferedAmount = 0;
const counted = { TCPSERVERWRAP: 0, TCPWRAP: 0, Timeout: 0 };
const kinds = new Map<number, keyof typeof counted>();
const handled: Record<string, number> = {};
let held: (() => void)[] = [];
let server: MountedServer;

const kindsOfServer: Record<Setup["kind"], ServeOptions> = {
  echo: {
    upgrade: (request) =>
      request.path === "/held" ? new Promise((resolve) => held.push(() => resolve({}))) : { data: undefined },
    message: (ws, message) => ws.write(message),
  },
  acknowledge: {
    async message(ws, message) {
      const [client, number] = String(message).split(" ") as [string, string];
      // Some take their time, and others go on meanwhile.
      if (Number(number) % 3 === 0) await nextTurn();
      if (Number(number) !== (handled[client] ?? 0) + 1) throw new Error(`${client}: ${number} is not the next`);
      handled[client] = Number(number);
      ws.send(number);
    },
  },
  topics: {
    open: (ws) => void (ws.request!.path === "/topic" && ws.subscribe("topic")),
    message: (ws, message) => ws.write(message),
  },
  hang: {
    fetch: (request) => (request.url.endsWith("/part") ? new Response(oneOfMany()) : new Promise(() => {})),
  },
};

/** A body that gives one part, and nothing more. */
const oneOfMany = (): ReadableStream => new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(10)) });

const answers: { [Name in keyof Questions]: (given: Questions[Name][0]) => unknown } = {
  stats: () => server.stats(),
  health: (): Health => {
    const handles = counted.TCPWRAP + counted.TCPSERVERWRAP;
    const delay = delays.max / 1e6;
    return {
      memoryAtStart,
      memory,
      blocked,
      delay,
      bufferedAmount,
      handles,
      descriptors: descriptors(),
      timers: counted.Timeout,
    };
  },
  release() {
    const released = held;
    held = [];
    for (const release of released) release();
    return released.length;
  },
  async publish({ size, overflows }) {
    const filler = "x".repeat(size);
    const full = (ws: ServerWebSocket): boolean => ws.request!.query !== "deaf" && ws.bufferedAmount > 0;
    let last = Infinity;
    for (let number = 1; ; number++) {
      server.publish("topic", `${number} ${filler}`);
      lookAtBuffers();
      while ([...server.sockets].some(full)) await nextTurn();
      if (last === Infinity && server.stats().limits.maxBufferedAmount >= overflows) last = number + 100;
      // Without sockets nothing is ever full, and the loop would never let go of the process.
      if (number >= last || server.sockets.size === 0) return number;
    }
  },
};

async function start(): Promise<void> {
  if (setup.counts === true) countHandles();
  const port = setup.mounted === true ? await startMounted() : await startServer();
  process.on("message", ({ id, name, given }: { id: number; name: keyof Questions; given: never }) => {
    void Promise.resolve(answers[name](given)).then((answer) => process.send!({ id, answer }));
  });
  process.once("SIGTERM", () => void end());
  // The test has been killed.
  process.once("disconnect", exit);
  memoryAtStart = memory = process.memoryUsage.rss();
  watch();
  delays.enable();
  process.send!({ port });
}

async function startServer(): Promise<number> {
  const tls = setup.tls === true ? { tls: localhost } : {};
  const serving = await serve({ port: 0, host: "127.0.0.1", ...kindsOfServer[setup.kind], ...tls, ...setup.options });
  server = serving;
  return serving.port!;
}

async function startMounted(): Promise<number> {
  const below = setup.tls === true ? https.createServer(localhost) : http.createServer();
  await once(below.listen(0, "127.0.0.1"), "listening");
  server = mount(below, { ...kindsOfServer[setup.kind], ...setup.options });
  process.once("SIGTERM", () => void below.close());
  return (below.address() as AddressInfo).port;
}

const exit = (): never => process.exit(1);

async function end(): Promise<void> {
  process.off("disconnect", exit);
  const report = await server.drain({ timeout: 20_000 });
  const farewell: Farewell = { report, stats: server.stats(), handled };
  process.send!({ farewell }, () => process.disconnect());
}

/** Looks at memory, and for how long other work has kept it from that. */
function watch(): void {
  let time = performance.now();
  let cpu = process.cpuUsage();
  const timer = setInterval(() => {
    const late = performance.now() - time - watchMs;
    const { user, system } = process.cpuUsage(cpu);
    blocked = Math.max(blocked, Math.min(late, (user + system) / 1000));
    memory = Math.max(memory, process.memoryUsage.rss());
    if (server.sockets.size < 1000) lookAtBuffers();
    time = performance.now();
    cpu = process.cpuUsage();
  }, watchMs);
  timer.unref();
}

function lookAtBuffers(): void {
  for (const ws of server.sockets) bufferedAmount = Math.max(bufferedAmount, ws.bufferedAmount);
}

function descriptors(): number {
  return existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
}

/** All timers, also those that do not keep the process, and all sockets, from their making to their end. */
function countHandles(): void {
  const hook = createHook({
    init(id, type) {
      if (!Object.hasOwn(counted, type)) return;
      kinds.set(id, type as keyof typeof counted);
      counted[type as keyof typeof counted]++;
    },
    destroy(id) {
      const kind = kinds.get(id);
      if (kind !== undefined) counted[kind]--;
      kinds.delete(id);
    },
  });
  hook.enable();
}

await start();
