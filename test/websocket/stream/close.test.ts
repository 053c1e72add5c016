import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Stream, websocketErrors, type CloseOptions, type WebsocketCode } from "../../../src/websocket/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { binary, close, concat, frame, more, ping, text } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, ended, opened, pulled, type Accepting } from "../support/kit.ts";

const abnormal = { code: 1006, reason: "", clean: false };

describe("RFC 6455 7.1.2: closing", () => {
  const closes: [options: CloseOptions | undefined, frame: string][] = [
    [undefined, "close 1000"],
    [{}, "close 1000"],
    [{ code: 1001 }, "close 1001"],
    [{ code: 4000, reason: "né€😀" }, "close 4000né€😀"],
    [{ reason: "bye" }, "close 1000bye"],
    [{ code: 3000, reason: "x".repeat(123) }, `close 3000${"x".repeat(123)}`],
    [{ code: 1005 }, "close"],
  ];
  for (const [options, sent] of closes) {
    it(`close(${JSON.stringify(options) ?? ""}) sends ${sent.slice(0, 20)}, and ends when the peer has answered`, async () => {
      const state = await pulled();
      const { ws, peer, next, clock } = state;
      const closed = options === undefined ? ws.close() : ws.close(options);
      assert.equal(ws.isOpen, false);
      await quiet();
      assert.deepEqual([peer.frames, peer.ended, clock.pending], [[sent], false, 1]);
      void peer.write(close(4001, "theirs"));
      assert.equal(await codeOf(closed), "pending");
      assert.deepEqual([peer.ended, next.closed], [true, false], "RFC 6455 7.1.1: the server ends first");
      peer.stream.end();
      assert.equal(await codeOf(closed), undefined);
      assert.deepEqual(await ended(state), { code: 4001, reason: "theirs", clean: true });
      assert.deepEqual(peer.frames, [sent]);
    });
  }

  const wrong: CloseOptions[] = [
    { code: 999 },
    { code: 1004 },
    { code: 1006 },
    { code: 1015 },
    { code: 5000 },
    { code: 1005, reason: "x" },
    { reason: "x".repeat(124) },
    { code: 1000, reason: "€".repeat(42) },
  ];
  it("RFC 6455 7.4: what can't be sent is core.invalid_argument, and nothing is closed", async () => {
    const { ws, peer } = await pulled();
    for (const options of wrong) {
      assert.equal(await codeOf(ws.close(options)), "core.invalid_argument", JSON.stringify(options));
      assert.throws(() => ws.close(options, () => assert.fail("was called")), { code: "core.invalid_argument" });
    }
    assert.deepEqual([ws.isOpen, peer.frames], [true, []]);
  });

  it("what was queued goes first, and messages that come afterwards are dropped", async () => {
    const state = await opened();
    const { ws, peer, messages } = state;
    ws.send("1");
    void ws.close({ code: 1000 });
    ws.send("2");
    void peer.write(text("late"), binary("x", { fin: false }), ping("late"), more("y"), close(1000), text("later"));
    assert.equal((await ended(state)).clean, true);
    assert.deepEqual([peer.frames, messages], [["text 1", "close 1000"], []]);
  });

  it("data that waited for a reader does not stand in the way of the peer's close", async () => {
    const state = await pulled();
    const { ws, peer, next } = state;
    void peer.write(text("1"), text("2"), close(1000));
    await quiet();
    assert.equal(next.reading, false);
    void ws.close();
    await quiet();
    assert.deepEqual(await ended(state), { code: 1000, reason: "", clean: true });
  });

  it("a waiting read fails with websocket.closed, and how it ended", async () => {
    const state = await pulled();
    const read = state.ws.read();
    void state.ws.close();
    await quiet();
    void state.peer.write(close(4000, "x"));
    await assert.rejects(read, { code: "websocket.closed", close: { code: 4000, reason: "x", clean: true } });
    await ended(state);
  });

  it("several closes are one, and each call completes at the end", async () => {
    const state = await pulled();
    const { ws, peer } = state;
    const seen: string[] = [];
    void ws.close({ code: 4000 }).then(() => seen.push("first"));
    ws.close({ code: 4001 }, (error) => seen.push(`second ${String(error)}`));
    void ws[Symbol.asyncDispose]().then(() => seen.push("dispose"));
    await quiet();
    assert.deepEqual([peer.frames, seen], [["close 4000"], []]);
    void peer.write(close(4000));
    await ended(state);
    let inside = true;
    ws.close({}, () => seen.push(`third ${inside}`));
    inside = false;
    await quiet();
    assert.deepEqual(seen.toSorted(), ["dispose", "first", "second undefined", "third false"]);
  });

  it("await using closes with 1000", async () => {
    const state = await pulled();
    let disposed: Promise<void>;
    {
      disposed = state.ws[Symbol.asyncDispose]();
    }
    await quiet();
    assert.deepEqual(state.peer.frames, ["close 1000"]);
    void state.peer.write(close(1000));
    await ended(state);
    await disposed;
  });

  it("RFC 6455 7.1.1: when both close at once, each frame is the other's answer", async () => {
    const state = await pulled();
    const { ws, peer } = state;
    void ws.close({ code: 4000, reason: "ours" });
    void peer.write(close(4001, "theirs"));
    assert.deepEqual(await ended(state), { code: 4001, reason: "theirs", clean: true });
    assert.deepEqual(peer.frames, ["close 4000ours"]);
  });
});

