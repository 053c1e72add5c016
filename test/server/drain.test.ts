import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { existsSync } from "node:fs";
import * as net from "node:net";
import { describe, test } from "node:test";
import { Response } from "../../src/http/index.ts";
import { serve, type DrainOptions, type DrainReport, type ServeOptions, type Server } from "../../src/server/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import { withPath } from "../net/support/sockets.ts";
import { localhost } from "../support/localhost.ts";
import { quiet } from "../support/quiet.ts";
import { requestBytes } from "../websocket/support/requests.ts";
import { until } from "../support/until.ts";
import { connect, hubOf, leave, opened, type Client } from "./support/kit.ts";

const noReport = { closed: 0, lost: 0, terminated: 0, finished: 0, cut: 0, duration: 0 };

/** A report, once it is there. */
function reportOf(drained: Promise<DrainReport>): { report: DrainReport | undefined } {
  const state: { report: DrainReport | undefined } = { report: undefined };
  void drained.then((report) => (state.report = report));
  return state;
}

describe("of WebSockets", () => {
  test("closes with 1001, or the code given, after queued messages", async () => {
    for (const [options, frame] of [
      [undefined, "close 1001"],
      [{ code: 1012, reason: "again soon" }, "close 1012again soon"],
      [{ reason: "why" }, "close 1001why"],
      [{ code: undefined, reason: undefined, timeout: undefined, jitter: undefined }, "close 1001"],
    ] as const) {
      const { hub, clock } = hubOf();
      const one = await opened(hub);
      one.ws.send("last words");
      const state = reportOf(hub.drain(options));
      await quiet();
      assert.deepEqual(one.peer.frames, ["text last words", frame]);
      assert.equal(state.report, undefined);
      await clock.advance(10);
      await leave(one);
      assert.deepEqual(state.report, { ...noReport, closed: 1, duration: 10 });
      assert.equal(clock.pending, 0);
    }
  });

  test("reports how each has ended", async () => {
    const { hub, clock } = hubOf();
    const [polite, gone, silent, reset] = [await opened(hub), await opened(hub), await opened(hub), await opened(hub)];
    const state = reportOf(hub.drain({ timeout: 900 }));
    await leave(polite);
    gone.peer.stream.end();
    reset.peer.stream.reset();
    await clock.advance(899);
    assert.equal(state.report, undefined);
    await clock.advance(1);
    assert.deepEqual(state.report, { ...noReport, closed: 1, lost: 2, terminated: 1, duration: 900 });
    assert.ok(!silent.ws.isOpen);
    assert.deepEqual([hub.sockets.size, clock.pending], [0, 0]);
  });

  test("gives up a peer that never answers the close after timeouts.handshake", async () => {
    const { hub, clock } = hubOf();
    await opened(hub);
    const state = reportOf(hub.drain({ timeout: 100_000 }));
    await clock.advance(1000);
    assert.deepEqual(state.report, { ...noReport, lost: 1, duration: 1000 });
    assert.equal(clock.pending, 0);
  });

  test("with a timeout of 0 sends each its close, and cuts it off", async () => {
    const { hub, clock } = hubOf();
    const one = await opened(hub);
    const state = reportOf(hub.drain({ timeout: 0 }));
    await clock.advance(0);
    assert.deepEqual(state.report, { ...noReport, terminated: 1 });
    await quiet();
    assert.deepEqual(one.peer.frames, ["close 1001"]);
    assert.equal(clock.pending, 0);
  });

  test("without a timeout waits as long as it takes", async () => {
    const { hub, clock } = hubOf({ timeouts: { handshake: Infinity } });
    const one = await opened(hub);
    const state = reportOf(hub.drain({ timeout: Infinity }));
    await clock.advance(1e9);
    assert.equal(state.report, undefined);
    assert.equal(hub.drainingResponse(one.ws.request!, undefined).headers.get("Retry-After"), "30");
    await leave(one);
    assert.deepEqual(state.report, { ...noReport, closed: 1, duration: 1e9 });
    assert.equal(clock.pending, 0);
  });

  test("is over at once if nothing has connected", async () => {
    const { hub, clock } = hubOf();
    assert.deepEqual(await hub.drain({ jitter: 10, timeout: 20 }), noReport);
    assert.equal(clock.pending, 0);
    // And stays over.
    assert.deepEqual(await hub.drain({ timeout: 1 }), noReport);
    assert.equal(clock.pending, 0);
  });

  test("works inside a handler: of an opening socket, of a message, of the close", async () => {
    for (const handler of ["open", "message", "close"] as const) {
      let drained: Promise<DrainReport> | undefined;
      const { hub, clock } = hubOf({ [handler]: () => void (drained ??= hub.drain(undefined)) });
      const [one, other] = [await opened(hub), await opened(hub)];
      if (handler === "message") await one.peer.write(Uint8Array.of(0x81, 0x80, 0, 0, 0, 0));
      if (handler === "close") await leave({ ...one, peer: (void one.ws.close(), one.peer) });
      await quiet();
      for (const client of handler === "close" ? [other] : [one, other]) await leave(client);
      const report = await drained!;
      assert.equal(report.closed, handler === "close" ? 1 : 2);
      assert.equal(clock.pending, 0);
    }
  });
});

