// What the programs share: each is a process that is started with its options as JSON, says on a line of standard output
// where it listens, and then answers questions, lines of JSON both ways. It ends with its parent.
import { readFileSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import process from "node:process";

// An application's heap, of some 10 megabytes. In a smaller one a few kilobytes of loaded code, or chance, decide whether V8
// collects payloads in the young generation or marks all of the heap each time: an echo of 1 MiB then costs 1.1 or 2 ms.
globalThis.application = Array.from({ length: 100_000 }, (_, id) => ({
  id,
  name: `an object of an application, ${id}`,
}));

/** What the parent asked for: a mode, and what goes with it. */
export const options = JSON.parse(process.argv[2]);

export const host = "127.0.0.1";
export const greeting = "Hello, world!\n";

/** The version of an installed package. */
export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
}

/** Processor time of this process until now, and resident memory. */
function usage() {
  return { cpu: process.cpuUsage(), memory: process.memoryUsage().rss };
}

/** Resident memory once the collector has been through. */
async function idleMemory() {
  for (let i = 0; i < 6; i++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { memory: process.memoryUsage().rss };
}

function collectGarbage() {
  if (globalThis.Bun === undefined) globalThis.gc?.();
  else globalThis.Bun.gc(true);
}

const delays = globalThis.Bun === undefined ? monitorEventLoopDelay({ resolution: 1 }) : undefined;

/** Begins to look at how late the event loop is. */
function watchDelay() {
  delays.reset();
  delays.enable();
  return {};
}

/** How late it was since then, at most and at the 99th percentile, in microseconds. */
function delay() {
  delays.disable();
  return { delay: delays.max / 1000, delay99: delays.percentile(99) / 1000 };
}

/** Says that this process is ready, and answers questions from then on; `answers` has those of this program. */
export function ready(about, answers = {}) {
  const all = { usage, idleMemory, watchDelay, delay, ...answers };
  const answer = async (line) => {
    const { question, ...details } = JSON.parse(line);
    process.stdout.write(`${JSON.stringify(await all[question](details))}\n`);
  };
  let text = "";
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (chunk) => {
    const lines = (text + chunk).split("\n");
    text = lines.pop();
    for (const line of lines) void answer(line);
  });
  process.stdin.on("end", () => process.exit(0));
  process.stdout.write(`${JSON.stringify(about)}\n`);
}

/** How many messages a client has in flight on a connection. */
const { depth = 1 } = options;

/**
 * The question `run` of a client: keeps one operation of each kind in flight for so many milliseconds. An operation calls
 * what it is given when it is done. It may consist of several that count, all of which begin and end at once.
 */
export function runner(operations, each = 1) {
  return {
    run: ({ milliseconds }) =>
      new Promise((resolve) => {
        const latencies = [];
        let left = operations.length;
        const before = process.cpuUsage();
        const began = performance.now();
        const until = began + milliseconds;
        const keepGoing = (operate) => {
          let start = performance.now();
          const done = () => {
            const now = performance.now();
            latencies.push(Math.round((now - start) * 1000));
            if (now < until) {
              start = now;
              operate(done);
            } else if (--left === 0) {
              resolve({ cpu: process.cpuUsage(before), milliseconds: now - began, latencies, each });
            }
          };
          operate(done);
        };
        for (const operate of operations) keepGoing(operate);
      }),
  };
}

/** What an echo client sends: texts in turn, or bytes. */
export function messageOf(number) {
  return options.texts?.[number % options.texts.length] ?? bytes;
}
const bytes = Uint8Array.from({ length: options.size ?? 0 }, (_, i) => i * 31);

/**
 * A client's connection that sends `depth` messages and waits for all of them to return. `send` sends one; what comes
 * goes to `received`, which looks at the first one.
 */
export class EchoClient {
  #send;
  #next = 0;
  #missing = 0;
  #done;

  constructor(send) {
    this.#send = send;
  }

  /** Fails unless the first message comes back as it is. */
  async check() {
    const sent = Buffer.from(messageOf(0));
    this.#missing = 1;
    const returned = new Promise((resolve) => (this.#done = resolve));
    this.#send(messageOf(0));
    if (!sent.equals(Buffer.from(await returned))) throw new Error("what came back is not what was sent");
  }

  operation = (done) => {
    this.#done = done;
    this.#missing = depth;
    for (let i = 0; i < depth; i++) this.#send(messageOf(this.#next++));
  };

  received = (data) => {
    if (--this.#missing === 0) this.#done(data);
  };
}

/** Opens a client's connections, tries each one, and says that it is ready. */
export async function readyClients(version, open) {
  const clients = await Promise.all(Array.from({ length: options.connections }, open));
  for (const client of clients) await client.check();
  ready(
    { version },
    runner(
      clients.map(({ operation }) => operation),
      depth,
    ),
  );
}

/** The question `open` of a client: opens so many connections more, some at once, and keeps them. */
export function opener(open) {
  const kept = [];
  return {
    open: async ({ connections }) => {
      const until = kept.length + connections;
      let begun = kept.length;
      const some = async () => {
        while (begun++ < until) kept.push(await open());
      };
      await Promise.all(Array.from({ length: 32 }, some));
      return { open: kept.length };
    },
  };
}

/** Broadcasts: so many rounds of `each` messages, one round in each turn of the event loop. */
export function broadcaster(publish) {
  return {
    broadcast: async ({ rounds, size, each }) => {
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < each; i++) publish(new Uint8Array(size).fill(round * each + i));
        await new Promise((resolve) => setImmediate(resolve));
      }
      return {};
    },
  };
}
