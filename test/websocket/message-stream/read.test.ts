import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { handled } from "../../../src/core/internal.ts";
import type { MessageData, Stream } from "../../../src/websocket/index.ts";
import { binary, close, concat, frame, more, ping, text, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, ended, opened, outcomeOf, pulled, uncaughtIn } from "../support/kit.ts";

const bytes = (value: string): Uint8Array => utf8(value);

/** Everything that `for await` gives, and how it ends. */
async function all(ws: Stream): Promise<{ messages: MessageData[]; error?: unknown }> {
  const messages: MessageData[] = [];
  try {
    for await (const message of ws) messages.push(message);
  } catch (error) {
    return { messages, error: (error as ServalError).code };
  }
  return { messages };
}

describe("read", () => {
  it("RFC 6455 5.6: text is a string, binary bytes, in the order that they came", async () => {
    const { ws, peer } = await pulled();
    void peer.write(text("né€😀"), binary("b"), text(""), binary(""), text("a", { fin: false }), more("b"));
    const expected = ["né€😀", bytes("b"), "", bytes(""), "ab"];
    for (const message of expected) {
      assert.deepEqual(await ws.read(), message);
      assert.equal(ws.gotText, typeof message === "string");
    }
    assert.equal(await codeOf(ws.read()), "pending");
  });

  it('text: "bytes" gives text undecoded, gotText tells it from binary', async () => {
    const { ws, peer } = await pulled({ text: "bytes" });
    void peer.write(text("é"), binary("b"), text("a", { fin: false }), more("b"));
    const seen: unknown[] = [];
    for (let i = 0; i < 3; i++) seen.push(await ws.read(), ws.gotText);
    assert.deepEqual(seen, [bytes("é"), true, bytes("b"), false, bytes("ab"), true]);
  });

  it("with a handler: once, never inside the call, and the next read may begin in it", async () => {
    const { ws, peer } = await pulled();
    const seen: unknown[] = [];
    let inside = true;
    const onMessage = (error: ServalError | undefined, message: MessageData): void => {
      assert.equal(inside, false);
      seen.push(error?.code ?? message);
      if (error !== undefined) return;
      inside = true;
      ws.read({}, onMessage);
      inside = false;
    };
    ws.read(onMessage);
    inside = false;
    void peer.write(text("1"), text("2"));
    await quiet();
    void peer.write(text("3"), close(1000));
    await quiet();
    assert.deepEqual(seen, ["1", "2", "3", "websocket.closed"]);
  });

  it("messages wait for a late reader, and each is delivered once", async () => {
    const { ws, peer } = await pulled({}, { behind: [text("1"), text("2")] });
    void peer.write(text("3"), text("4"), close(1000));
    await quiet();
    assert.deepEqual(await all(ws), { messages: ["1", "2", "3", "4"] });
  });

  it("one at a time: a second is core.operation_pending, without affecting the first", async () => {
    const { ws, peer } = await pulled();
    const first = ws.read();
    assert.equal(await codeOf(ws.read()), "core.operation_pending");
    assert.equal(await codeOf(ws.read({ signal: new AbortController().signal })), "core.operation_pending");
    assert.throws(() => ws.read(() => assert.fail("was called")), { code: "core.operation_pending" });
    void peer.write(text("a"));
    assert.equal(await first, "a");
  });

  it("is websocket.pushed with a message handler", async () => {
    const { ws, messages, peer } = await opened();
    assert.equal(await codeOf(ws.read()), "websocket.pushed");
    assert.equal(await codeOf(ws[Symbol.asyncIterator]().next()), "websocket.pushed");
    assert.throws(() => ws.read(() => assert.fail("was called")), { code: "websocket.pushed" });
    void peer.write(text("a"));
    await quiet();
    assert.deepEqual(messages, ["a"]);
  });

  it("an exception of the handler is uncaught, and loses no other message", async (context) => {
    const { ws, peer } = await pulled();
    const own = new Error("mine");
    const uncaught = uncaughtIn(context);
    ws.read(() => {
      throw own;
    });
    void peer.write(text("1"), text("2"));
    await quiet();
    assert.deepEqual(uncaught, [own]);
    assert.equal(await ws.read(), "2");
  });
});