describe("in the middle of a handshake", () => {
  test("a socket opens, and is closed at once", async () => {
    let admit!: () => void;
    const { hub, clock } = hubOf({ upgrade: () => new Promise<void>((resolve) => (admit = resolve)) });
    const one = connect(hub);
    const state = reportOf(hub.drain(undefined));
    await quiet();
    assert.deepEqual([one.peer.response, state.report], [undefined, undefined]);
    admit();
    await quiet();
    assert.equal(one.peer.response?.status, 101);
    assert.deepEqual(one.peer.frames, ["close 1001"]);
    await leave(one);
    assert.deepEqual(state.report, { ...noReport, closed: 1 });
    assert.equal(clock.pending, 0);
  });

  test("and then has timeouts.handshake to answer", async () => {
    let admit!: () => void;
    const { hub, clock } = hubOf({
      upgrade: () => new Promise<void>((resolve) => (admit = resolve)),
      timeouts: { idle: 10_000 },
    });
    connect(hub);
    const state = reportOf(hub.drain({ timeout: 100_000 }));
    await clock.advance(500);
    admit();
    await clock.advance(1000);
    assert.deepEqual(state.report, { ...noReport, lost: 1, duration: 1500 });
    assert.equal(clock.pending, 0);
  });

  test("a refused one counts as a request, not as a WebSocket", async () => {
    let decide!: (response: Response) => void;
    const { hub, clock } = hubOf({ upgrade: () => new Promise<Response>((resolve) => (decide = resolve)) });
    const one = connect(hub);
    const state = reportOf(hub.drain(undefined));
    decide(new Response({ status: 401 }));
    await quiet();
    one.peer.stream.end();
    await quiet();
    assert.equal(one.peer.response?.status, 401);
    assert.deepEqual(state.report, { ...noReport, finished: 1 });
    assert.equal(clock.pending, 0);
  });

  test("an upgrade hook that never settles ends at the deadline of the handshake, or of the drain", async () => {
    for (const [timeout, report] of [
      [2000, { ...noReport, finished: 1, duration: 1000 }],
      [500, { ...noReport, cut: 1, duration: 500 }],
    ] as const) {
      const { hub, clock } = hubOf({ upgrade: () => new Promise<void>(() => {}) });
      connect(hub);
      const state = reportOf(hub.drain({ timeout }));
      await clock.advance(timeout);
      assert.deepEqual(state.report, report);
      assert.equal(clock.pending, 0);
      // That it was cut off is no failure of its own.
      assert.deepEqual(hub.statistics().errors, timeout === 500 ? {} : { "core.timeout": 1 });
    }
  });
});

