// Timers that come late, as after a blocked event loop: what is there is read first, and each peer has its time again.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ByteStream } from "../../src/core/index.ts";
import { shareOfAll, turnBudget } from "../../src/core/turn-budget.ts";
import { Request, Response, type RequestHandler } from "../../src/http/index.ts";
import { Lingering } from "../../src/http/server/lingering.ts";
import { TimeoutStream } from "../../src/net/index.ts";
import { pair, VirtualClock } from "../../src/testing/index.ts";
import { Stream } from "../../src/websocket/index.ts";
import { read, readOutcome, writeAll, writeOutcome } from "../core/support/stream-operations.ts";
import { Asking } from "../http/support/asking.ts";
import { get, post, Serving } from "../http/support/serving.ts";
import { hubOf, opened } from "../server/support/kit.ts";
import { quiet } from "../support/quiet.ts";
import { RawPeer } from "../support/raw-peer.ts";
import { open, responseTo, roles, type Connection } from "../websocket/support/client-kit.ts";
import { frame } from "../websocket/support/frames.ts";
import { WebSocketPeer } from "../websocket/support/kit.ts";
import { requestBytes } from "../websocket/support/requests.ts";

/** Far more than any deadline here. */
const long = 100_000;
const ok: RequestHandler = () => new Response({ body: "ok" });
const whole: RequestHandler = async (request) => new Response({ body: await request.bytes() });
const timeouts = { header: 1000, keepAlive: 2000, body: 3000, write: 4000 };

/** The client sends something, and the loop is blocked before it is read. */
async function sendAndBlock({ client, clock }: Serving, text: string): Promise<void> {
  void client.write(text);
  await clock.jump(long);
  await quiet(4);
}

describe("a served connection whose loop was blocked", () => {
  it("answers a first request that is there", async () => {
    const serving = new Serving(ok, { timeouts });
    await sendAndBlock(serving, get("/"));
    assert.deepEqual(serving.statuses, [200]);
    await serving.end();
  });

  it("answers a head whose rest is there", async () => {
    const serving = new Serving(ok, { timeouts });
    const text = get("/");
    await serving.send(text.slice(0, 10));
    await sendAndBlock(serving, text.slice(10));
    assert.deepEqual(serving.statuses, [200]);
    await serving.end();
  });

  it("answers the next request that is there", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.send(get("/"));
    await sendAndBlock(serving, get("/"));
    assert.deepEqual(serving.statuses, [200, 200]);
    await serving.end();
  });

  it("reads the next request that has begun, within a time of its own", async () => {
    const serving = new Serving(ok, { timeouts });
    await serving.send(get("/"));
    const text = get("/");
    await sendAndBlock(serving, text.slice(0, 10));
    await serving.clock.advance(900);
    await serving.send(text.slice(10));
    assert.deepEqual(serving.statuses, [200, 200]);
    await serving.end();
  });

  it("reads a body that is there, and the rest of one within its time", async () => {
    const serving = new Serving(whole, { timeouts });
    const text = post("hello");
    await serving.send(text.slice(0, -4));
    await sendAndBlock(serving, text.slice(-4, -2));
    await serving.clock.advance(2500);
    await serving.send(text.slice(-2));
    assert.deepEqual(serving.statuses, [200]);
    await serving.end();
  });

  it("sends on to a client that took its response meanwhile", async () => {
    const body = "x".repeat(300_000);
    const serving = new Serving(() => new Response({ body }), { timeouts, paused: true });
    await serving.send(get("/"));
    serving.client.resume();
    await serving.clock.jump(long);
    await quiet(100);
    assert.equal(serving.responses()[0]?.body.length, body.length);
    await serving.end();
  });

  it("gives a silent client its time again, once", async () => {
    for (const [before, time, code] of [
      ["", 1000, "core.timeout"],
      ["GET", 1000, "core.timeout"],
      [get("/"), 2000, undefined],
    ] as const) {
      const serving = new Serving(ok, { timeouts });
      if (before !== "") await serving.send(before);
      await serving.clock.jump(long);
      await serving.clock.advance(time / 2);
      assert.equal(serving.completions, 0);
      await serving.clock.advance(time / 2);
      if (before === "GET") assert.deepEqual(serving.statuses, [408]);
      if (before === "GET") await serving.end(code);
      else serving.assertEnded(code);
    }
  });

  it("ends a head that comes a byte at a time all the same, however often it is blocked", async () => {
    const serving = new Serving(ok, { timeouts });
    const text = get("/", `A: ${"x".repeat(1000)}\r\n`);
    let bytes = 0;
    for (; bytes < text.length && serving.client.text === ""; bytes++) await sendAndBlock(serving, text[bytes]!);
    assert.ok(bytes <= 10, `${bytes}`);
    assert.deepEqual(serving.statuses, [408]);
    await serving.end("core.timeout");
  });

  it("takes a request that waits for its turn when its time is up", async () => {
    const serving = new Serving(ok, { timeouts });
    // Enough to be one that waits, once all that may be spent in a turn is.
    await serving.send(get("/").repeat(10));
    const jumped = serving.clock.jump(2000);
    void serving.client.write(get("/"));
    turnBudget.spend({ spent: 0, spentIn: 0 }, 2 * shareOfAll);
    await jumped;
    await quiet(4);
    assert.equal(serving.statuses.length, 11);
    await serving.clock.advance(1999);
    assert.equal(serving.completions, 0);
    await serving.clock.advance(1);
    serving.assertEnded();
  });

  it("takes a request that is in the buffer while responses wait for the client", async () => {
    const body = "x".repeat(100_000);
    const serving = new Serving(() => new Response({ body }), {
      timeouts: { ...timeouts, write: 10_000 },
      paused: true,
    });
    await serving.send(get("/"));
    await serving.send(get("/"));
    // Nothing is read while the first response is being written.
    await serving.clock.advance(9000);
    serving.client.resume();
    await quiet(50);
    assert.deepEqual(serving.statuses, [200, 200]);
    await serving.end();
  });
});

