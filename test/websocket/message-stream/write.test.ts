import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import type { Stream } from "../../../src/websocket/index.ts";
import { framesIn, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, ended, opened, pulled, type Accepting } from "../support/kit.ts";

const kilobyte = "x".repeat(1020); // with its header 1024 bytes

/** A stream whose peer takes nothing from now on: what is sent beyond `room` bytes waits. */
async function stuck(options: Parameters<typeof opened>[0] = {}, room = 0): Promise<Accepting> {
  const state = await opened(options, { peerPair: { capacity: 200 + room } });
  state.peer.pause();
  // The peer's read in flight takes one more time: that fills the room up.
  await state.ws.write(new Uint8Array(196));
  await quiet();
  if (room === 0) await state.ws.write(new Uint8Array(196));
  await quiet();
  assert.equal(state.ws.bufferedAmount, 0);
  return state;
}

describe("RFC 6455 5.6: sending messages", () => {
  const ways: [name: string, act: (ws: Stream) => unknown, frame: string][] = [
    ["write of a string", (ws) => ws.write("né"), "text né"],
    ["write of bytes", (ws) => ws.write(utf8("b")), "binary 62"],
    ["write of a Buffer", (ws) => ws.write(Buffer.from("b")), "binary 62"],
    ["write of bytes as text", (ws) => ws.write(utf8("né"), { kind: "text" }), "text né"],
    ["send of a string", (ws) => ws.send("né"), "text né"],
    ["send of bytes", (ws) => ws.send(utf8("b")), "binary 62"],
    ["send of bytes as text", (ws) => ws.send(utf8("né"), { kind: "text" }), "text né"],
    ["ping", (ws) => ws.ping(), "ping"],
    ["ping with a string", (ws) => ws.ping("é"), "ping c3a9"],
    ["ping with bytes", (ws) => ws.ping(new Uint8Array(125)), `ping ${"00".repeat(125)}`],
    ["pong", (ws) => ws.pong("x"), "pong 78"],
    ["a write with a handler", (ws) => ws.write("h", () => {}), "text h"],
    ["an empty message", (ws) => ws.write(""), "text"],
  ];
  for (const [name, act, frame] of ways) {
    it(name, async () => {
      const { ws, peer } = await pulled();
      const result = act(ws);
      assert.equal(name.startsWith("send") ? result : await result, name.startsWith("send") ? true : undefined);
      await quiet();
      assert.deepEqual([peer.frames, ws.bufferedAmount], [[frame], 0]);
    });
  }

  it("all messages of one turn leave in one write, in the order of the calls", async () => {
    const { ws, peer, next } = await pulled();
    const before = next.operations;
    ws.send("1");
    void ws.write("2");
    void ws.ping("3");
    ws.send("4");
    await quiet();
    assert.deepEqual([peer.frames, next.operations - before], [["text 1", "text 2", "ping 33", "text 4"], 1]);
  });

  it("an invalid message is core.invalid_argument, and nothing is sent", async () => {
    const { ws, peer } = await pulled();
    for (const wrong of [undefined, null, 5, {}, new Date(), [1]]) {
      const data = wrong as string;
      assert.throws(() => ws.send(data), { code: "core.invalid_argument" });
      assert.equal(await codeOf(ws.write(data)), "core.invalid_argument");
      assert.throws(() => ws.write(data, () => assert.fail("was called")), { code: "core.invalid_argument" });
    }
    for (const wrong of ["x".repeat(126), "é".repeat(63), new Uint8Array(126), 5 as never]) {
      assert.equal(await codeOf(ws.ping(wrong)), "core.invalid_argument");
      assert.throws(() => ws.pong(wrong, () => assert.fail("was called")), { code: "core.invalid_argument" });
    }
    await quiet();
    assert.deepEqual([peer.frames, ws.isOpen], [[], true]);
  });

  it("a completion handler runs once, and never inside the call, with room and without", async () => {
    for (const state of [await pulled(), await stuck({ highWaterMark: 1 })]) {
      const seen: unknown[] = [];
      state.ws.write("a", (error) => seen.push(error));
      state.ws.ping("a", (error) => seen.push(error));
      assert.deepEqual(seen, []);
      state.peer.resume();
      await quiet();
      assert.deepEqual(seen, [undefined, undefined]);
    }
  });
});

