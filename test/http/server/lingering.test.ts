import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, it } from "node:test";
import { Response, serve, type ServeOptions } from "../../../src/http/index.ts";
import { mostLingering } from "../../../src/http/server/bounds.ts";
import { Lingering } from "../../../src/http/server/lingering.ts";
import { listen } from "../../../src/net/index.ts";
import { everyFailure, pair, VirtualClock, type PairOptions } from "../../../src/testing/index.ts";
import { quiet } from "../../support/quiet.ts";
import { RawPeer } from "../../support/raw-peer.ts";
import { until } from "../../support/until.ts";

/** A stream whose end has begun, for at most a second, and what became of it. */
function lingering(options: PairOptions = {}, isReading = false) {
  const clock = new VirtualClock();
  const [stream, other] = pair(options, {});
  const peer = new RawPeer(other);
  const seen = { over: 0, stream, peer, clock, lingering: undefined as unknown as Lingering };
  seen.lingering = new Lingering(stream, clock, 1000, () => seen.over++);
  seen.lingering.start(isReading);
  return seen;
}

describe("Lingering", () => {
  it("ends the write side, drops what comes, and is over with the peer's end", async () => {
    const seen = lingering();
    void seen.peer.write(new Uint8Array(200_000));
    await quiet(10);
    assert.deepEqual([seen.peer.ended, seen.stream.unread, seen.over], [true, 0, 0]);
    seen.peer.stream.end();
    await quiet(2);
    assert.deepEqual([seen.over, seen.clock.pending], [1, 0]);
  });

  it("is over after its time, and after so many bytes", async () => {
    const slow = lingering();
    await slow.clock.advance(999);
    assert.equal(slow.over, 0);
    await slow.clock.advance(1);
    assert.equal(slow.over, 1);

    const endless = lingering();
    let sent = 0;
    await until(
      () => endless.over > 0,
      async () => {
        sent += 1024 * 1024;
        void endless.peer.write(new Uint8Array(1024 * 1024));
        await quiet(40);
      },
    );
    assert.ok(sent >= mostLingering && sent < 2 * mostLingering, `${sent}`);
    assert.equal(endless.clock.pending, 0);
  });

  it("is over once, whatever fails below", async () => {
    const runs = await everyFailure(async (run) => {
      const [next, other] = run.pair();
      void new RawPeer(other).write("x");
      await run.once((over) => new Lingering(next, run.clock, 1000, over).start(false));
      next.close();
    });
    assert.ok(runs.length > 10, runs.join());
    const [stream] = pair({}, { capacity: 1 });
    const clock = new VirtualClock();
    let over = 0;
    stream.writeSome(new Uint8Array(10), () => {});
    stream.readSome(() => {});
    new Lingering(stream, clock, 1000, () => over++).start(false);
    assert.deepEqual([over, clock.pending], [1, 0]);
  });

  it("goes on after a read of someone else's", async () => {
    for (const end of [true, false]) {
      const seen = lingering({}, true);
      assert.equal(seen.stream.reading, false);
      if (end) seen.lingering.onRead(undefined, undefined);
      else seen.lingering.readOn();
      await quiet();
      assert.deepEqual([seen.stream.reading, seen.over], [!end, end ? 1 : 0]);
      seen.lingering.end();
      assert.deepEqual([seen.over, seen.clock.pending], [1, 0]);
    }
  });

  it("calls nobody once it is cancelled", async () => {
    const seen = lingering();
    seen.lingering.cancel();
    seen.peer.stream.end();
    await seen.clock.advance(1000);
    assert.equal(seen.over, 0);
  });
});

describe("over real sockets, a client that sends on", () => {
  for (const [status, request, options] of [
    [400, "\0", {}],
    [413, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n", {}],
    [431, `GET / HTTP/1.1\r\nHost: h\r\nA: ${"x".repeat(20_000)}`, {}],
    [408, "GET / HTTP/1.1\r\nHost: h\r\n", { timeouts: { header: 20 } }],
    [
      408,
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999\r\n\r\n",
      { timeouts: { body: 20 }, maxBodySize: 1e8 },
    ],
    [200, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", {}],
  ] as [number, string, ServeOptions][]) {
    it(`reads the response, ${status}, to its end`, async (t) => {
      const listener = await listen({ port: 0, host: "127.0.0.1" }, (stream) => {
        const respond = async (body: Promise<string>): Promise<Response> => new Response({ body: await body });
        serve(
          stream,
          (request) => respond(request.text()),
          options,
          () => {},
        );
      });
      t.after(() => listener.close());
      const socket = connect({ port: listener.port!, host: "127.0.0.1", allowHalfOpen: true });
      t.after(() => socket.destroy());
      const errors: Error[] = [];
      socket.on("error", (error) => errors.push(error));
      let text = "";
      socket.on("data", (bytes) => (text += bytes.toString("latin1")));
      const ended = once(socket, "end");
      socket.write(request);
      await once(socket, "data");
      // The server has said its last word: a socket that was closed would answer this with a reset.
      for (let part = 0; part < 20; part++)
        await new Promise((resolve) => socket.write(new Uint8Array(50_000), resolve));
      await ended;
      assert.equal(/^HTTP\/1.1 (\d+)/.exec(text)?.[1], `${status}`);
      assert.match(text, /\r\n\r\n/);
      assert.deepEqual(errors, []);
      socket.end();
      await until(() => listener.connections === 0);
    });
  }
});
