import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handled } from "../../../src/core/internal.ts";
import { prepare, type Statistics, type StreamOptions } from "../../../src/websocket/index.ts";
import { extensions, kept, open, roles, type Connection } from "../support/client-kit.ts";
import { packed, unpacked } from "../support/deflated.ts";
import { concat, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";

const none: Statistics = {
  messagesReceived: 0,
  messagesSent: 0,
  messagesDropped: 0,
  bytesReceived: 0,
  bytesSent: 0,
  payloadReceived: 0,
  payloadSent: 0,
  compressionReceived: undefined,
  compressionSent: undefined,
  bufferedAmount: 0,
  roundTripTime: undefined,
  pauses: 0,
  throttles: 0,
  turnsWaited: 0,
  bytesUnread: 0,
};

for (const role of roles) {
  describe(`as a ${role}: stats`, () => {
    /** That they are what they were at the beginning, but for these; and that bytes are counted as they are on the wire. */
    function check(connection: Connection, changes: Partial<Statistics>): void {
      const bytesSent = connection.sentBytes.length;
      assert.deepEqual(connection.ws.stats(), { ...none, bytesSent, ...changes });
    }

    it("are all 0 at the beginning", async () => {
      check(await open(role), {});
    });

    it("sent: every way to send a message counts it once, and its payload without frame headers", async () => {
      const connection = await open(role, { writeBufferSize: 100 });
      const { ws } = connection;
      let [messagesSent, payloadSent] = [0, 0];
      const sends: [size: number, send: () => unknown][] = [
        [4, () => ws.send("né!")],
        [0, () => ws.send("")],
        [2, () => ws.send(utf8("ab"))],
        [1000, () => ws.write(new Uint8Array(1000))],
        [1500, () => ws.write("é".repeat(750))],
        [3, () => ws.write([utf8("a"), utf8("bc")])],
        [5, () => ws.write(prepare("prepa"))],
        [500, () => ws.write(prepare(new Uint8Array(500)))],
        [6, () => ws.write(["abc", "", "def"])],
        [0, () => ws.write(new Set<string>())],
      ];
      for (const [size, send] of sends) {
        await send();
        await quiet();
        check(connection, { messagesSent: ++messagesSent, payloadSent: (payloadSent += size) });
      }
      await ws.writeSome("a", false);
      await quiet();
      check(connection, { messagesSent, payloadSent: payloadSent + 1 });
      await ws.writeSome(new Uint8Array(150), true);
      await quiet();
      check(connection, { messagesSent: messagesSent + 1, payloadSent: payloadSent + 151 });
    });

    it("sent: controls are bytes, and no messages", async () => {
      const connection = await open(role);
      await connection.ws.ping("a");
      await connection.ws.pong("b");
      const ping = connection.ping("c");
      await connection.say(ping);
      check(connection, { bytesReceived: ping.length });
      assert.equal(connection.frames.length, 3);
    });

    it("sent: waiting messages do not count yet, and messages never written never do", async () => {
      const connection = await open(role, {}, { peerPair: { capacity: 500 } });
      connection.peer.pause();
      const { ws } = connection;
      handled(ws.write(new Uint8Array(100_000)));
      await quiet();
      const { bytesSent, bufferedAmount } = ws.stats();
      assert.deepEqual([bytesSent, bufferedAmount], [1000, ws.bufferedAmount]);
      ws.terminate();
      await quiet();
      assert.deepEqual([ws.stats().bytesSent, ws.stats().bufferedAmount], [1000, 0]);
    });

    it("received: every way to receive a message counts it once", async () => {
      const connection = await open(role);
      const { ws } = connection;
      let [messagesReceived, bytesReceived, payloadReceived] = [0, 0, 0];
      for (const receive of [
        () => ws.read(),
        async () => (await ws.nextMessage()).bytes(),
        async () => {
          while (!(await ws.readSome()).done);
        },
      ]) {
        for (const [size, said] of [
          [4, connection.text("né!")],
          [0, connection.binary("")],
          [300, connection.binary(new Uint8Array(300))],
          [
            4,
            concat(
              connection.text("a", { fin: false }),
              connection.ping(),
              connection.more("", { fin: false }),
              connection.more("bcd"),
            ),
          ],
        ] as const) {
          const received = receive();
          await connection.say(said);
          await received;
          check(connection, {
            messagesReceived: ++messagesReceived,
            bytesReceived: (bytesReceived += said.length),
            payloadReceived: (payloadReceived += size),
            // Whoever reads a message in parts may come a microtask late.
            pauses: ws.stats().pauses,
          });
        }
      }
    });

    it("received: pushed messages count, and what is dropped after our close does not", async () => {
      const connection = await open(role, { message: kept([]) });
      const said = concat(connection.text("abc"), connection.binary("de", { fin: false }), connection.more("f"));
      await connection.say(said);
      check(connection, { messagesReceived: 2, payloadReceived: 6, bytesReceived: said.length });
      void connection.ws.close();
      const late = connection.text("late");
      await connection.say(late);
      check(connection, { messagesReceived: 2, payloadReceived: 6, bytesReceived: said.length + late.length });
      await connection.say(connection.close(1000));
      await connection.end();
      assert.equal(connection.ws.stats().messagesReceived, 2);
    });

    it("received: messages right after the handshake count too", async () => {
      const connection = await open(role, { message: kept([]) }, { behind: (c) => concat(c.text("a"), c.text("b")) });
      await quiet();
      const bytesReceived = connection.text("a").length * 2;
      check(connection, { messagesReceived: 2, payloadReceived: 2, bytesReceived });
    });

    it("pauses: how often received data was not taken, whatever else happens meanwhile", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const pauses = (): number => ws.stats().pauses;
      for (let i = 0; i < 5; i++) {
        const read = ws.read();
        await connection.say(connection.text("a"));
        await read;
      }
      assert.equal(pauses(), 0, "someone was waiting");
      for (let i = 1; i <= 3; i++) {
        await connection.say(connection.text("a"));
        for (let j = 0; j < 3; j++) {
          ws.send("meanwhile");
          await quiet();
        }
        assert.equal(pauses(), i);
        await ws.read();
        await quiet();
      }
    });

    it("RFC 7692: compression is the size on the wire divided by the message's, for compressed messages", async () => {
      const options: StreamOptions = { deflate: { threshold: 100 } };
      const connection = await open(role, options, { extensions });
      const { ws } = connection;
      assert.match(String(ws.request?.headers.get("Sec-WebSocket-Extensions")), /permessage-deflate/);
      await ws.write("small");
      await quiet();
      assert.equal(ws.stats().compressionSent, undefined);
      const text = "as long as it is compressed ".repeat(100);
      await ws.write(text);
      await ws.write(text, { compress: false });
      await quiet();
      const [, compressed] = connection.sent;
      assert.deepEqual([compressed.rsv, unpacked(compressed.payload).length], [4, text.length]);
      const { compressionSent, payloadSent } = ws.stats();
      assert.deepEqual([compressionSent, payloadSent], [compressed.payload.length / text.length, 5 + 2 * text.length]);

      const payload = packed(utf8(text));
      const read = ws.read();
      await connection.say(connection.text(payload, { rsv: 4 }));
      assert.equal(await read, text);
      const message = ws.nextMessage();
      await connection.say(connection.text(payload, { rsv: 4 }), connection.text("plain"));
      assert.equal(await (await message).text(), text);
      assert.equal(await ws.read(), "plain");
      const { compressionReceived, payloadReceived, messagesReceived } = ws.stats();
      assert.deepEqual(
        [compressionReceived, payloadReceived, messagesReceived],
        [payload.length / text.length, 2 * text.length + 5, 3],
      );
    });
  });
}