describe("the deadline of the closing handshake", () => {
  const stalls: [name: string, stall: (state: Accepting) => unknown, info: object][] = [
    ["the peer does not answer", ({ ws }) => void ws.close(), abnormal],
    [
      "the peer goes on sending",
      ({ ws, peer }) => {
        void ws.close();
        for (let i = 0; i < 100; i++) void peer.write(text("x".repeat(1000)), ping());
      },
      abnormal,
    ],
    [
      "the peer does not read",
      ({ ws, peer }) => {
        peer.pause();
        void ws.write(new Uint8Array(100_000));
        void ws.close();
      },
      abnormal,
    ],
    [
      "the peer answers, but does not end",
      ({ ws, peer }) => {
        void ws.close();
        void peer.write(close(4000));
      },
      { code: 4000, reason: "", clean: true },
    ],
    [
      "the peer closes, but does not end",
      ({ peer }) => void peer.write(close(4000)),
      { code: 4000, reason: "", clean: true },
    ],
    [
      "the peer closes, but does not read",
      ({ ws, peer }) => {
        peer.pause();
        void ws.write(new Uint8Array(100_000));
        void peer.write(close(4000));
      },
      { code: 4000, reason: "", clean: false },
    ],
    [
      "the peer breaks the protocol, and does not end",
      ({ peer }) => void peer.write(frame(3)),
      { code: 1002, reason: "The WebSocket frame has a reserved opcode", clean: false },
    ],
    [
      "the peer ends, but does not read",
      ({ ws, peer }) => {
        peer.pause();
        void ws.write(new Uint8Array(100_000));
        peer.stream.end();
      },
      abnormal,
    ],
  ];
  for (const [name, stall, info] of stalls) {
    it(`${name}: at 30 s the next layer is closed, not before`, async () => {
      const state = await opened({}, { peerPair: { capacity: 4096 } });
      await state.clock.advance(100_000);
      assert.equal(state.clock.pending, 0);
      stall(state);
      await quiet();
      assert.deepEqual([state.clock.pending, state.ws.isOpen], [1, false]);
      await state.clock.advance(29_999);
      assert.deepEqual([state.next.closed, state.closed], [false, undefined]);
      await state.clock.advance(1);
      await quiet();
      assert.deepEqual([state.next.closed, state.clock.pending, state.closed], [true, 0, info]);
      await ended(state);
    });
  }

  it("Infinity is none", async () => {
    const state = await pulled({ timeouts: { handshake: Infinity } });
    void state.ws.close();
    await state.clock.advance(1e9);
    assert.deepEqual([state.clock.pending, state.next.closed], [0, false]);
    void state.peer.write(close());
    await ended(state);
  });
});

describe("terminate", () => {
  it("ends at once, without a close frame; what waits fails with core.aborted", async () => {
    for (const state of [await pulled(), await pulled()]) {
      const { ws, peer, next, clock } = state;
      const read = ws.read();
      const written = ws.write(new Uint8Array(200_000));
      const closed = ws.close();
      ws.terminate();
      ws.terminate();
      assert.deepEqual([ws.isOpen, next.closed, clock.pending], [false, true, 0]);
      assert.deepEqual(
        [await codeOf(read), await codeOf(written), await codeOf(closed)],
        ["core.aborted", "core.aborted", undefined],
      );
      assert.equal(await codeOf(ws.read()), "core.aborted");
      assert.deepEqual(await ended(state), abnormal);
      assert.equal(
        peer.frames.some((one) => one.startsWith("close")),
        false,
      );
    }
  });

  it("in the turn of a write: a later report of the next layer about it changes nothing", async () => {
    for (let turns = 0; turns < 8; turns++) {
      const state = await pulled();
      state.ws.send("x");
      for (let i = 0; i < turns; i++) await Promise.resolve();
      state.ws.terminate();
      assert.deepEqual(await ended(state), abnormal);
      assert.equal(state.ws.bufferedAmount, 0);
    }
  });

  it("during a close, and while the transport is torn down", async () => {
    for (const stage of ["closing", "tearing down"]) {
      const state = await opened();
      const closed = state.ws.close();
      await quiet();
      if (stage === "tearing down") void state.peer.write(close(4000));
      await quiet();
      state.ws.terminate();
      assert.equal(await codeOf(closed), undefined);
      const expected = stage === "closing" ? abnormal : { code: 4000, reason: "", clean: true };
      assert.deepEqual(await ended(state), expected);
      assert.deepEqual(state.errors, []);
    }
  });
});

