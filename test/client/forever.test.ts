import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { connect, type ForeverOptions, type Retry } from "../../src/client/index.ts";
import type { CloseInfo, ServalError, Timer } from "../../src/core/index.ts";
import { serve, type Server } from "../../src/server/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";
import type { Stream, Timeouts } from "../../src/websocket/index.ts";
import { isStuck, turns, until } from "../core/support/stream-operations.ts";
import { answering, mute, silent } from "./support/servers.ts";

/** Waits whose length is known. */
const steady = { jitter: "none" } as const;

/** A clock that knows which of its timers were waits between attempts: all but the handshakes' deadlines. */
class Watch extends VirtualClock {
  readonly waits: number[] = [];

  override setTimer(ms: number, expired: () => void): Timer {
    if (ms !== 30_000) this.waits.push(ms);
    return super.setTimer(ms, expired);
  }

  /** Fulfils when as many waits have begun. */
  async waiting(count: number): Promise<void> {
    await until(() => this.waits.length >= count);
    assert.equal(this.waits.length, count);
  }
}

/** A server that keeps what connects to it. */
async function keeping(): Promise<{ server: Server; open: Stream[]; url: string }> {
  const open: Stream[] = [];
  const server = await serve({ host: "127.0.0.1", open: (ws) => void open.push(ws), message: () => {} });
  return { server, open, url: `ws://127.0.0.1:${server.port}/` };
}

/** A URL that refuses connections. */
async function refusing(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return `ws://127.0.0.1:${port}/`;
}

/** What `retry` was called with. */
class Retries {
  readonly seen: [code: string, delay: number, attempt: number][] = [];
  readonly retry = (error: ServalError, { attempt, delay }: Retry): void => {
    this.seen.push([error.code, delay, attempt]);
  };
}

/** Asks the loop for the next stream. */
async function next(streams: AsyncIterator<Stream, void>): Promise<Stream> {
  const { value } = await streams.next();
  assert.ok(value !== undefined, "the loop has ended");
  return value;
}