describe("jitter", () => {
  async function closedAt(clients: readonly Client[], clock: VirtualClock, ms: number): Promise<number[]> {
    const times: number[] = [];
    const seen = new Set<Client>();
    for (let passed = 0; passed <= ms; passed += 10) {
      for (const client of clients) {
        if (!seen.has(client) && client.peer.frames.length > 0) {
          seen.add(client);
          times.push(clock.now());
        }
      }
      await clock.advance(10);
    }
    return times;
  }

  test("an aborted signal ends all that remain, also those that wait for their random time", async () => {
    for (const when of ["before", "later", "in a second call"] as const) {
      const { hub, clock } = hubOf();
      const clients = [await opened(hub), await opened(hub)];
      const controller = new AbortController();
      const { signal } = controller;
      if (when === "before") controller.abort();
      const drained = hub.drain({ jitter: 1000, ...(when !== "in a second call" && { signal }) });
      if (when === "in a second call") void hub.drain({ signal });
      const state = reportOf(drained);
      await quiet();
      if (when !== "before") {
        assert.equal(state.report, undefined);
        controller.abort();
        await quiet();
      }
      assert.deepEqual([state.report?.terminated, hub.sockets.size], [clients.length, 0]);
      assert.deepEqual([clock.pending, getEventListeners(signal, "abort").length], [0, 0]);
    }
    const { hub } = hubOf();
    assert.throws(() => void hub.drain({ signal: 5 as unknown as AbortSignal }), { code: "core.invalid_argument" });
  });

  test("spreads the closes over its jitter, and sends each once", async () => {
    const { hub, clock } = hubOf({ timeouts: { handshake: 100_000 } });
    const clients = await Promise.all(Array.from({ length: 100 }, () => opened(hub)));
    const state = reportOf(hub.drain({ timeout: 5000, jitter: 1000 }));
    const times = await closedAt(clients, clock, 1000);
    assert.equal(times.length, 100);
    // All of a hundred in one half: once in 10^30.
    assert.ok(times.some((time) => time <= 500) && times.some((time) => time > 500));
    for (const client of clients) {
      await leave(client);
      assert.deepEqual(client.peer.frames, ["close 1001"]);
    }
    assert.equal(state.report?.closed, 100);
    assert.equal(clock.pending, 0);
  });

  test("closes sockets that open meanwhile, and keeps nothing of one that leaves early", async () => {
    let admit!: () => void;
    const { hub, clock } = hubOf({
      upgrade: () => new Promise<void>((resolve) => (admit = resolve)),
      timeouts: { handshake: 100_000 },
    });
    const late = connect(hub);
    const state = reportOf(hub.drain({ timeout: 5000, jitter: 1000 }));
    await clock.advance(990);
    admit();
    await quiet();
    await clock.advance(10);
    assert.deepEqual(late.peer.frames, ["close 1001"]);
    await leave(late);
    assert.equal(state.report?.closed, 1);

    const other = hubOf();
    const leaver = await opened(other.hub);
    const second = reportOf(other.hub.drain({ timeout: 5000, jitter: 4999 }));
    leaver.peer.stream.end();
    await quiet();
    assert.equal(second.report?.lost, 1);
    assert.deepEqual([clock.pending, other.clock.pending], [0, 0]);
  });

  test("closes waiting sockets sooner after a second call, and cuts none off without a close", async () => {
    const { hub, clock } = hubOf({ timeouts: { handshake: 100_000 } });
    const clients = await Promise.all(Array.from({ length: 20 }, () => opened(hub)));
    const state = reportOf(hub.drain({ timeout: 1e9, jitter: 1e8 }));
    await clock.advance(1);
    void hub.drain({ timeout: 1000, jitter: 100 });
    await clock.advance(100);
    for (const client of clients) assert.deepEqual(client.peer.frames, ["close 1001"]);
    void hub.drain({ timeout: 500 });
    await clock.advance(500);
    assert.deepEqual(state.report, { ...noReport, terminated: 20, duration: 601 });
    assert.equal(clock.pending, 0);
  });
});

test("reports whole milliseconds even if the clock has fractions", async () => {
  const { hub, clock } = hubOf();
  const { ws } = await opened(hub);
  const state = reportOf(hub.drain({}));
  await clock.advance(702.366604);
  ws.terminate();
  await quiet();
  assert.deepEqual(state.report, { ...noReport, lost: 1, duration: 702 });
});

describe("a second call", () => {
  test("gets the same report, and makes it sooner", async () => {
    const { hub, clock } = hubOf();
    await opened(hub);
    const first = hub.drain({ timeout: 900, code: 1012 });
    const second = hub.drain({ timeout: 100, code: 4000 });
    assert.equal(first, second);
    await clock.advance(100);
    assert.deepEqual(await first, { ...noReport, terminated: 1, duration: 100 });
    assert.equal(clock.pending, 0);
  });

  test("never makes it later", async () => {
    const { hub, clock } = hubOf();
    const { peer } = await opened(hub);
    const first = reportOf(hub.drain({ timeout: 100 }));
    await clock.advance(50);
    for (const options of [undefined, { timeout: Infinity }, { timeout: 10_000, jitter: 5000 }])
      void hub.drain(options);
    assert.equal(hub.drainingResponse(undefined as never, undefined).headers.get("Retry-After"), "1");
    await clock.advance(50);
    assert.deepEqual(first.report, { ...noReport, terminated: 1, duration: 100 });
    assert.deepEqual(peer.frames, ["close 1001"]);
    assert.equal(clock.pending, 0);
  });
});