describe("RFC 6455 7.1.7: a violation is reported to the peer and the caller", () => {
  const violations: [code: WebsocketCode, sent: Uint8Array[], frame: string][] = [
    ["websocket.bad_opcode", [frame(3)], "close 1002"],
    ["websocket.bad_unmasked_frame", [text("a", { key: undefined })], "close 1002"],
    ["websocket.bad_frame_payload", [text(Uint8Array.of(0xff))], "close 1007"],
    ["websocket.bad_frame_payload", [text(Uint8Array.of(0xff), { announced: 100 })], "close 1007"],
    ["websocket.message_too_big", [binary("", { announced: 1001 })], "close 1009"],
    [
      "websocket.message_too_big",
      [binary(new Uint8Array(600), { fin: false }), more(new Uint8Array(401))],
      "close 1009",
    ],
    ["websocket.bad_close_code", [close(1005)], "close 1002"],
    ["websocket.bad_close_size", [frame(8, "x")], "close 1002"],
    ["websocket.bad_close_payload", [close(1000, Uint8Array.of(0xff))], "close 1007"],
  ];
  for (const [code, sent, closeFrame] of violations) {
    it(`${code}: ${closeFrame} and why, pushed and pulled; nothing after it is delivered`, async () => {
      for (const open of [opened, pulled]) {
        const state = await open({ maxMessageSize: 1000 });
        const { ws, peer, errors, messages } = state;
        const read = open === pulled ? ws.read() : undefined;
        void peer.write(concat(...sent, text("behind")));
        await quiet();
        const sizes = code === "websocket.message_too_big" ? ", 1000 bytes: it has 1001 or more" : "";
        const told = closeFrame + websocketErrors[code][1] + sizes;
        assert.deepEqual([peer.frames, peer.ended, ws.isOpen], [[told], true, false]);
        assert.deepEqual([errors, messages], [[code], []]);
        if (read !== undefined) {
          assert.equal(await codeOf(read), code);
          assert.equal(await codeOf(ws.read()), code);
        }
        assert.equal(await codeOf(ws.write("x")), code);
        const info = await ended(state);
        assert.deepEqual([info.code, info.clean], [Number(closeFrame.slice(6)), false]);
        assert.deepEqual(errors, [code]);
      }
    });
  }

  it("bad UTF-8 is answered at the first bad byte, not at the end of the message", async () => {
    const { peer, errors } = await opened();
    const bytes = text(concat(new Uint8Array(10).fill(0x61), Uint8Array.of(0xf5)), { announced: 5000 });
    void peer.write(bytes.subarray(0, -1));
    await quiet();
    assert.deepEqual([peer.frames, errors], [[], []]);
    void peer.write(bytes.subarray(-1));
    await quiet();
    assert.deepEqual(
      [peer.frames, errors],
      [["close 1007The WebSocket text message is not valid UTF-8"], ["websocket.bad_frame_payload"]],
    );
  });

  it("what was queued before it still leaves", async () => {
    const { ws, peer } = await opened();
    const big = (one: Stream): unknown => one.send("queued");
    big(ws);
    void peer.write(frame(3));
    await quiet();
    assert.deepEqual(peer.frames, ["text queued", "close 1002The WebSocket frame has a reserved opcode"]);
  });
});

describe("before the handshake", () => {
  it("close completes outside of its call, and fulfils closed with 1006", async () => {
    const [stream] = pair();
    const ws = new Stream(stream);
    const order: string[] = [];
    ws.close({}, (error) => order.push(`closed ${String(error)}`));
    order.push("returned");
    assert.deepEqual(await ws.closed, { code: 1006, reason: "", clean: false });
    assert.deepEqual([order, stream.closed], [["returned", "closed undefined"], true]);
    assert.equal(await codeOf(ws.accept()), "websocket.already_started");
  });
});