it("a connection that lingers reads what is there, and goes on for its time", async () => {
  const clock = new VirtualClock();
  const [stream, other] = pair();
  const peer = new RawPeer(other);
  let over = 0;
  new Lingering(stream, clock, 1000, () => over++).start(false);
  await quiet();
  void peer.write("more");
  await clock.jump(long);
  assert.deepEqual([stream.unread, over], [0, 0]);
  await clock.advance(1000);
  assert.equal(over, 1);
});

it("a request that waits for 100 takes a refusal that is there, and sends no body", async () => {
  const asking = new Asking();
  const message = new Request({ method: "POST", headers: { Host: "h", Expect: "100-continue" }, body: "hello" });
  await asking.ask(message, { timeouts: { continue: 500 } });
  void asking.server.write("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
  await asking.clock.jump(long);
  await quiet(4);
  assert.ok(!asking.server.text.includes("hello"));
});

for (const role of roles) {
  const idle = 1000;
  const watched = (keepAlivePings: boolean): Promise<Connection> =>
    open(role, { timeouts: { idle, keepAlivePings, handshake: 3000 }, message: () => {} });

  describe(`a WebSocket ${role} whose loop was blocked`, () => {
    it("keeps a peer whose bytes are there", async () => {
      for (const keepAlivePings of [false, true]) {
        const connection = await watched(keepAlivePings);
        await connection.clock.advance(300);
        void connection.peer.write(connection.text("hello"));
        await connection.clock.jump(long);
        await connection.clock.advance(499);
        assert.deepEqual([connection.ws.isOpen, connection.frames], [true, []]);
      }
    });

    it("asks a silent peer, and gives it a real time to answer", async () => {
      const connection = await watched(true);
      await connection.clock.advance(300);
      await connection.clock.jump(long);
      assert.deepEqual(connection.frames, []);
      await connection.clock.advance(300);
      assert.equal(connection.sent.at(-1)?.code, 9);
      await connection.clock.advance(450);
      assert.equal(connection.ws.isOpen, true);
      await connection.say(connection.pong(connection.sent.at(-1)!.payload));
      await connection.clock.advance(900);
      assert.equal(connection.ws.isOpen, true);
    });

    it("gives a peer that was asked before its time to answer", async () => {
      const connection = await watched(true);
      await connection.clock.advance(600);
      assert.equal(connection.sent.length, 1);
      await connection.clock.jump(long);
      await connection.clock.advance(250);
      assert.equal(connection.ws.isOpen, true);
      await connection.say(connection.pong(connection.sent[0]!.payload));
      await connection.clock.advance(900);
      assert.equal(connection.ws.isOpen, true);
    });

    it("gives up a peer that stays silent, within its time", async () => {
      for (const keepAlivePings of [false, true]) {
        const connection = await watched(keepAlivePings);
        await connection.clock.jump(long);
        assert.equal(connection.ws.isOpen, true);
        await connection.clock.advance(idle);
        assert.deepEqual(connection.errors, ["core.timeout"]);
      }
    });

    it("takes the close frame that is there", async () => {
      const connection = await watched(false);
      void connection.ws.close();
      await quiet();
      void connection.peer.write(connection.close(1000));
      connection.peer.stream.end();
      await connection.clock.jump(long);
      await quiet(4);
      assert.deepEqual(connection.closed, { code: 1000, reason: "", clean: true });
    });

    it("takes the peer's half of the handshake that is there", async () => {
      const clock = new VirtualClock();
      const [next, other] = pair();
      const peer = new WebSocketPeer(other);
      const ws = new Stream(next, { clock, timeouts: { handshake: 1000, idle: Infinity } });
      let opening: Promise<unknown>;
      if (role === "server") {
        opening = ws.accept();
        void peer.write(requestBytes());
      } else {
        opening = ws.handshake("example.com", "/");
        await quiet();
        void peer.write(responseTo(peer.received));
      }
      await clock.jump(long);
      await opening;
      assert.equal(ws.isOpen, true);
    });
  });
}

it("a client whose loop was blocked takes the body of a refusal that is there", async () => {
  const clock = new VirtualClock();
  const [next, other] = pair();
  const peer = new WebSocketPeer(other);
  const ws = new Stream(next, { clock });
  const opening = ws.handshake("example.com", "/");
  await quiet();
  void peer.write("HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\nhe");
  await quiet();
  void peer.write("llo");
  await clock.jump(long);
  await assert.rejects(opening, { code: "websocket.upgrade_declined" });
  assert.equal(String(Buffer.from(ws.response!.body as Uint8Array)), "hello");
});

describe("a TimeoutStream whose loop was blocked", () => {
  const hello = Buffer.from("hello");

  function timed(): { clock: VirtualClock; stream: TimeoutStream; peer: ByteStream } {
    const clock = new VirtualClock();
    const [next, peer] = pair();
    const stream = new TimeoutStream(next, { clock });
    stream.expiresAfter(1000);
    return { clock, stream, peer };
  }

  it("reads what is there, and more within its time", async () => {
    const { clock, stream, peer } = timed();
    const reading = read(stream);
    void writeAll(peer, hello);
    await clock.jump(long);
    assert.deepEqual(await reading, hello);
    const again = read(stream);
    await clock.advance(700);
    void writeAll(peer, hello);
    assert.deepEqual(await again, hello);
    const last = readOutcome(stream);
    await clock.advance(1000);
    assert.equal((await last).error?.code, "core.timeout");
  });

  it("writes to a peer that has taken what it was sent", async () => {
    const { clock, stream, peer } = timed();
    await writeAll(stream, Buffer.alloc(65_536));
    const writing = writeOutcome(stream, hello);
    await quiet();
    void read(peer);
    await clock.jump(long);
    assert.equal((await writing).error, undefined);
  });
});

it("a drain takes the close frames that are there when its time is up, and no longer", async () => {
  const { hub, clock } = hubOf();
  const [answers, silent] = [await opened(hub), await opened(hub)];
  const report = hub.drain({ timeout: 900 });
  await quiet();
  void answers.peer.write(frame(8, Uint8Array.of(3, 0xe8)));
  answers.peer.stream.end();
  await clock.jump(long);
  const { closed, terminated } = await report;
  assert.deepEqual([closed, terminated, silent.ws.isOpen], [1, 1, false]);
});
