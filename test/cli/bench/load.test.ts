import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocketServer } from "ws";
import * as http from "node:http";
import { Load } from "../../../src/cli/bench/load.ts";
import type { LoadOptions } from "../../../src/cli/bench/load-options.ts";
import type { Tally } from "../../../src/cli/bench/tally.ts";
import { Response } from "../../../src/http/index.ts";
import { serve, type ServeOptions, type Server } from "../../../src/server/index.ts";
import { VirtualClock } from "../../../src/testing/index.ts";
import { localhost } from "../../support/localhost.ts";
import { listening } from "../../support/listening.ts";
import { echoing, mute, unresponsive } from "../../client/support/servers.ts";
import { until } from "../../core/support/stream-operations.ts";
import { small } from "../support/load-kit.ts";

const open = (options: ServeOptions): Promise<Server> => serve({ port: 0, host: "127.0.0.1", ...options });
const echo: ServeOptions = { message: (ws, message) => ws.write(message), deflate: true };

/** Messages of a load add up: each one that was sent was answered, or it is known why not. */
function checkSum({ sent, received, wrong, lost, pending }: Tally): void {
  assert.equal(sent, received + wrong + lost + pending);
}

async function run(url: string, differences: Partial<LoadOptions> = {}): Promise<Tally> {
  const tally = await new Load(small(url, differences)).run();
  assert.equal(tally.open, 0);
  return tally;
}

/** A load in virtual time, and how to see how far it is. */
function start(url: string, differences: Partial<LoadOptions>) {
  const clock = new VirtualClock();
  const load = new Load(small(url, differences), clock);
  const stop = new AbortController();
  return { clock, tally: load.tally, ended: load.run(stop.signal), stop };
}

