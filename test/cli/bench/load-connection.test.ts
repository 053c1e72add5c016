import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LoadConnection, Template } from "../../../src/cli/bench/load-connection.ts";
import { Tally } from "../../../src/cli/bench/tally.ts";
import { pair } from "../../../src/testing/index.ts";
import { Stream } from "../../../src/websocket/index.ts";
import { stepUntil } from "../../support/until.ts";

/** A connection of a load, over memory, and what its server gets. */
async function start({ size = 32, isText = false, depth = 4 } = {}) {
  const [ours, theirs] = pair();
  const server = new Stream(theirs);
  const ws = new Stream<LoadConnection>(ours, { text: "bytes" });
  await Promise.all([server.accept(), ws.handshake("a", "/")]);
  const tally = new Tally();
  tally.since = 100;
  const connection = new LoadConnection(ws, 7, depth, new Template({ size, isText }), tally);
  return { server, ws, tally, connection };
}

/** Asks so often, and gives the messages as they arrive. */
async function asked({ server, connection }: Awaited<ReturnType<typeof start>>, count: number): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    connection.ask(100 + i);
    messages.push((await server.read()) as Uint8Array);
  }
  return messages;
}

describe("LoadConnection", () => {
  for (const size of [0, 1, 15, 16, 17, 16 * 1024, 16 * 1024 + 1, 100_000]) {
    it(`recognises the answers to messages of ${size} bytes`, async () => {
      const started = await start({ size });
      const { connection, tally } = started;
      const messages = await asked(started, 3);
      assert.deepEqual(
        messages.map(({ length }) => length),
        [size, size, size],
      );
      if (size > 0) assert.notDeepEqual(messages[0], messages[1]);
      for (const message of messages) assert.equal(connection.answered(message, 110), 1);
      assert.deepEqual([tally.sent, tally.received, tally.bytesSent, tally.bytesReceived], [3, 3, 3 * size, 3 * size]);
      assert.deepEqual([tally.wrong, tally.lost, tally.unasked, connection.out.count], [0, 0, 0, 0]);
      assert.deepEqual([tally.latency.min, tally.latency.max], [8, 10]);
    });
  }

  it("sends text if asked to, and then counts bytes as a wrong answer", async () => {
    const { server, ws, connection, tally } = await start({ isText: true });
    connection.ask(100);
    const text = await server.read();
    assert.equal(typeof text, "string");
    server.send(Buffer.from(text as string));
    assert.equal(connection.answered((await ws.read()) as Uint8Array, 110), 1);
    assert.deepEqual([tally.received, tally.wrong], [0, 1]);
  });

  for (const [what, alter] of [
    ["is shorter", (message: Uint8Array) => message.subarray(1)],
    ["is longer", (message: Uint8Array) => Buffer.concat([message, Buffer.from("0")])],
    ["has another stamp", (message: Uint8Array) => message.map((byte, i) => (i === 0 ? 0x21 : byte))],
    ["is of another connection", (message: Uint8Array) => message.map((byte, i) => (i === 8 ? 0x30 : byte))],
  ] as const) {
    it(`counts an answer that ${what} as wrong, and recognises the next one`, async () => {
      const started = await start();
      const [first, second] = await asked(started, 2);
      const { connection, tally } = started;
      assert.equal(connection.answered(alter(first!), 110), 1);
      assert.equal(connection.answered(second!, 110), 1);
      assert.deepEqual([tally.received, tally.wrong, tally.lost], [1, 1, 0]);
    });
  }

  it("counts a message that answers none as unasked", async () => {
    const started = await start();
    const { connection, tally } = started;
    assert.equal(connection.answered(Buffer.from("welcome"), 110), 0);
    const [message] = await asked(started, 1);
    assert.equal(connection.answered(message!, 110), 1);
    assert.equal(connection.answered(message!, 110), 0);
    assert.deepEqual([tally.received, tally.wrong, tally.unasked], [1, 0, 2]);
  });

  it("recognises answers after a late greeting", async () => {
    const started = await start();
    const { connection, tally } = started;
    const [first, second] = await asked(started, 2);
    assert.equal(connection.answered(Buffer.from("welcome"), 110), 1);
    assert.equal(connection.answered(first!, 110), 0);
    assert.equal(connection.answered(second!, 110), 1);
    assert.deepEqual([tally.received, tally.wrong, tally.unasked], [1, 1, 1]);
  });

  it("counts the messages before an answered one as lost", async () => {
    const started = await start();
    const { connection, tally } = started;
    const messages = await asked(started, 3);
    assert.equal(connection.answered(messages[2]!, 110), 3);
    assert.deepEqual([tally.received, tally.lost], [1, 2]);
  });

  it("gives up messages in flight: as lost, or as not waited for", async () => {
    for (const [interrupted, lost, pending] of [
      [false, 2, 0],
      [true, 0, 2],
    ] as const) {
      const started = await start();
      await asked(started, 2);
      assert.equal(started.connection.giveUp(interrupted), 2);
      assert.deepEqual([started.tally.lost, started.tally.pending], [lost, pending]);
    }
  });

  it("counts nothing before the time from which messages count", async () => {
    const { server, connection, tally } = await start();
    connection.ask(99);
    const message = (await server.read()) as Uint8Array;
    assert.equal(connection.answered(message, 110), 1);
    connection.ask(99);
    connection.answered(Buffer.from("wrong"), 110);
    connection.ask(99);
    connection.giveUp(false);
    connection.tell(99);
    const { sent, received, wrong, lost } = tally;
    assert.deepEqual([sent, received, wrong, lost, tally.latency.count], [0, 0, 0, 0, 0]);
  });

  it("counts messages that wait for room when the connection ends as lost, without answers", async () => {
    const { server, ws, connection, tally } = await start({ size: 300_000 });
    for (let i = 0; i < 5; i++) connection.tell(100);
    assert.equal(tally.sent, 5);
    await server.close();
    await ws.closed;
    connection.loseUntold();
    const { messagesSent } = ws.stats();
    assert.ok(messagesSent < 5, `${messagesSent} were sent`);
    assert.equal(tally.lost, 5 - messagesSent);
  });

  it("returns whether there is room, without answers", async () => {
    const { connection, tally } = await start({ size: 10_000 });
    let [count, hasRoom] = [0, true];
    stepUntil(
      () => !hasRoom,
      () => {
        hasRoom = connection.tell(100);
        count++;
      },
    );
    assert.deepEqual([tally.sent, connection.out.count], [count, 0]);
  });
});