describe("back-pressure", () => {
  it("send returns false from highWaterMark on, and drain is called once there is room", async () => {
    const order: unknown[] = [];
    const { ws, peer } = await stuck({
      highWaterMark: 3072,
      drain: (one) => void order.push("drain", one.bufferedAmount < 3072),
    });
    assert.deepEqual(
      [ws.send(kilobyte), ws.send(kilobyte), ws.send(kilobyte), ws.send(kilobyte)],
      [true, true, false, false],
    );
    assert.equal(ws.bufferedAmount, 4096);
    await quiet();
    assert.deepEqual(order, []);
    peer.resume();
    await quiet();
    assert.deepEqual(order, ["drain", true]);
    assert.equal(peer.frames.length, 6);
    assert.equal(ws.send("more"), true);
    await quiet();
    assert.equal(order.length, 2, "drain without a send that said false");
  });

  it("write waits until less than highWaterMark is left, in order", async () => {
    const { ws, peer } = await stuck({ highWaterMark: 2048 });
    const settled: number[] = [];
    for (let i = 0; i < 4; i++) void ws.write(kilobyte).then(() => settled.push(i));
    await quiet();
    assert.deepEqual(settled, [0]);
    peer.resume();
    await quiet();
    assert.deepEqual(settled, [0, 1, 2, 3]);
  });

  it("write calls no drain", async () => {
    let drained = 0;
    const { ws, peer } = await stuck({ highWaterMark: 10, drain: () => drained++ });
    const written = ws.write(kilobyte);
    peer.resume();
    await written;
    await quiet();
    assert.equal(drained, 0);
  });

  it("with a highWaterMark of 0 every write waits until it has left, and drain comes after every send", async () => {
    let drained = 0;
    const { ws, peer } = await opened({ highWaterMark: 0, drain: () => drained++ });
    assert.equal(await codeOf(ws.write("a")), undefined);
    assert.equal(ws.send("b"), false);
    await quiet();
    assert.deepEqual([drained, peer.frames], [1, ["text a", "text b"]]);
  });

  it("with Infinity nothing ever waits", async () => {
    const { ws } = await stuck({ highWaterMark: Infinity });
    for (let i = 0; i < 100; i++) assert.equal(ws.send(kilobyte), true);
    assert.equal(await codeOf(ws.write(kilobyte)), undefined);
  });

  it("a referenced payload is the caller's again only when it has left; until then it is not copied", async () => {
    const { ws, peer } = await stuck();
    const large = new Uint8Array(16 * 1024 + 1).fill(1);
    const small = new Uint8Array(16 * 1024).fill(1);
    const writes = [ws.write(large), ws.write(small)];
    assert.equal(await codeOf(writes[1]), undefined);
    small.fill(9);
    assert.equal(await codeOf(writes[0]), "pending");
    large.fill(2);
    peer.resume();
    await quiet();
    assert.equal(await codeOf(writes[0]), undefined);
    large.fill(9);
    const payloads = framesIn(peer.received.subarray(peer.received.length - large.length - small.length - 8));
    assert.ok(
      payloads[0].payload.every((byte) => byte === 2),
      "the payload was copied, or looked at too late",
    );
    assert.ok(
      payloads[1].payload.every((byte) => byte === 1),
      "the payload was not copied",
    );
  });

  it("beyond maxBufferedAmount the connection ends with websocket.queue_overflow", async () => {
    const state = await stuck({ highWaterMark: 1024, maxBufferedAmount: 4096 });
    const { ws, next, errors } = state;
    const writes = Array.from({ length: 4 }, () => ws.write(kilobyte));
    await quiet();
    assert.deepEqual([ws.isOpen, ws.bufferedAmount], [true, 4096]);
    // As much as the limit still lets one more in, whatever its size.
    assert.equal(ws.send(new Uint8Array(100_000)), false);
    assert.equal(ws.isOpen, true);
    assert.equal(ws.send("one more"), false);
    // Nobody is told inside the call.
    assert.deepEqual([ws.isOpen, next.closed, errors], [false, true, []]);
    await quiet();
    assert.deepEqual(errors, ["websocket.queue_overflow"]);
    for (const write of writes) assert.equal(await codeOf(write), "websocket.queue_overflow");
    assert.equal(await codeOf(ws.write("later")), "websocket.queue_overflow");
    assert.deepEqual(await ended(state), { code: 1006, reason: "", clean: false });
  });

  it("RFC 6455 5.5.3: a flood of pings from a peer that does not read costs one pong", async () => {
    const { ws, peer } = await stuck({ highWaterMark: 512 });
    ws.send(new Uint8Array(600));
    await quiet();
    const before = ws.bufferedAmount;
    for (let i = 0; i < 1000; i++) void peer.write(Uint8Array.of(0x89, 0x81, 0, 0, 0, 0, i & 0xff));
    await quiet(10);
    assert.equal(ws.bufferedAmount, before);
    peer.resume();
    await quiet();
    assert.deepEqual(peer.frames.slice(-1), [`pong ${Buffer.of(999 & 0xff).toString("hex")}`]);
    assert.equal(peer.frames.filter((one) => one.startsWith("pong")).length, 1);
  });
});

describe("sending when it is over", () => {
  const over: [name: string, code: string, end: (state: Accepting) => unknown][] = [
    ["we are closing", "websocket.closed", ({ ws }) => void ws.close()],
    ["we have terminated", "core.aborted", ({ ws }) => ws.terminate()],
    ["the peer has reset", "core.connection_reset", ({ peer }) => peer.stream.reset()],
    ["the peer has ended", "websocket.closed", ({ peer }) => peer.stream.end()],
  ];
  for (const [name, code, end] of over) {
    it(`${name}: send returns false and queues nothing, write fails with ${code}`, async () => {
      const state = await opened();
      const { ws, peer } = state;
      end(state);
      await quiet();
      const frames = peer.frames.length;
      assert.deepEqual([ws.send("a"), ws.send(utf8("b")), ws.bufferedAmount], [false, false, 0]);
      const seen: unknown[] = [];
      const handler = (error: ServalError | undefined): unknown => seen.push(error?.code);
      ws.write("a", handler);
      ws.ping("a", handler);
      assert.deepEqual(seen, []);
      for (const promise of [ws.write("a"), ws.write(utf8("a"), { kind: "text" }), ws.ping(), ws.pong()]) {
        assert.equal(await codeOf(promise), code);
      }
      assert.deepEqual([seen, peer.frames.length], [[code, code], frames]);
      await ended(state);
    });
  }

  it("writes pending when the connection is lost get the transport's error, each once", async () => {
    for (const [act, code] of [
      [(state: Accepting) => state.peer.stream.reset(), "core.connection_reset"],
      [(state: Accepting) => state.ws.terminate(), "core.aborted"],
    ] as const) {
      const state = await stuck({ highWaterMark: 1 });
      const writes = [state.ws.write("a"), state.ws.write(new Uint8Array(50_000)), state.ws.ping()];
      await quiet();
      act(state);
      for (const write of writes) assert.equal(await codeOf(write), code);
      assert.equal((await ended(state)).code, 1006);
    }
  });
});
