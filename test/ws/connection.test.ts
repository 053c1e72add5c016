import assert from "node:assert/strict";
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { describe, it } from "node:test";
import { isInUse } from "../../src/ws/connection.ts";
import type { WebSocket } from "../../src/ws/web-socket.ts";
import { binary, close, describeFrames, frame, ping, text } from "../websocket/support/frames.ts";
import { closed, wsPair } from "./support/pair.ts";
import { nextUncaught } from "./support/uncaught.ts";

/** Every event of a WebSocket, in order, as text. */
function eventsOf(ws: WebSocket): string[] {
  const events: string[] = [];
  ws.on("message", (data: Buffer, isBinary) => events.push(`${isBinary ? "binary" : "text"} ${data.toString()}`));
  for (const name of ["ping", "pong"]) ws.on(name, (data: Buffer) => events.push(`${name} ${data.toString()}`));
  ws.on("error", (error: Error) => events.push(`error ${error.message}`));
  ws.on("close", (code: number, reason: Buffer) => events.push(`close ${code} ${reason.toString()}`));
  return events;
}

const plain = { key: undefined };

describe("events", () => {
  it("come in the order of the frames, messages as Buffers", async () => {
    const { server, ends } = wsPair();
    const events = eventsOf(server);
    server.on("message", (data) => assert.ok(Buffer.isBuffer(data)));
    ends.client.write(
      Buffer.concat([text("a"), ping("p"), binary("b".repeat(100)), frame(10, "q"), close(4000, "bye")]),
    );
    await closed(server);
    assert.deepEqual(events, ["text a", "ping p", `binary ${"b".repeat(100)}`, "pong q", "close 4000 bye"]);
  });

  it("are all emitted in one turn, or one in each", async () => {
    for (const [allowSynchronousEvents, expected] of [
      [true, 3],
      [false, 1],
    ] as const) {
      const { server, ends } = wsPair({ server: { allowSynchronousEvents } });
      let inTurn = 0;
      let most = 0;
      server.on("message", () => {
        if (++inTurn === 1) setImmediate(() => (inTurn = 0));
        most = Math.max(most, inTurn);
      });
      ends.client.write(Buffer.concat([text("a"), text("b"), text("c"), close()]));
      await closed(server);
      assert.equal(most, expected);
    }
  });

  it("after a listener that throws come all the same, and once each", async () => {
    const { server, ends } = wsPair();
    const events = eventsOf(server);
    server.once("message", () => {
      throw new Error("of the application");
    });
    const thrown = nextUncaught();
    ends.client.write(Buffer.concat([text("a"), text("b"), text("c")]));
    assert.equal(((await thrown) as Error).message, "of the application");
    ends.client.write(text("d"));
    while (events.length < 4) await turn();
    assert.deepEqual(events, ["text a", "text b", "text c", "text d"]);
  });

  it("give bytes in the form that binaryType says, and text as a Buffer", async () => {
    const { server, client } = wsPair();
    const seen: unknown[] = [];
    server.on("message", (data) => seen.push(data));
    for (const type of ["arraybuffer", "fragments", "blob", "nodebuffer"] as const) {
      server.binaryType = type;
      for (const data of [Buffer.from("bytes"), "text"]) {
        const received = once(server, "message");
        client.send(data);
        await received;
      }
    }
    assert.ok(seen[0] instanceof ArrayBuffer && seen[0].byteLength === 5);
    assert.deepEqual(seen[2], [Buffer.from("bytes")]);
    assert.equal(await (seen[4] as Blob).text(), "bytes");
    for (const index of [1, 3, 5, 6, 7]) assert.ok(Buffer.isBuffer(seen[index]));
  });

  it("come of what a paused socket had read, when it is destroyed", async () => {
    const { server, ends } = wsPair();
    const events = eventsOf(server);
    server.pause();
    await turn();
    ends.client.write(text("late"));
    await turn();
    assert.deepEqual(events, []);
    server.terminate();
    await closed(server);
    assert.deepEqual(events, ["text late", "close 1006 "]);
  });
});

