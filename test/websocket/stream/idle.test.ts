// How long a connection lives whose peer is silent, and how its distance is measured: with a clock that the test moves.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pair, VirtualClock } from "../../../src/testing/index.ts";
import { Stream, suggestedTimeouts, type StreamOptions, type Timeouts } from "../../../src/websocket/index.ts";
import { open, responseTo, roles, type Connection } from "../support/client-kit.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, WebSocketPeer } from "../support/kit.ts";
import { requestBytes } from "../support/requests.ts";
import { until } from "../../support/until.ts";

const idle = 1000;

/** A connection that is watched. */
function watched(
  role: "client" | "server",
  timeouts: Partial<Timeouts> = {},
  options: StreamOptions = {},
  setup: Parameters<typeof open>[2] = {},
): Promise<Connection> {
  return open(role, { ...options, timeouts: { idle, keepAlivePings: false, ...timeouts } }, setup);
}

/** Moves the clock on; there is one timer at most all the time. */
async function pass(connection: Connection, ms: number): Promise<void> {
  const { clock } = connection;
  for (const until = clock.now() + ms; clock.now() < until;) {
    assert.ok(clock.pending <= 1, `${clock.pending} timers`);
    await clock.advance(Math.min(50, until - clock.now()));
  }
}

/** That the peer was given up, for everyone who wants to know. */
async function givenUp(connection: Connection): Promise<void> {
  const { ws, errors, next } = connection;
  assert.deepEqual([errors, ws.isOpen, next.closed], [["core.timeout"], false, true]);
  assert.deepEqual(connection.closed, { code: 1006, reason: "", clean: false });
  assert.equal(await codeOf(ws.write("x")), "core.timeout");
  assert.equal(await codeOf(ws.read()), "core.timeout");
  assert.equal(connection.clock.pending, 0, "a timer is left");
}