describe("read with a signal", () => {
  it("aborted, it fails with core.aborted and loses nothing", async () => {
    const { ws, peer } = await pulled();
    const controller = new AbortController();
    const read = ws.read({ signal: controller.signal });
    void peer.write(text("ab", { fin: false }), ping("x"));
    await quiet();
    controller.abort("enough");
    const outcome = await outcomeOf(read);
    assert.ok(outcome !== "pending");
    assert.deepEqual(
      [outcome.error?.code, outcome.error?.cause, outcome.error?.name],
      ["core.aborted", "enough", "AbortError"],
    );
    assert.equal(await codeOf(ws.read({ signal: controller.signal })), "core.aborted");
    void peer.write(more("cd"), text("ef"));
    await quiet();
    assert.deepEqual([await ws.read(), await ws.read(), ws.isOpen], ["abcd", "ef", true]);
    assert.deepEqual(peer.frames, ["pong 78"]);
  });

  it("aborted in the turn in which the message arrives, it either aborts or completes, and nothing is lost", async () => {
    for (const order of ["abort first", "message first"]) {
      const { ws, peer } = await pulled();
      const controller = new AbortController();
      const read = ws.read({ signal: controller.signal });
      if (order === "abort first") controller.abort();
      void peer.write(text("a"));
      if (order === "message first") void read.then(() => controller.abort());
      const first = await codeOf(read);
      assert.equal(first, order === "abort first" ? "core.aborted" : "a");
      if (first !== "a") assert.equal(await ws.read(), "a");
    }
  });

  it("leaves no listener", async () => {
    const { ws, peer } = await pulled();
    const { signal } = new AbortController();
    let listeners = 0;
    signal.addEventListener = () => void listeners++;
    signal.removeEventListener = () => void listeners--;
    const read = ws.read({ signal });
    assert.equal(listeners, 1);
    void peer.write(text("a"), close());
    assert.equal(await read, "a");
    assert.equal(listeners, 0);
    assert.equal(await codeOf(ws.read({ signal })), "websocket.closed");
    assert.equal(listeners, 0);
  });

  it("with a handler, never inside the call or the abort", async () => {
    const { ws } = await pulled();
    const controller = new AbortController();
    const seen: unknown[] = [];
    ws.read({ signal: controller.signal }, (error) => seen.push(error?.code));
    controller.abort();
    ws.read({ signal: controller.signal }, (error) => seen.push(error?.code));
    assert.deepEqual(seen, []);
    await quiet();
    assert.deepEqual(seen, ["core.aborted", "core.aborted"]);
  });
});