describe("the closing handshake", () => {
  it("echoes code and reason, and is clean on both sides", async () => {
    const { server, client } = wsPair();
    const [ofServer, ofClient] = [eventsOf(server), eventsOf(client)];
    client.close(4001, "why");
    assert.equal(client.readyState, client.CLOSING);
    await Promise.all([closed(server), closed(client)]);
    assert.deepEqual([ofServer, ofClient], [["close 4001 why"], ["close 4001 why"]]);
    assert.deepEqual([server.readyState, client.readyState], [server.CLOSED, client.CLOSED]);
  });

  it("lets messages come until the peer's close frame", async () => {
    const { server, ends } = wsPair();
    const events = eventsOf(server);
    server.close(4001);
    ends.client.write(Buffer.concat([text("late"), ping("p"), close(4001)]));
    await closed(server);
    assert.deepEqual(events, ["text late", "ping p", "close 4001 "]);
    assert.deepEqual(describeFrames(Buffer.concat(ends.server.writes)), ["close 4001"]);
  });

  it("tells the peer the code of a violation, and the listeners the error", async () => {
    const { server, ends } = wsPair();
    const events = eventsOf(server);
    ends.client.write(Buffer.concat([text("a"), frame(3, "x"), text("b")]));
    ends.client.resume();
    await closed(server);
    assert.deepEqual(events, ["text a", "error Invalid WebSocket frame: invalid opcode 3", "close 1006 "]);
    assert.deepEqual(describeFrames(Buffer.concat(ends.server.writes)), ["close 1002"]);
  });

  it("ends with 1006 if the peer ends without it", async () => {
    const { server, ends } = wsPair();
    const events = eventsOf(server);
    const gone = closed(server);
    ends.client.end();
    ends.client.resume();
    await gone;
    assert.deepEqual(events, ["close 1006 "]);
  });

  it("destroys the socket after closeTimeout", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const { server, ends } = wsPair({ server: { closeTimeout: 1234 } });
    server.close();
    t.mock.timers.tick(1233);
    assert.equal(ends.server.destroyed, false);
    t.mock.timers.tick(1);
    await closed(server);
    assert.equal(ends.server.destroyed, true);
  });
});

describe("pings", () => {
  it("are answered in the write of their read", async () => {
    const { ends } = wsPair();
    ends.client.write(Buffer.concat([ping("a"), ping("b")]));
    await turn();
    assert.equal(ends.server.writes.length, 1);
    assert.deepEqual(describeFrames(ends.server.writes[0]), ["pong 61", "pong 62"]);
  });

  it("are not answered without autoPong", async () => {
    const { server, ends } = wsPair({ server: { autoPong: false } });
    ends.client.write(ping("a"));
    await once(server, "ping");
    assert.deepEqual(ends.server.writes, []);
  });

  it("end the connection if more than maxPendingAutoPongs wait", async () => {
    const { server, ends } = wsPair({ server: { maxPendingAutoPongs: 3 } });
    ends.server.isSlow = true;
    for (let i = 0; i < 3; i++) ends.client.write(ping("a"));
    await turn();
    assert.equal(server.readyState, server.OPEN);
    ends.client.write(ping("a"));
    await closed(server);
  });
});

describe("compression", () => {
  for (const [name, deflate] of Object.entries({
    "with takeover": {},
    "without takeover": { server_no_context_takeover: true, client_no_context_takeover: true },
  } as const)) {
    it(`is used ${name}, for short and long messages`, async () => {
      const { server, client, ends } = wsPair({ deflate });
      const sizes: number[] = [];
      client.on("message", (data: Buffer) => sizes.push(data.length));
      for (const size of [10, 2000, 300_000]) server.send("x".repeat(size));
      while (sizes.length < 3) await turn();
      assert.deepEqual(sizes, [10, 2000, 300_000]);
      assert.ok(Buffer.concat(ends.server.writes).length < 2000);
      const received = once(server, "message");
      client.send("y".repeat(3_000_000));
      assert.equal(((await received) as [Buffer])[0].length, 3_000_000);
    });
  }
});

describe("limits beyond those of ws", () => {
  it("end a connection whose peer does not read, with maxBufferedAmount", async () => {
    const { server, ends } = wsPair({ server: { maxBufferedAmount: 1000 } });
    ends.server.isSlow = true;
    server.send("x".repeat(900));
    server.send("x".repeat(50));
    assert.equal(server.readyState, server.OPEN);
    server.send("x".repeat(50));
    await closed(server);
  });

  it("ask a silent peer, and give it up, with timeouts.idle", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let now = 0;
    t.mock.method(performance, "now", () => now);
    const { server, ends } = wsPair({ server: { timeouts: { idle: 100 } } });
    for (now = 10; now <= 50; now += 10) {
      t.mock.timers.tick(10);
      await turn();
    }
    assert.deepEqual(describeFrames(Buffer.concat(ends.server.writes)), ["ping"]);
    // The client answers, which is heard.
    for (; now <= 200; now += 10) {
      t.mock.timers.tick(10);
      await turn();
    }
    assert.equal(server.readyState, server.OPEN);
    ends.client.removeAllListeners("data");
    const gone = closed(server);
    for (; now <= 500; now += 10) {
      t.mock.timers.tick(10);
      await turn();
    }
    await gone;
  });
});

describe("isInUse", () => {
  it("is true of a socket until it is closed", async () => {
    const { server, ends } = wsPair();
    assert.equal(isInUse(ends.server), true);
    server.terminate();
    await closed(server);
    assert.equal(isInUse(ends.server), false);
  });
});

describe("a client", () => {
  it("refuses masked frames", async () => {
    const { client, ends } = wsPair();
    const events = eventsOf(client);
    ends.server.write(Buffer.concat([text("a", plain), text("b")]));
    ends.server.resume();
    await closed(client);
    assert.deepEqual(events, ["text a", "error Invalid WebSocket frame: MASK must be clear", "close 1006 "]);
  });
});
