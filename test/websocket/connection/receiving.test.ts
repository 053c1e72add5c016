import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { turnBudget } from "../../../src/core/internal.ts";
import { binary, close, ping, text } from "../support/frames.ts";
import { codeOf, ended, pulled } from "../support/kit.ts";
import { ManualReads } from "../support/manual-reads.ts";
import { quiet } from "../../support/quiet.ts";

describe("a message that is read at once", () => {
  async function received(...frames: Uint8Array[]): Promise<ManualReads> {
    const state = await new ManualReads({}).begin();
    state.connection.read(() => {});
    state.deliver(text("first"), ...frames);
    await quiet();
    return state;
  }

  it("is one that another follows, since the last one of a read comes in a turn", async () => {
    const { connection } = await received(text("1"), text("2"), text("3"));
    assert.deepEqual(
      [connection.readAtOnce(), connection.readAtOnce(), connection.readAtOnce()],
      ["1", "2", undefined],
    );
    assert.deepEqual([connection.statistics.messagesReceived, connection.isReading], [3, false]);
  });

  it("has memory of its own", async () => {
    const { connection } = await received(binary("1"), binary("2"), binary("3"));
    const [first, second] = [connection.readAtOnce() as Uint8Array, connection.readAtOnce() as Uint8Array];
    first.fill(0);
    assert.equal(Buffer.from(second).toString(), "2");
  });

  const others: [name: string, frames: Uint8Array[]][] = [
    ["a message before a ping, which is answered first", [text("1"), ping("a"), text("2")]],
    ["a message before a close frame", [text("1"), close(1000)]],
    ["a message before half a header", [text("1"), text("2").subarray(0, 1)]],
    ["a fragment", [text("1", { fin: false }), text("2")]],
    ["an empty input", []],
  ];
  for (const [name, frames] of others) {
    it(`is not ${name}`, async () => {
      const { connection } = await received(...frames);
      assert.equal(connection.readAtOnce(), undefined);
    });
  }

  it("is not the first one, which comes after open", async () => {
    const state = await new ManualReads({}).begin();
    state.deliver(text("1"), text("2"));
    await quiet();
    assert.equal(state.connection.readAtOnce(), undefined);
  });

  it("is none while another read is pending, nor while the connection closes", async () => {
    const { connection } = await received(text("1"), text("2"), text("3"));
    connection.read(() => {});
    assert.equal(connection.readAtOnce(), undefined);
    await quiet();
    connection.close(1000, "");
    assert.equal(connection.readAtOnce(), undefined);
  });

  it("is none in a turn of the event loop whose share is used up", async () => {
    const { connection } = await received(text("1"), text("2"), text("3"));
    turnBudget.isSpent = true;
    assert.equal(connection.readAtOnce(), undefined);
    turnBudget.isSpent = false;
    assert.equal(connection.readAtOnce(), "1");
  });

  it("that is invalid fails the read, and the handler error is not called inside of it", async () => {
    const state = await pulled();
    const { ws, peer, errors } = state;
    void peer.write(text("1"), text(Uint8Array.of(0xff)), text("3"));
    assert.equal(await ws.read(), "1");
    await quiet();
    const read = ws.read();
    assert.deepEqual(errors, []);
    assert.equal(await codeOf(read), "websocket.bad_frame_payload");
    assert.deepEqual(errors, ["websocket.bad_frame_payload"]);
    assert.equal((await ended(state)).code, 1007);
  });
});

describe("a read of a connection that has nothing", () => {
  it("needs no turn, and the answer to its message is written all the same", async () => {
    const { ws, peer, next } = await pulled();
    const echo = async (): Promise<void> => {
      for await (const message of ws) await ws.write(message);
    };
    void echo();
    await quiet();
    for (const message of ["1", "2", "3"]) {
      const before = next.operations;
      void peer.write(text(message));
      await quiet();
      assert.equal(next.operations - before, 2, "one write, and the next read");
    }
    assert.deepEqual([peer.frames, next.reading, ws.stats().pauses], [["text 1", "text 2", "text 3"], true, 0]);
  });
});