const wrongs: [unknown, RegExp][] = [
  [5, /plain object/],
  [null, /plain object/],
  [new Date(), /plain object/],
  [{ timout: 1 }, /did you mean timeout/],
  [{ timeout: -1 }, /timeout must be/],
  [{ timeout: Number.NaN }, /timeout must be/],
  [{ timeout: "1" }, /timeout must be/],
  [{ jitter: -1 }, /jitter must be/],
  [{ jitter: 30_000 }, /less than timeout/],
  [{ jitter: 10, timeout: 10 }, /less than timeout/],
  [{ jitter: 1, timeout: 0 }, /less than timeout/],
  [{ jitter: Infinity, timeout: Infinity }, /jitter must be/],
  [{ jitter: Number.NaN }, /jitter must be/],
  [{ code: 999 }, /999/],
  [{ code: 1006 }, /1006/],
  [{ code: "1000" }, /code/],
  [{ reason: "x".repeat(124) }, /123/],
  [{ reason: 5 }, /reason/],
];

const local = { port: 0, host: "127.0.0.1" };

/** Connects to a server, and sends bytes. */
async function dial(server: Server, bytes: Uint8Array | string = ""): Promise<net.Socket & { received: string }> {
  const socket = net.connect(
    server.address.unix === undefined ? { port: server.port! } : { path: server.address.unix },
  );
  socket.on("error", () => {});
  const state = Object.assign(socket, { received: "" });
  socket.on("data", (chunk: Buffer) => (state.received += chunk.toString("latin1")));
  await once(socket, "connect");
  if (bytes.length > 0) socket.write(bytes);
  return state;
}

const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