describe("the end of the connection for a pending read", () => {
  const ends: [name: string, sent: Uint8Array[], read: unknown, iteration: unknown, closed: object][] = [
    [
      "RFC 6455 7.1.5: a close without a code",
      [close()],
      "websocket.closed",
      undefined,
      { code: 1005, reason: "", clean: true },
    ],
    [
      "RFC 6455 7.1.6: a close with a reason",
      [close(4000, "bye")],
      "websocket.closed",
      undefined,
      { code: 4000, reason: "bye", clean: true },
    ],
    [
      "RFC 6455 7.1.5: no close frame",
      [],
      "websocket.closed",
      "websocket.closed",
      { code: 1006, reason: "", clean: false },
    ],
    [
      "half a frame",
      [text("abc").subarray(0, 4)],
      "websocket.closed",
      "websocket.closed",
      { code: 1006, reason: "", clean: false },
    ],
    [
      "half a message",
      [text("abc", { fin: false })],
      "websocket.closed",
      "websocket.closed",
      { code: 1006, reason: "", clean: false },
    ],
    [
      "RFC 6455 7.1.7: a violation",
      [frame(3)],
      "websocket.bad_opcode",
      "websocket.bad_opcode",
      { code: 1002, reason: "The WebSocket frame has a reserved opcode", clean: false },
    ],
  ];
  for (const [name, sent, code, iteration, info] of ends) {
    it(name, async () => {
      for (const use of ["read", "for await"] as const) {
        const state = await pulled();
        const { ws, peer } = state;
        void peer.write(text("last"), ...sent);
        peer.stream.end();
        if (use === "for await") {
          assert.deepEqual(
            await all(ws),
            iteration === undefined ? { messages: ["last"] } : { messages: ["last"], error: iteration },
          );
          assert.deepEqual(
            await all(ws),
            iteration === undefined ? { messages: [] } : { messages: [], error: iteration },
          );
        } else {
          assert.equal(await ws.read(), "last");
          for (let again = 0; again < 3; again++) {
            const outcome = await outcomeOf(ws.read());
            assert.ok(outcome !== "pending");
            assert.equal(outcome.error?.code, code);
            if (code === "websocket.closed") assert.deepEqual(outcome.error?.close, info);
          }
        }
        assert.deepEqual(await ended(state), info);
        assert.deepEqual(await ws.closed, info);
      }
    });
  }

  it("leaving for await leaves the connection open", async () => {
    const { ws, peer } = await pulled();
    void peer.write(text("1"), text("2"), text("3"));
    for await (const message of ws) {
      if (message === "2") break;
    }
    assert.deepEqual([ws.isOpen, await ws.read()], [true, "3"]);
  });

  it("a read pending when the connection is lost gets the transport's error", async () => {
    const state = await pulled();
    const read = state.ws.read();
    state.peer.stream.reset();
    assert.equal(await codeOf(read), "core.connection_reset");
    assert.equal(await codeOf(state.ws.read()), "core.connection_reset");
    assert.deepEqual(await state.ws.closed, { code: 1006, reason: "", clean: false });
  });
});

describe("what is received is the receiver's own", () => {
  for (const [name, sent] of [
    [
      "in one read",
      (): Uint8Array[] => [
        concat(binary("first"), binary("second"), text("x".repeat(300)), binary("th", { fin: false }), more("ird")),
      ],
    ],
    [
      "in many",
      (): Uint8Array[] => [
        binary("first"),
        binary("second"),
        text("x".repeat(300)),
        binary("th", { fin: false }),
        more("ird"),
      ],
    ],
  ] as const) {
    it(`${name}: no message changes when later ones come, or lies in larger memory`, async () => {
      const { ws, peer } = await pulled({ text: "bytes" });
      const messages: Uint8Array[] = [];
      for (const piece of sent()) void peer.write(piece).then(() => piece.fill(0));
      for (let i = 0; i < 4; i++) messages.push((await ws.read()) as Uint8Array);
      assert.deepEqual(
        messages.map((one) => Buffer.from(one).toString()),
        ["first", "second", "x".repeat(300), "third"],
      );
      for (const one of messages) assert.equal(one.buffer.byteLength, one.length);
    });
  }
});

describe("a message and the peer's close in one read", () => {
  for (const [way, loop] of [
    [
      "for await",
      async (ws: Stream): Promise<void> => {
        for await (const message of ws) await ws.write(message);
      },
    ],
    [
      "read",
      async (ws: Stream): Promise<void> => {
        for (;;) await ws.write(await ws.read());
      },
    ],
    [
      "read with a handler",
      (ws: Stream): void => {
        const next = (error: ServalError | undefined, message: MessageData): void => {
          if (error !== undefined) return;
          ws.send(message);
          ws.read(next);
        };
        ws.read(next);
      },
    ],
  ] as const) {
    it(`${way}: the reader can answer each message before the close is answered`, async () => {
      const state = await pulled({}, { behind: [text("1"), text("2"), close(1000)] });
      const done = handled(Promise.resolve(loop(state.ws)));
      await quiet();
      assert.deepEqual(state.peer.frames, ["text 1", "text 2", "close 1000"]);
      assert.equal(await codeOf(done), way === "read" ? "websocket.closed" : undefined);
      assert.deepEqual(await ended(state), { code: 1000, reason: "", clean: true });
    });
  }
});