describe("connect.forever", () => {
  it("yields one open stream after the other, and waits in between", async () => {
    const { server, open, url } = await keeping();
    const clock = new Watch();
    const streams = connect.forever(url, { clock, backoff: steady });
    const first = await next(streams);
    await until(() => open.length === 1);
    void open[0]!.close({ code: 1012 });
    await first.closed;
    const asked = next(streams);
    await clock.waiting(1);
    assert.deepEqual(clock.waits, [500]);
    await until(() => server.connections === 0);
    await clock.advance(499);
    await turns();
    assert.equal(open.length, 1);
    await clock.advance(1);
    const second = await asked;
    assert.ok(second.isOpen && second !== first);
    assert.equal(server.connections, 1);
    await streams.return();
    await until(() => server.connections === 0);
    assert.equal(clock.pending, 0);
    await server.close();
  });

  it("ends a stream when the next one is asked for, so that a loop that fails has one that is read", async () => {
    const texts = ["no JSON", '"fine"'];
    const codes: number[] = [];
    await using server = await serve({
      host: "127.0.0.1",
      open: (ws) => ws.send(texts.shift()!),
      message: () => {},
      close: (_ws, { code }) => void codes.push(code),
    });
    const seen: unknown[] = [];
    const stop = new AbortController();
    const backoff = { initial: 1, ...steady };
    for await (const ws of connect.forever(`ws://127.0.0.1:${server.port}/`, { backoff, signal: stop.signal })) {
      try {
        for await (const message of ws) {
          seen.push(JSON.parse(message as string));
          stop.abort();
        }
      } catch (error) {
        seen.push((error as Error).name);
      }
    }
    assert.deepEqual(seen, ["SyntaxError", "fine"]);
    await until(() => codes.length === 2);
    assert.deepEqual(codes, [1000, 1000]);
  });

  it("gives a server that answers no close a second, and then goes on", async () => {
    await using server = await silent();
    const clock = new Watch();
    const streams = connect.forever(`ws://127.0.0.1:${server.port}/`, { clock, backoff: { ...steady, initial: 7 } });
    const first = await next(streams);
    const asked = next(streams);
    await turns();
    assert.deepEqual(clock.waits, [1000]);
    await clock.advance(1000);
    assert.deepEqual(await first.closed, { code: 1006, reason: "", clean: false });
    await clock.waiting(2);
    await clock.advance(7);
    assert.ok((await asked).isOpen);
    await until(() => server.connections === 1);
    const left = streams.return();
    await clock.advance(30_000);
    await left;
    assert.equal(clock.pending, 0);
  });

  it("gives it no more when the loop is left, also by an error", async () => {
    await using server = await silent();
    const clock = new Watch();
    const url = `ws://127.0.0.1:${server.port}/`;
    const mine = new Error("the loop's own");
    for (const leave of [
      (streams: AsyncGenerator) => streams.return(undefined),
      (streams: AsyncGenerator) => assert.rejects(streams.throw(mine), mine),
    ]) {
      const streams = connect.forever(url, { clock });
      const first = await next(streams);
      const left = leave(streams);
      await turns();
      await clock.advance(1000);
      assert.deepEqual(await first.closed, { code: 1006, reason: "", clean: false });
      await left;
      assert.equal(clock.pending, 0);
      await until(() => server.connections === 0);
    }
  });

  it("notices a server that goes silent: a ping after 30 seconds, the end after 60", async () => {
    await using server = await silent();
    const clock = new Watch();
    const streams = connect.forever(`ws://127.0.0.1:${server.port}/`, { clock });
    const ws = await next(streams);
    const read = ws.read();
    read.catch(() => {});
    await clock.advance(59_900);
    assert.ok(await isStuck(read));
    assert.ok(ws.stats().bytesSent > 0, "no ping");
    await clock.advance(400);
    await assert.rejects(read, { code: "core.timeout" });
    await streams.return();
  });

  it("takes other deadlines, and checks them", async () => {
    await using server = await silent();
    const url = `ws://127.0.0.1:${server.port}/`;
    for (const [timeouts, idle, pings] of [
      [undefined, 60_000, true],
      [{}, 60_000, true],
      [{ idle: undefined, keepAlivePings: undefined, handshake: 5000 }, 60_000, true],
      [{ idle: 10_000 }, 10_000, true],
      [{ idle: 10_000, keepAlivePings: false }, 10_000, false],
      [{ idle: Infinity }, Infinity, false],
    ] as const) {
      const clock = new Watch();
      const streams = connect.forever(url, { clock, timeouts: timeouts as Partial<Timeouts> });
      const ws = await next(streams);
      const read = ws.read();
      read.catch(() => {});
      await clock.advance(Math.min(idle, 1e7) - 100);
      assert.ok(await isStuck(read));
      assert.equal(ws.stats().bytesSent > 0, pings, JSON.stringify(timeouts));
      if (idle === Infinity) ws.terminate();
      else await clock.advance(500);
      await assert.rejects(read, { code: idle === Infinity ? "core.aborted" : "core.timeout" });
      await streams.return();
      assert.equal(clock.pending, 0);
    }
    for (const timeouts of [5, { idle: 0 }, { idel: 5 }, null]) {
      assert.throws(() => connect.forever(url, { timeouts: timeouts as Partial<Timeouts> }), {
        code: "core.invalid_argument",
      });
    }
  });

  it("waits for at least as long as a 503 or 429 says", async () => {
    const answers: readonly [status: number, after: string, wait: number][] = [
      [503, "7", 7000],
      [429, "120", 120_000],
      [503, "0", 500],
      [503, "soon", 500],
      [500, "7", 500],
      [503, "Mon, 30 Nov 2026 10:00:09 GMT", 9000],
      [503, "99999999999", 3_600_000],
    ];
    let asked = 0;
    await using server = await answering(() => {
      const [status, after] = answers[asked++]!;
      return [status, { "Retry-After": after, Date: "Mon, 30 Nov 2026 10:00:00 GMT", "Content-Length": 0 }];
    });
    const clock = new Watch();
    const stop = new AbortController();
    const retries = new Retries();
    const backoff = { ...steady, factor: 1 };
    const options = { clock, backoff, signal: stop.signal, retry: retries.retry };
    const ended = connect.forever(`ws://127.0.0.1:${server.port}/`, options).next();
    for (const [index, [, , wait]] of answers.entries()) {
      await clock.waiting(index + 1);
      if (index < answers.length - 1) await clock.advance(wait);
    }
    assert.deepEqual(
      clock.waits,
      answers.map(([, , wait]) => wait),
    );
    assert.deepEqual(
      retries.seen.map(([, delay]) => delay),
      clock.waits,
    );
    stop.abort();
    await ended;
  });

  it("lets retry overrule what the server says", async () => {
    await using server = await answering(() => [503, { "Retry-After": 7, "Content-Length": 0 }]);
    const clock = new Watch();
    const stop = new AbortController();
    const ended = connect
      .forever(`ws://127.0.0.1:${server.port}/`, { clock, signal: stop.signal, retry: () => 3 })
      .next();
    await clock.waiting(1);
    assert.deepEqual(clock.waits, [3]);
    stop.abort();
    await ended;
  });

  it("tries again after failures, with growing waits, and reports each", async () => {
    const clock = new Watch();
    const retries = new Retries();
    const controller = new AbortController();
    const streams = connect.forever(await refusing(), {
      clock,
      backoff: { ...steady, max: 3000 },
      signal: controller.signal,
      retry: retries.retry,
    });
    const asked = streams.next();
    for (const [index, wait] of [500, 1000, 2000, 3000, 3000].entries()) {
      await until(() => retries.seen.length === index + 1);
      assert.deepEqual(retries.seen.at(-1), ["net.connection_refused", wait, index + 1]);
      await clock.waiting(index + 1);
      await clock.advance(wait);
    }
    controller.abort();
    assert.deepEqual(await asked, { done: true, value: undefined });
    assert.equal(clock.pending, 0);
  });

  it("counts a stream shorter-lived than the ceiling as a failure, and starts over after a longer one", async () => {
    const { server, open, url } = await keeping();
    const clock = new Watch();
    const streams = connect.forever(url, { clock, backoff: { ...steady, max: 10_000 } });
    let ws = await next(streams);
    for (const [index, life] of [0, 9999, 0, 10_000, 0].entries()) {
      await until(() => open.length === 1);
      await clock.advance(life);
      void open.shift()!.close();
      await ws.closed;
      const asked = next(streams);
      await clock.waiting(index + 1);
      await clock.advance(clock.waits.at(-1)!);
      ws = await asked;
    }
    assert.deepEqual(clock.waits, [500, 1000, 2000, 500, 1000]);
    await streams.return();
    await server.close();
  });

  it("reports the first failure after a stream as the second, since the stream's end counts", async () => {
    const { server, open, url } = await keeping();
    const clock = new Watch();
    const controller = new AbortController();
    const retries = new Retries();
    const { signal } = controller;
    const streams = connect.forever(url, { clock, backoff: steady, signal, retry: retries.retry });
    const ws = await next(streams);
    await until(() => open.length === 1);
    void open[0]!.close();
    await ws.closed;
    const asked = next(streams);
    await clock.waiting(1);
    await server.close();
    await clock.advance(500);
    await until(() => retries.seen.length === 1);
    assert.deepEqual(retries.seen, [["net.connection_refused", 1000, 2]]);
    controller.abort();
    await assert.rejects(asked, /the loop has ended/);
  });

  it("waits for a random time by default", async () => {
    const url = await refusing();
    const controller = new AbortController();
    const retries = new Retries();
    const clock = new Watch();
    const asked = connect.forever(url, { clock, signal: controller.signal, retry: retries.retry }).next();
    await clock.waiting(1);
    controller.abort();
    await asked;
    const [wait = NaN] = clock.waits;
    assert.ok(wait > 0 && wait < 500, String(wait));
    assert.equal(retries.seen[0]?.[1], wait);
  });

  it("makes no connection before the first is asked for", async () => {
    const { server, url } = await keeping();
    const streams = connect.forever(url);
    await turns();
    assert.equal(server.connections, 0);
    await streams.return();
    await server.close();
  });

  it("closes the stream cleanly when the loop is left by break, return or an error", async () => {
    const { server, open, url } = await keeping();
    const ends: Promise<CloseInfo>[] = [];
    const loops: Record<string, () => Promise<void>> = {
      async break() {
        for await (const ws of connect.forever(url)) {
          ends.push(ws.closed);
          break;
        }
      },
      async return() {
        for await (const ws of connect.forever(url)) {
          ends.push(ws.closed);
          return;
        }
      },
      async throw() {
        for await (const ws of connect.forever(url)) {
          ends.push(ws.closed);
          throw new Error("the loop's own");
        }
      },
    };
    for (const [name, loop] of Object.entries(loops)) {
      if (name === "throw") await assert.rejects(loop(), { message: "the loop's own" });
      else await loop();
      const end = ends.at(-1);
      assert.deepEqual(await end, { code: 1000, reason: "", clean: true });
      await until(() => server.connections === 0);
    }
    assert.equal(open.length, 3);
    await server.close();
  });

  it("throws misuse, and invalid options at once", async () => {
    assert.throws(() => connect.forever("nonsense"), { code: "client.bad_url" });
    const bad: readonly [options: unknown, message: RegExp][] = [
      [5, /plain object/],
      [{ backof: {} }, /no option "backof"/],
      [{ backoff: { max: -1 } }, /backoff\.max/],
      [{ retry: true }, /retry .* function/],
      [{ onRetry: () => {} }, /onRetry/],
      [{ headers: { Host: "example.com" } }, /pass it as host/],
      [{ protocols: ["a", "a"] }, /offered twice/],
    ];
    for (const [options, message] of bad) {
      assert.throws(() => connect.forever("ws://127.0.0.1/", options as ForeverOptions), {
        code: "core.invalid_argument",
        message,
      });
    }
    await using server = await mute();
    const retries = new Retries();
    const decorate: ForeverOptions["decorate"] = ({ headers }) => headers.set("Host", "example.com");
    const streams = connect.forever(`ws://127.0.0.1:${server.port}/`, { decorate, retry: retries.retry });
    await assert.rejects(streams.next(), { code: "websocket.bad_upgrade_result" });
    assert.deepEqual(await streams.next(), { done: true, value: undefined });
    assert.deepEqual(retries.seen, []);
  });

  it("throws a failure for which retry returns false", async () => {
    await using server = await answering(({ target }) => [target === "/" ? 403 : 500, { "Content-Length": 0 }]);
    const asked: [number | undefined, number][] = [];
    const clock = new Watch();
    const streams = connect.forever(`ws://127.0.0.1:${server.port}/`, {
      clock,
      backoff: steady,
      retry: (error, { attempt }) => asked.push([error.response?.status, attempt]) < 2,
    });
    const outcome = assert.rejects(streams.next(), (error: ServalError) => error.response?.status === 403);
    await clock.waiting(1);
    await clock.advance(500);
    await outcome;
    assert.deepEqual(asked, [
      [403, 1],
      [403, 2],
    ]);
    assert.equal(clock.pending, 0);
  });

  it("waits as long as retry says, directly or by a promise; anything but a number and false changes nothing", async () => {
    const controller = new AbortController();
    const clock = new Watch();
    const answers = [0, 7, Promise.resolve(8.5), undefined, true, "9", null, Promise.resolve()];
    const asked: number[] = [];
    const ended = connect
      .forever(await refusing(), {
        clock,
        backoff: { ...steady, initial: 100, factor: 1 },
        signal: controller.signal,
        retry: (_, { attempt, delay }) => (asked.push(attempt, delay), answers[attempt - 1]),
      })
      .next();
    const waits = [0, 7, 8.5, 100, 100, 100, 100, 100];
    for (const [index, wait] of waits.entries()) {
      await clock.waiting(index + 1);
      if (index < waits.length - 1) await clock.advance(wait);
    }
    controller.abort();
    assert.deepEqual(await ended, { done: true, value: undefined });
    assert.deepEqual(clock.waits, waits);
    assert.deepEqual(
      asked,
      waits.flatMap((_, index) => [index + 1, 100]),
    );
  });

  for (const [what, retry, error] of [
    ["fails", () => assert.fail("mine"), { message: "mine" }],
    ["rejects", () => Promise.reject(new Error("mine")), { message: "mine" }],
    ["says no later", () => Promise.resolve(false), { code: "net.connection_refused" }],
    ["names a time that has passed", () => -1, { code: "core.invalid_argument", message: /retry .* not -1/ }],
    ["names no time", () => NaN, { code: "core.invalid_argument" }],
    ["names no end", () => Infinity, { code: "core.invalid_argument" }],
  ] as const) {
    it(`ends with an error if retry ${what}`, async () => {
      const clock = new Watch();
      const streams = connect.forever(await refusing(), { clock, retry });
      await assert.rejects(streams.next(), error);
      assert.deepEqual(await streams.next(), { done: true, value: undefined });
      assert.equal(clock.pending, 0);
    });
  }
});

