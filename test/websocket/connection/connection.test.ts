import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { binary, close, concat, more, ping, pong, text } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { accepting, codeOf, ended, opened, pulled } from "../support/kit.ts";
import { requestBytes } from "../support/requests.ts";

describe("when it reads", () => {
  it("RFC 6455 5.5.2: without a read, pings and closes are still answered", async () => {
    const state = await pulled();
    const { peer, next } = state;
    assert.equal(next.reading, true);
    void peer.write(ping("1"), pong("2"));
    await quiet();
    void peer.write(ping("3"));
    await quiet();
    assert.deepEqual([peer.frames, next.reading], [["pong 31", "pong 33"], true]);
    void peer.write(close(1001));
    assert.equal((await ended(state)).code, 1001);
    assert.deepEqual(peer.frames.at(-1), "close 1001");
  });

  it("at the first data that nothing waits for it pauses, and holds at most that read", async () => {
    const { peer, next } = await pulled({}, { pair: { capacity: 1000, maxRead: 500, record: true } });
    const message = text("x".repeat(94));
    const before = next.received.length;
    let written = 0;
    for (let i = 0; i < 100; i++) void peer.write(message).then(() => written++);
    await quiet();
    const read = next.received.length - before;
    assert.deepEqual([next.reading, next.unread, read > 0 && read <= 500], [false, 1000, true]);
    assert.equal(written, (read + 1000) / message.length, "the peer's writes do not wait");
  });

  it("a read takes it up again, and one message more is all it takes", async () => {
    const { ws, peer, next } = await pulled();
    void peer.write(text("1"), ping("a"), text("2"), ping("b"));
    await quiet();
    assert.deepEqual([next.reading, peer.frames], [false, []]);
    assert.equal(await ws.read(), "1");
    await quiet(2); // the answers leave when the loop turns
    assert.deepEqual([next.reading, peer.frames], [false, ["pong 61"]]);
    assert.equal(await ws.read(), "2");
    await quiet();
    assert.deepEqual([next.reading, peer.frames], [true, ["pong 61", "pong 62"]]);
  });

  it("RFC 6455 5.4: pings between the fragments that a read takes are answered", async () => {
    const { ws, peer } = await pulled();
    const read = ws.read();
    void peer.write(text("a", { fin: false }), ping("1"), more("b", { fin: false }), ping("2"));
    await quiet();
    assert.deepEqual(peer.frames, ["pong 31", "pong 32"]);
    void peer.write(more("c"));
    assert.equal(await read, "abc");
  });

  it("after an aborted read in the middle of a message, pings are answered and the rest waits", async () => {
    const { ws, peer, next } = await pulled();
    const controller = new AbortController();
    const read = ws.read({ signal: controller.signal });
    void peer.write(text("a", { fin: false }));
    await quiet();
    controller.abort();
    assert.equal(await codeOf(read), "core.aborted");
    void peer.write(ping("1"));
    await quiet();
    assert.deepEqual([peer.frames, next.reading], [["pong 31"], true]);
    void peer.write(more("b"));
    await quiet();
    assert.equal(next.reading, false);
    assert.equal(await ws.read(), "ab");
  });

  it("a pushed stream reads on all the time, but not while a handler's promise is pending", async () => {
    let release = (): void => {};
    const seen: unknown[] = [];
    const message = (_: unknown, one: unknown): Promise<void> => {
      seen.push(one);
      return new Promise((resolve) => {
        release = resolve;
      });
    };
    const { peer, next } = await opened({ message });
    void peer.write(text("1"), ping("a"), text("2"));
    await quiet(2); // the pong leaves when the loop turns
    assert.deepEqual([seen, peer.frames, next.reading], [["1"], ["pong 61"], false]);
    release();
    await quiet();
    assert.deepEqual([seen, next.reading], [["1", "2"], true]);
    void peer.write(ping("b"));
    await quiet();
    assert.deepEqual(peer.frames, ["pong 61", "pong 62"]);
    release();
  });

  it("replies to all the messages of one read leave in one write", async () => {
    const { peer, next } = await opened({ message: (ws, message) => void ws.send(message) });
    const before = next.operations;
    void peer.write(concat(text("1"), ping("2"), binary("3"), text("4")));
    await quiet();
    assert.deepEqual(peer.frames, ["text 1", "pong 32", "binary 33", "text 4"]);
    assert.equal(next.operations - before, 2, "one write, and the next read");
  });
});

describe("the beginning", () => {
  for (const use of ["send", "write", "ping", "read", "close"] as const) {
    it(`${use} in the completion handler: open comes before the first message all the same`, async () => {
      const order: string[] = [];
      accepting({
        options: {
          open: () => void order.push("open"),
          message: (_, message) => void order.push(`message ${String(message)}`),
        },
        source: concat(requestBytes(), text("1")),
        completed: (ws) => {
          order.push("accepted");
          if (use === "send") ws.send("hi");
          else if (use === "read") void ws.read();
          else if (use === "close") void ws.close();
          else void ws.write("hi");
        },
      });
      await quiet();
      assert.deepEqual(order, ["accepted", "open", ...(use === "close" ? [] : ["message 1"])]);
    });
  }
});