describe("of a server that listens", () => {
  for (const [wrong, message] of wrongs) {
    test(`${JSON.stringify(wrong)} rejects, before anything was done`, async () => {
      await using server = await serve(local);
      for (const call of [() => server.drain(wrong as DrainOptions), () => server.drain(wrong as DrainOptions)]) {
        await assert.rejects(call(), { code: "core.invalid_argument", message });
      }
      const socket = await dial(server, get);
      await until(() => socket.received !== "");
      assert.match(socket.received, / 426 /);
      socket.destroy();
      const drained = server.drain();
      await assert.rejects(server.drain(wrong as DrainOptions), { code: "core.invalid_argument", message });
      await drained;
    });
  }

  test("refuses new connections; on existing ones it answers a last request each, and upgrades with 503", async () => {
    const clock = new VirtualClock();
    const server = await serve({ ...local, clock, message: () => {}, fetch: () => new globalThis.Response("hello") });
    const ws = await dial(server, requestBytes());
    const [plain, upgrading, idle] = [await dial(server, get), await dial(server, get), await dial(server)];
    await until(
      () => ws.received !== "" && plain.received !== "" && upgrading.received !== "" && server.connections === 4,
    );
    const state = reportOf(server.drain({ timeout: 20_000 }));
    plain.received = upgrading.received = "";
    plain.write(get + get);
    upgrading.write(requestBytes());
    for (const socket of [plain, upgrading]) {
      await once(socket, "end");
      assert.equal(socket.received.match(/\r\nConnection: close\r\n/g)?.length, 1);
      socket.end();
    }
    // The second one has no answer, which tells the client that it was not processed (RFC 9112 section 9.6).
    assert.match(plain.received, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhello$/);
    assert.match(upgrading.received, /^HTTP\/1\.1 503 Service Unavailable\r\nRetry-After: 20\r\n/);
    await assert.rejects(once(net.connect(server.port!, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
    // One that has not asked yet is kept for as long as there are WebSockets.
    assert.ok(!idle.destroyed);
    assert.equal(server.stats().refused.draining, 1);
    ws.destroy();
    await until(() => state.report !== undefined);
    assert.deepEqual(state.report, { ...noReport, lost: 1, finished: 3 });
    assert.equal(clock.pending, 0);
    idle.destroy();
  });

  test("an idle connection is not cut if a WebSocket lasts until the timeout, nor one whose last response is sent", async () => {
    const clock = new VirtualClock();
    const fetch = (request: globalThis.Request): Promise<globalThis.Response> =>
      request.url.endsWith("/never") ? new Promise(() => {}) : Promise.resolve(new globalThis.Response("hello"));
    const server = await serve({ ...local, clock, fetch, tls: localhost, plain: true });
    const silent = await dial(server, requestBytes());
    const [idle, fresh, busy] = [
      await dial(server, get),
      await dial(server),
      await dial(server, get.replace("/", "/never")),
    ];
    // It reads its last response, but does not end its side.
    const last = net.connect({ port: server.port!, host: "127.0.0.1", allowHalfOpen: true });
    last.write(get.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    await once(last.resume(), "end");
    await until(() => silent.received !== "" && idle.received !== "" && server.connections === 5);
    await until(() => server.stats().requests === 3);
    const state = reportOf(server.drain({ timeout: 1000 }));
    await quiet(3);
    await clock.advance(1000);
    await until(() => state.report !== undefined);
    assert.deepEqual(state.report, { ...noReport, terminated: 1, finished: 3, cut: 1, duration: 1000 });
    for (const socket of [silent, idle, fresh, last, busy]) socket.destroy();
  });

  test("waits for a response being made, and cuts it off at the timeout", async () => {
    for (const cut of [false, true]) {
      const clock = new VirtualClock();
      let respond!: (response: globalThis.Response) => void;
      const fetch = (): Promise<globalThis.Response> => new Promise((resolve) => (respond = resolve));
      const server = await serve({ ...local, clock, fetch });
      const socket = await dial(server, get);
      await until(() => respond !== undefined);
      const state = reportOf(server.drain({ timeout: 100 }));
      await quiet();
      assert.equal(state.report, undefined);
      if (cut) await clock.advance(100);
      else {
        respond(new globalThis.Response("at last"));
        // The server, if it watches for the client's end, waits for that before its own.
        await until(() => socket.received.endsWith("at last"));
        assert.match(socket.received, /\r\nConnection: close\r\n.*at last$/s);
        socket.end();
      }
      await until(() => state.report !== undefined);
      assert.deepEqual(state.report, { ...noReport, ...(cut ? { cut: 1, duration: 100 } : { finished: 1 }) });
      socket.destroy();
      assert.equal(server.connections, 0);
      assert.equal(clock.pending, 0);
    }
  });

  for (const [what, options, bytes] of [
    ["half a PROXY header", { proxyProtocol: true }, "PROXY TCP4 192"],
    ["nothing yet, where one may", { proxyProtocol: "optional" }, ""],
  ] as const) {
    test(`is not delayed by a connection that has sent ${what}`, async () => {
      const clock = new VirtualClock();
      const server = await serve({ ...local, ...(options as ServeOptions), clock });
      const socket = await dial(server, bytes);
      // A reset too is an end.
      const end = new Promise((resolve) => socket.once("close", resolve));
      await until(() => server.connections === 1);
      assert.deepEqual(await server.drain(), { ...noReport, finished: 1 });
      await end;
      assert.deepEqual(server.stats().errors, {});
      assert.equal(clock.pending, 0);
    });
  }

  test("removes a Unix socket's file, and drains its connections", async () => {
    await withPath(async (path) => {
      const clock = new VirtualClock();
      const server = await serve({ unix: path, clock, message: () => {} });
      const ws = await dial(server, requestBytes());
      await until(() => ws.received.includes("101"));
      const drained = server.drain();
      await until(() => ws.received.endsWith("\x88\x02\x03\xe9"));
      assert.ok(!existsSync(path));
      ws.end(Uint8Array.of(0x88, 0x80, 0, 0, 0, 0));
      assert.deepEqual(await drained, { ...noReport, closed: 1 });
      assert.equal(clock.pending, 0);
    });
  });

  test("is what await using does, and close may be called before, meanwhile and afterwards", async () => {
    const clock = new VirtualClock();
    let port: number;
    {
      await using server = await serve({ ...local, clock });
      port = server.port!;
      const socket = await dial(server, get);
      await until(() => socket.received !== "");
      await Promise.all([server.close(), server.close(), server.drain({ timeout: 5 })]);
      await server.close();
    }
    await assert.rejects(once(net.connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
    assert.equal(clock.pending, 0);
  });

  test("leaves no listener on its signals", async () => {
    const made: AbortSignal[] = [];
    const Original = globalThis.AbortController;
    globalThis.AbortController = class extends Original {
      constructor() {
        super();
        made.push(this.signal);
      }
    };
    try {
      const server = await serve({ ...local, proxyProtocol: "optional" });
      const sockets = await Promise.all(Array.from({ length: 20 }, () => dial(server, get)));
      await until(() => sockets.every(({ received }) => received !== ""));
      assert.ok(made.some((signal) => getEventListeners(signal, "abort").length > 0));
      for (const socket of sockets) socket.destroy();
      await until(() => server.connections === 0);
      assert.deepEqual(
        made.map((signal) => getEventListeners(signal, "abort").length),
        made.map(() => 0),
      );
      await server.close();
    } finally {
      globalThis.AbortController = Original;
    }
  });
});