describe("connect.forever, ended by its signal", () => {
  /** The loop as users write it. Returns what the streams ended with. */
  async function loop(url: string, options: ForeverOptions): Promise<CloseInfo[]> {
    const ends: CloseInfo[] = [];
    for await (const ws of connect.forever(url, options)) {
      for await (const _message of ws);
      ends.push(await ws.closed);
    }
    return ends;
  }

  it("before it begins", async () => {
    const clock = new Watch();
    assert.deepEqual(await loop("ws://127.0.0.1:1/", { clock, signal: AbortSignal.abort() }), []);
    assert.equal(clock.pending, 0);
  });

  it("while it connects", async () => {
    await using server = await mute();
    const clock = new Watch();
    const controller = new AbortController();
    const retries = new Retries();
    const ended = loop(`ws://127.0.0.1:${server.port}/`, {
      clock,
      signal: controller.signal,
      retry: retries.retry,
    });
    await until(() => server.connections === 1);
    controller.abort();
    assert.deepEqual(await ended, []);
    assert.deepEqual(retries.seen, []);
    assert.equal(clock.pending, 0);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  it("while retry's promise is pending", async () => {
    const clock = new Watch();
    const controller = new AbortController();
    let asked!: () => void;
    const thinking = new Promise<void>((resolve) => (asked = resolve));
    const retry = (): Promise<never> => (asked(), new Promise<never>(() => {}));
    const ended = loop(await refusing(), { clock, signal: controller.signal, retry });
    await thinking;
    controller.abort();
    assert.deepEqual(await ended, []);
    assert.equal(clock.pending, 0);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  it("while it waits", async () => {
    const clock = new Watch();
    const controller = new AbortController();
    const ended = loop(await refusing(), { clock, signal: controller.signal, backoff: steady });
    await clock.waiting(1);
    controller.abort();
    assert.deepEqual(await ended, []);
    assert.equal(clock.pending, 0);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  it("while a stream is open whose server answers no close: within a second", async () => {
    await using server = await silent();
    const clock = new Watch();
    const controller = new AbortController();
    let opened!: () => void;
    const open = new Promise<void>((resolve) => (opened = resolve));
    const ends: unknown[] = [];
    const ended = (async () => {
      for await (const ws of connect.forever(`ws://127.0.0.1:${server.port}/`, { clock, signal: controller.signal })) {
        opened();
        await ws.read().catch((error: ServalError) => ends.push(error.code));
      }
    })();
    await open;
    await turns();
    controller.abort();
    await turns();
    await clock.advance(1000);
    await ended;
    assert.deepEqual([ends, clock.pending], [["core.aborted"], 0]);
    await until(() => server.connections === 0);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  it("while a stream is open, which it closes cleanly", async () => {
    const { server, open, url } = await keeping();
    const clock = new Watch();
    const controller = new AbortController();
    const ended = loop(url, { clock, signal: controller.signal });
    await until(() => open.length === 1);
    await turns();
    controller.abort();
    assert.deepEqual(await ended, [{ code: 1000, reason: "", clean: true }]);
    assert.equal(clock.pending, 0);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    await server.close();
  });
});