describe("Load", () => {
  for (const [what, differences] of [
    ["binary messages", {}],
    ["text", { isText: true }],
    ["compressed messages", { isText: true, size: 1000, client: { ...small("").client, deflate: true } }],
    ["large messages", { size: 300_000 }],
    ["empty messages", { size: 0 }],
    ["one connection", { connections: 1, depth: 1 }],
    ["more places than messages", { connections: 9, opening: 100, depth: 9, messages: 4 }],
  ] as const) {
    it(`sends ${what}, receives all answers, and closes`, async () => {
      const options = small("", differences);
      await using server = await open(echo);
      const tally = await run(server.url.replace("http", "ws"), differences);
      assert.deepEqual(
        [tally.sent, tally.received, tally.wrong, tally.lost],
        [options.messages, options.messages, 0, 0],
      );
      assert.equal(tally.bytesReceived, options.messages * options.size);
      assert.deepEqual(
        [tally.opened, tally.opening.count, tally.closedEarly],
        Array.from([3, 3, 0], (n) => (n === 3 ? options.connections : 0)),
      );
      assert.deepEqual([...tally.closes], [["1000", options.connections]]);
      assert.deepEqual([tally.errors.size, tally.failures.size, tally.latency.count], [0, 0, options.messages]);
      assert.ok(tally.elapsed > 0 && tally.latency.min > 0);
    });
  }

  it("loads a server of the ws package, which counts the same", async () => {
    const server = await echoing();
    const client = { ...small("").client, headers: { "X-Load": "yes" } };
    const tally = await run(`ws://127.0.0.1:${server.port}/a?b`, { client });
    assert.deepEqual([tally.sent, tally.received], [30, 30]);
    assert.deepEqual(
      server.asked.map(({ target, headers }) => [target, headers["x-load"]]),
      Array.from({ length: 3 }, () => ["/a?b", "yes"]),
    );
    await server[Symbol.asyncDispose]();
  });

  it("trusts the certificate given", async () => {
    const server = await echoing({ secure: true });
    const { client } = small("");
    const url = `wss://localhost:${server.port}/`;
    const trusting = await run(url, { client: { ...client, tls: { ca: localhost.cert } } });
    assert.deepEqual([trusting.received, trusting.failures.size], [30, 0]);
    const other = await run(url);
    assert.deepEqual([...other.failures], [["net.bad_certificate", 3]]);
    await server[Symbol.asyncDispose]();
  });

  it("has no more connections opening at once than the limit", async () => {
    let [opening, most] = [0, 0];
    await using server = await open({
      ...echo,
      async upgrade() {
        most = Math.max(most, ++opening);
        await new Promise(setImmediate);
        opening--;
        return undefined;
      },
    });
    const tally = await run(server.url, { connections: 10, opening: 3 });
    assert.equal(tally.opened, 10);
    assert.ok(most <= 3, `${most}`);
  });

  it("goes on with the connections that were not refused", async () => {
    let asked = 0;
    await using server = await open({
      ...echo,
      upgrade: () => (asked++ % 2 === 0 ? undefined : new Response({ status: 503 })),
    });
    const tally = await run(server.url, { connections: 6 });
    assert.deepEqual([tally.opened, tally.received], [3, 30]);
    assert.deepEqual(
      [...tally.failures, ...tally.statuses],
      [
        ["websocket.upgrade_declined", 3],
        ["503", 3],
      ],
    );
  });

  it("counts all as failed if nothing listens, and sends nothing", async () => {
    const server = await open(echo);
    await server.close();
    const tally = await run(server.url);
    assert.deepEqual([tally.opened, tally.sent], [0, 0]);
    assert.deepEqual([...tally.failures], [["net.connection_refused", 3]]);
  });

  it("rejects with misuse", async () => {
    for (const url of ["http", "ftp://a/", "ws://127.0.0.1:1/#x"]) {
      await assert.rejects(new Load(small(url)).run(), { code: "client.bad_url" });
    }
    const { client } = small("");
    const load = new Load(small("ws://127.0.0.1:1/", { client: { ...client, proxy: "ftp://a/" } }));
    await assert.rejects(load.run(), { code: "client.bad_proxy" });
  });

  it("counts messages in flight as lost when the server closes, and ends with the last connection", async () => {
    // Each closes with its sixth message.
    await using server = await open({
      connection: async (ws) => {
        for (let i = 0; i < 5; i++) await ws.write(await ws.read());
        await ws.read();
        await ws.close({ code: 4000, reason: "enough" });
      },
    });
    const tally = await run(server.url);
    checkSum(tally);
    assert.equal(tally.received, 15);
    assert.ok(tally.lost >= 3 && tally.lost <= 6, `${tally.lost}`);
    assert.deepEqual([[...tally.closes], tally.closedEarly], [[["4000", 3]], 3]);
  });

  it("leaves the rest to the others when one connection is dropped", async () => {
    let connections = 0;
    await using server = await open({
      connection: async (ws) => {
        const isBad = connections++ === 0;
        for await (const message of ws) {
          if (isBad) ws.terminate();
          else await ws.write(message);
        }
      },
    });
    const tally = await run(server.url, { depth: 1, messages: 20 });
    checkSum(tally);
    assert.deepEqual([tally.sent, tally.received, tally.lost, tally.closedEarly], [20, 19, 1, 1]);
    assert.deepEqual([tally.closes.get("1006"), tally.closes.get("1000")], [1, 2]);
  });

  it("counts answers that differ", async () => {
    let count = 0;
    await using server = await open({
      message: (ws, message) => {
        const bytes = new Uint8Array(message as Uint8Array);
        if (count++ % 3 === 0) bytes[0] = 0x21;
        return ws.write(bytes);
      },
    });
    const tally = await run(server.url);
    assert.deepEqual([tally.sent, tally.wrong, tally.received, tally.lost], [30, 10, 20, 0]);
  });

  it("gives up on a server that sends nothing for the timeout", async () => {
    await using server = await open({ message: () => {} });
    const { clock, tally, ended } = start(server.url, {});
    await until(() => tally.sent === 6);
    await clock.advance(9999);
    assert.equal(tally.lost, 0);
    await clock.advance(1);
    await ended;
    assert.deepEqual([tally.sent, tally.received, tally.lost, tally.elapsed], [6, 0, 6, 10_000]);
    assert.deepEqual([...tally.closes], [["1006", 3]]);
    assert.deepEqual([tally.errors.size, clock.pending], [0, 0]);
  });

  it("ends on time even without any answer", async () => {
    await using server = await open({ message: () => {} });
    const { clock, tally, ended } = start(server.url, { messages: Infinity, duration: 20_000 });
    await until(() => tally.sent === 6);
    await clock.advance(20_000);
    await ended;
    assert.deepEqual([tally.sent, tally.lost, tally.elapsed, clock.pending], [6, 6, 20_000, 0]);
  });

  it("waits for answers in flight at the end", async () => {
    const answers: (() => void)[] = [];
    await using server = await open({ message: (ws, message) => void answers.push(() => ws.send(message)) });
    const { clock, tally, ended } = start(server.url, { messages: Infinity, duration: 5000, depth: 1 });
    await until(() => answers.length === 3);
    await clock.advance(5000);
    await clock.advance(1000);
    for (const answer of answers) answer();
    await ended;
    assert.deepEqual([tally.sent, tally.received, tally.lost, answers.length], [3, 3, 0, 3]);
    assert.deepEqual([tally.latency.min, tally.elapsed], [6000, 6000]);
  });

  it("gives up on a server that does not answer the handshake", async () => {
    const server = await mute();
    const { clock, tally, ended } = start(`ws://127.0.0.1:${server.port}/`, { opening: 3 });
    await until(() => server.connections === 3);
    await clock.advance(10_000);
    await ended;
    assert.deepEqual([tally.opened, [...tally.failures], clock.pending], [0, [["core.timeout", 3]], 0]);
    await server[Symbol.asyncDispose]();
  });

  it("sends at a rate, in turn, and counts latency from when a message was due", async () => {
    let stopped = false;
    const answers: (() => void)[] = [];
    const perConnection = new Map<unknown, number>();
    await using server = await open({
      message: (ws, message) => {
        perConnection.set(ws, (perConnection.get(ws) ?? 0) + 1);
        if (stopped) answers.push(() => ws.send(message));
        else ws.send(message);
      },
    });
    const { clock, tally, ended } = start(server.url, { rate: 100, messages: Infinity, duration: 1000, depth: 1 });
    await until(() => tally.received === 1);
    for (let i = 1; i < 60; i++) {
      await clock.advance(10);
      await until(() => tally.received === i + 1);
    }
    assert.deepEqual([...perConnection.values()], [20, 20, 20]);
    assert.equal(tally.latency.max, 0);
    // From now on there are three places; what is due behind that waits, and its time runs.
    stopped = true;
    await clock.advance(200);
    await until(() => answers.length === 3);
    assert.equal(tally.sent, 63);
    stopped = false;
    for (const answer of answers) answer();
    await until(() => tally.received === 80);
    // Due at 600 to 790, answered at 790.
    assert.deepEqual([tally.latency.max, tally.latency.count], [190, 80]);
    assert.equal(Math.round(tally.latency.mean * 80), (190 * 20) / 2);
    await clock.advance(210);
    await ended;
    assert.deepEqual([tally.sent, tally.received, tally.unsent], [100, 100, 0]);
  });

  it("counts messages that were due and could not be sent", async () => {
    await using server = await open({ message: () => {} });
    const { clock, tally, ended } = start(server.url, { rate: 10, messages: Infinity, duration: 20_000 });
    await until(() => tally.sent === 1);
    await clock.advance(20_000);
    await clock.advance(10_000);
    await ended;
    assert.deepEqual([tally.sent, tally.lost, tally.unsent, clock.pending], [6, 6, 194, 0]);
  });

  it("counts nothing while it warms up", async () => {
    await using server = await open(echo);
    const options = { rate: 10, warmup: 1000, duration: 1000, messages: Infinity };
    const { clock, tally, ended } = start(server.url, options);
    await until(() => tally.open === 3 && clock.pending > 0);
    await clock.advance(999);
    assert.deepEqual([tally.sent, tally.received, tally.latency.count], [0, 0, 0]);
    for (let at = 1000; at < 2000; at += 100) {
      await clock.advance(at === 1000 ? 1 : 100);
      await until(() => tally.received === (at - 900) / 100);
    }
    await clock.advance(100);
    await ended;
    assert.deepEqual([tally.sent, tally.received, tally.elapsed], [10, 10, 1000]);
  });

  it("holds connections open and sends nothing at rate 0", async () => {
    let messages = 0;
    await using server = await open({ message: () => void messages++ });
    const { clock, tally, ended } = start(server.url, { rate: 0, messages: Infinity, duration: 60_000 });
    await until(() => server.connections === 3 && clock.pending > 0 && tally.since < Infinity);
    await clock.advance(59_999);
    assert.equal(tally.open, 3);
    await clock.advance(1);
    await ended;
    assert.deepEqual([messages, tally.sent, tally.elapsed, [...tally.closes]], [0, 0, 60_000, [["1000", 3]]]);
  });

  it("only sends if no answers are expected, as fast as there is room", async () => {
    let [count, size] = [0, 0];
    await using server = await open({
      message: (_, message) => {
        count++;
        size += message.length;
      },
    });
    const tally = await run(server.url, { echo: false, size: 1000, messages: 1000 });
    // The close went behind all of it.
    assert.deepEqual([tally.sent, tally.received, count, size], [1000, 0, 1000, 1_000_000]);
    assert.deepEqual([tally.lost, [...tally.closes]], [0, [["1000", 3]]]);
  });

  it("counts received messages if no answers are expected, and compares nothing", async () => {
    await using server = await open({ message: (ws) => ws.write("news") });
    const options = { echo: false, rate: 1, messages: Infinity, duration: 3000 };
    const { clock, tally, ended } = start(server.url, options);
    for (let i = 1; i <= 3; i++) {
      await until(() => tally.received === i);
      await clock.advance(1000);
    }
    await ended;
    assert.deepEqual([tally.sent, tally.received, tally.bytesReceived], [3, 3, 12]);
    assert.deepEqual([tally.wrong, tally.unasked, tally.lost, tally.latency.count], [0, 0, 0, 0]);
  });

  for (const isLoud of [false, true]) {
    for (const [what, differences] of [
      ["answers are expected", {}],
      ["no answers are expected", { echo: false, messages: 100 }],
      ["connections are only held open", { rate: 0, messages: Infinity, duration: 60_000 }],
    ] as const) {
      const shouts = isLoud ? ", and sends messages all the time" : "";
      it(`ends when ${what}, and the server answers no message, ping and close${shouts}`, async () => {
        await using server = await unresponsive({ isLoud });
        const { clock, tally, ended } = start(`ws://127.0.0.1:${server.port}/`, differences);
        let hasEnded = false;
        const end = ended.then(() => (hasEnded = true));
        await until(
          () => hasEnded,
          () => clock.advance(100),
        );
        await end;
        assert.deepEqual([tally.opened, tally.open, tally.received * Number(!isLoud)], [3, 0, 0]);
        assert.equal(clock.pending, 0);
      });
    }
  }

  it("ends early when interrupted, and waits for no answers", async () => {
    await using server = await open({ message: () => {} });
    const { clock, tally, ended, stop } = start(server.url, { messages: Infinity });
    await until(() => tally.sent === 6);
    stop.abort();
    await ended;
    checkSum(tally);
    assert.deepEqual([tally.interrupted, tally.pending, tally.lost, clock.pending], [true, 6, 0, 0]);
    assert.deepEqual([...tally.closes], [["1000", 3]]);
  });

  it("ends early while opening, without counting failures", async () => {
    const server = await mute();
    const { clock, tally, ended, stop } = start(`ws://127.0.0.1:${server.port}/`, { connections: 100 });
    await until(() => server.connections === 2);
    stop.abort();
    await ended;
    assert.deepEqual([tally.interrupted, tally.opened, tally.failures.size, clock.pending], [true, 0, 0, 0]);
    await server[Symbol.asyncDispose]();
    assert.equal(server.accepted, 2);
  });

  it("does not wait long for peers that do not close after an interrupt", async () => {
    const server = http.createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (ws) => {
      ws.on("error", () => {});
      ws.pause();
    });
    const listens = await listening(server);
    const { clock, tally, ended, stop } = start(`ws://127.0.0.1:${listens.port}/`, { messages: Infinity });
    await until(() => tally.sent === 6);
    stop.abort();
    await clock.advance(2000);
    await ended;
    assert.deepEqual([[...tally.closes], clock.pending], [[["1006", 3]], 0]);
    for (const ws of sockets.clients) ws.terminate();
    await listens[Symbol.asyncDispose]();
  });
});