for (const role of roles) {
  describe(`as a ${role}: a silent peer`, () => {
    it("is abandoned exactly at idle, and waiting operations fail", async () => {
      const connection = await watched(role);
      const read = connection.ws.read();
      await pass(connection, idle - 1);
      assert.deepEqual([connection.ws.isOpen, connection.frames, connection.clock.pending], [true, [], 1]);
      await pass(connection, 1);
      assert.equal(await codeOf(read), "core.timeout");
      await givenUp(connection);
      assert.deepEqual(connection.frames, []);
    });

    it("is pinged at half of it, and its answer counts", async () => {
      const connection = await watched(role, { keepAlivePings: true });
      for (let i = 1; i <= 10; i++) {
        await pass(connection, idle / 2 - 1);
        assert.equal(connection.sent.length, i - 1);
        await pass(connection, 1);
        const [ping] = connection.sent.slice(i - 1);
        assert.equal(ping.code, 9);
        await connection.say(connection.pong(ping.payload));
      }
      await pass(connection, idle - 1);
      assert.equal(connection.ws.isOpen, true);
      await pass(connection, 1);
      await givenUp(connection);
      assert.equal(connection.sent.length, 11);
    });

    const signs: [name: string, sign: (connection: Connection) => Uint8Array][] = [
      ["a message", (c) => c.text("a")],
      ["a fragment", (c) => c.text("a", { fin: false })],
      ["half a frame", (c) => c.binary("abc").subarray(0, -1)],
      ["the first byte of a frame", (c) => c.text("a").subarray(0, 1)],
      ["a ping", (c) => c.ping("x")],
      ["a pong that nobody asked for", (c) => c.pong("x")],
    ];
    for (const [name, sign] of signs) {
      it(`counts as alive from ${name} on`, async () => {
        for (const keepAlivePings of [true, false]) {
          const connection = await watched(role, { keepAlivePings });
          void connection.ws.readSome();
          await pass(connection, 700);
          await connection.say(sign(connection));
          void connection.ws.readSome();
          await quiet();
          await pass(connection, idle - 1);
          assert.equal(connection.ws.isOpen, true);
          await pass(connection, 1);
          assert.deepEqual(connection.errors, ["core.timeout"]);
        }
      });
    }

    it("every byte of a frame that comes one by one counts", async () => {
      const connection = await watched(role);
      const read = connection.ws.read();
      for (const byte of connection.text("slowly")) {
        await pass(connection, idle - 1);
        await connection.say(Uint8Array.of(byte));
      }
      assert.equal(await read, "slowly");
    });

    it("is not watched with Infinity, and there is no timer", async () => {
      const connection = await watched(role, { idle: Infinity, keepAlivePings: true });
      assert.equal(connection.clock.pending, 0);
      await connection.clock.advance(10_000_000);
      assert.deepEqual([connection.ws.isOpen, connection.frames], [true, []]);
    });

    it("that closes or is closed has the deadline of the handshake instead, and no other timer", async () => {
      for (const who of ["we", "the peer"]) {
        const connection = await watched(role, { handshake: 5000, keepAlivePings: true });
        await pass(connection, 400);
        if (who === "we") void connection.ws.close();
        else await connection.say(connection.close(1000));
        await pass(connection, 4999);
        assert.deepEqual([connection.next.closed, connection.clock.pending], [false, 1]);
        await pass(connection, 1);
        assert.deepEqual([connection.next.closed, connection.clock.pending, connection.errors], [true, 0, []]);
        assert.ok(connection.frames.every((one) => !one.startsWith("ping")));
      }
    });
  });

  describe(`as a ${role}: while the application does not read`, () => {
    it("pulled: the clock stands still; a read begins a new time", async () => {
      const connection = await watched(role);
      const { ws } = connection;
      await pass(connection, 900);
      await connection.say(connection.text("a"));
      await pass(connection, 20 * idle);
      assert.deepEqual([ws.isOpen, connection.next.reading], [true, false]);
      assert.equal(await ws.read(), "a");
      await quiet();
      await pass(connection, idle - 1);
      assert.equal(ws.isOpen, true);
      await pass(connection, 1);
      await givenUp(connection);
    });

    it("pushed: the clock stands still while a handler's promise is pending", async () => {
      let release = (): void => {};
      const message = (): Promise<void> => new Promise((resolve) => (release = resolve));
      const connection = await watched(role, {}, { message });
      await connection.say(connection.text("a"), connection.text("b"));
      await pass(connection, 20 * idle);
      assert.equal(connection.ws.isOpen, true);
      release();
      await quiet();
      release();
      await quiet();
      await pass(connection, idle - 1);
      assert.equal(connection.ws.isOpen, true);
      await pass(connection, 1);
      assert.deepEqual(connection.errors, ["core.timeout"]);
    });

    it("the peer is pinged all the same, so that the transport notices when it is gone", async () => {
      const connection = await watched(role, { keepAlivePings: true });
      await connection.say(connection.text("a"));
      await pass(connection, 10 * idle);
      await quiet(); // what is sent while data waits leaves when the loop turns
      assert.equal(connection.sent.length, 20);
      connection.peer.stream.reset();
      await quiet();
      assert.deepEqual([connection.errors, connection.clock.pending], [[], 1]);
      await pass(connection, idle / 2);
      await quiet();
      assert.deepEqual([connection.errors, connection.clock.pending], [["core.connection_reset"], 0]);
    });
  });

  describe(`as a ${role}: a peer that is silent, and reads`, () => {
    for (const keepAlivePings of [true, false]) {
      it(`slowly: while it takes something of a large write it lives; pings ${keepAlivePings ? "on" : "off"}`, async () => {
        const setup = { peerPair: { capacity: 1000, maxRead: 500 } };
        const connection = await watched(role, { keepAlivePings }, {}, setup);
        connection.peer.pause();
        const written = connection.ws.write(new Uint8Array(20_000));
        await quiet();
        for (let taken = 0; connection.ws.bufferedAmount > 1500; taken++) {
          await pass(connection, idle / 2 - 10);
          await connection.takeSome();
          assert.equal(connection.ws.isOpen, true, `after ${taken} times`);
        }
        assert.ok(connection.clock.now() > 10 * idle);
        assert.equal(await codeOf(written), "pending");
        // From now on it takes nothing.
        await pass(connection, 2 * idle);
        await givenUp(connection);
        assert.equal(await codeOf(written), "core.timeout");
      });

      it(`not at all: it is abandoned at idle, however much waits; pings ${keepAlivePings ? "on" : "off"}`, async () => {
        const setup = { peerPair: { capacity: 1000, maxRead: 500 } };
        const connection = await watched(role, { keepAlivePings }, {}, setup);
        connection.peer.pause();
        const written = connection.ws.write(new Uint8Array(20_000));
        await quiet();
        const start = connection.clock.now();
        // What went into buffers before the first check may count, once.
        await until(
          () => !connection.ws.isOpen,
          () => pass(connection, 50),
        );
        const lived = connection.clock.now() - start;
        assert.ok(lived >= idle && lived <= 2 * idle, `${lived} ms`);
        await givenUp(connection);
        assert.equal(await codeOf(written), "core.timeout");
      });
    }

    it("everything at once, but sends nothing: that is no sign of life", async () => {
      const connection = await watched(role, { keepAlivePings: true });
      for (let time = 0; time < idle; time += 100) {
        connection.ws.send("are you there?");
        await pass(connection, 100);
      }
      await givenUp(connection);
    });
  });

  describe(`as a ${role}: the round-trip time`, () => {
    it("is that of a ping of the user's, whose pong has its payload", async () => {
      const connection = await open(role);
      const { ws } = connection;
      assert.equal(ws.stats().roundTripTime, undefined);
      await ws.ping("mine");
      await connection.clock.advance(20);
      await connection.say(connection.pong("other"), connection.pong(""), connection.pong("mine "));
      assert.equal(ws.stats().roundTripTime, undefined);
      await connection.clock.advance(22);
      await connection.say(connection.pong("mine"));
      assert.equal(ws.stats().roundTripTime, 42);
      await connection.clock.advance(100);
      await connection.say(connection.pong("mine"));
      assert.equal(ws.stats().roundTripTime, 42);
    });

    it("is that of the keep-alive pings too", async () => {
      const connection = await watched(role, { keepAlivePings: true });
      for (const [i, ms] of [7, 30, 0].entries()) {
        await pass(connection, idle / 2);
        assert.equal(connection.sent.length, i + 1);
        await connection.clock.advance(ms);
        await connection.say(connection.pong(connection.sent[i].payload));
        assert.equal(connection.ws.stats().roundTripTime, ms);
      }
    });
  });

  it(`as a ${role}, by default: the suggested timeouts`, async () => {
    const [next, other] = pair({ capacity: Infinity });
    const peer = new WebSocketPeer(other);
    const clock = new VirtualClock();
    const errors: string[] = [];
    const ws = new Stream(next, { clock, error: (_, error) => void errors.push(error.code) });
    if (role === "server") await ws.accept(requestBytes());
    else {
      const shaken = ws.handshake("example.com", "/");
      await quiet();
      void peer.write(responseTo(peer.received));
      await shaken;
    }
    const server = { handshake: 30_000, idle: 300_000, keepAlivePings: true };
    assert.deepEqual(
      suggestedTimeouts(role),
      role === "server" ? server : { handshake: 30_000, idle: Infinity, keepAlivePings: false },
    );
    assert.equal(clock.pending, role === "server" ? 1 : 0);
    const before = peer.received.length;
    await clock.advance(299_999);
    assert.equal(ws.isOpen, true);
    assert.equal(peer.received.length - before, role === "server" ? 6 : 0, "one ping of four bytes, or none");
    await clock.advance(1);
    assert.deepEqual([ws.isOpen, errors], role === "server" ? [false, ["core.timeout"]] : [true, []]);
    assert.equal(clock.pending, 0);
  });
}
