// What waits to be sent, and how much of it may.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handled } from "../../../src/core/internal.ts";
import { open, roles } from "../support/client-kit.ts";
import { utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";
import { messagesIn } from "../support/sent-messages.ts";
import { behind, never, slow, Source, stuck, wrong } from "../support/slow-peer.ts";
import { until } from "../../support/until.ts";

for (const role of roles) {
  describe(`as a ${role}: a long message and a slow peer`, () => {
    for (const highWaterMark of [1, 1000, 64 * 1024, Infinity]) {
      it(`pings, and answers to pings, leave between its frames; highWaterMark ${highWaterMark}`, async () => {
        const connection = await slow(role, { highWaterMark, writeBufferSize: 1000 });
        const { ws } = connection;
        const written = ws.write(new Uint8Array(200_000));
        await quiet();
        handled(ws.ping("a"));
        await connection.say(connection.ping("b"), connection.pong("c"));
        let takes = 0;
        for (; !connection.frames.some((one) => one === "pong 62"); takes++) {
          assert.ok(takes < 300, "no pong");
          await connection.takeSome();
        }
        const { frames } = connection;
        const [ping, pong] = [frames.indexOf("ping 61"), frames.indexOf("pong 62")];
        assert.ok(ping > 0 && pong > ping && pong < 80, `at ${ping} and ${pong} of 200 frames`);
        await connection.takeAll();
        await written;
        assert.equal(messagesIn(connection.sent)[0].payload.length, 200_000);
      });
    }

    it("the peer's close is answered between them, at once, and nothing comes after", async () => {
      const connection = await slow(role, { writeBufferSize: 1000 }, { peerPair: { capacity: 70_000, maxRead: 9000 } });
      const { ws } = connection;
      const long = ws.write(new Uint8Array(500_000));
      const others = [ws.write("behind"), ws.write(["a"])];
      await quiet();
      await connection.say(connection.close(4000, "bye"));
      for (const write of [long, ...others]) {
        await assert.rejects(write, { code: "websocket.closed", close: { code: 4000, reason: "bye", clean: true } });
      }
      await connection.takeAll();
      const { frames } = connection;
      assert.equal(frames.at(-1), "close 4000");
      assert.ok(frames.length < 150, `${frames.length} frames before the answer`);
      assert.deepEqual(messagesIn(connection.sent, true), []);
      assert.deepEqual(await connection.end(), { code: 4000, reason: "bye", clean: true });
    });

    it("so is a violation", async () => {
      const connection = await slow(role, { writeBufferSize: 1000 });
      const long = connection.ws.write(new Uint8Array(500_000));
      await quiet();
      await connection.say(wrong(connection));
      assert.equal(await codeOf(long), "websocket.bad_opcode");
      await connection.takeAll();
      assert.match(connection.frames.at(-1)!, /^close 1002/);
      await connection.end();
    });

    it("with autoFragment: false each message is one frame, however long, and the ping waits for its end", async () => {
      const connection = await slow(role, { autoFragment: false, writeBufferSize: 1000 });
      const { ws } = connection;
      const written = [ws.write(new Uint8Array(300_000)), ws.write([utf8("a"), new Uint8Array(100_000)])];
      handled(ws.ping("p"));
      await connection.takeAll();
      await Promise.all(written);
      await quiet();
      assert.deepEqual(
        connection.sent.map(({ code, fin, payload }) => [code, fin, payload.length]),
        [
          [2, true, 300_000],
          [9, true, 1],
          [2, true, 100_001],
        ],
      );
    });

    it("frames are of writeBufferSize, 128 KiB by default and 8 bytes at least", async () => {
      for (const [given, size] of [
        [undefined, 128 * 1024],
        [1, 8],
        [5000, 5000],
      ] as const) {
        const connection = await open(role, given === undefined ? {} : { writeBufferSize: given });
        await connection.ws.write(new Uint8Array(size));
        await connection.ws.write(new Uint8Array(size + 1));
        await quiet();
        assert.deepEqual(
          connection.sent.map(({ fin, payload }) => [fin, payload.length]),
          [
            [true, size],
            [false, size],
            [true, 1],
          ],
        );
      }
    });
  });

  describe(`as a ${role}: how much may wait`, () => {
    it("bufferedAmount counts all queued bytes that have not left, framed or not, in parts or whole", async () => {
      const connection = await stuck(role, { writeBufferSize: 1000, overflow: "wait" });
      const { ws } = connection;
      const before = ws.bufferedAmount;
      const payload = 200_000 + 10 + 50 + 5;
      handled(ws.write(new Uint8Array(200_000)));
      ws.send("0123456789");
      handled(ws.writeSome(new Uint8Array(50), false));
      handled(ws.write("later"));
      await quiet();
      const waits = ws.bufferedAmount - before;
      assert.ok(waits >= payload && waits < payload + 203 * 8, `${waits} for ${payload}`);
      let last = ws.bufferedAmount;
      for (let i = 0; i < 20; i++) {
        await connection.takeSome();
        assert.ok(ws.bufferedAmount < last && ws.bufferedAmount > last - 300, `${last} to ${ws.bufferedAmount}`);
        last = ws.bufferedAmount + 8;
      }
      handled(ws.writeSome("", true));
      await connection.takeAll();
      assert.equal(ws.bufferedAmount, 0);
    });

    it("send says whether there is room after it, counting what can't be framed yet; drain comes once there is", async () => {
      const connection = await slow(role, { highWaterMark: 100_000, writeBufferSize: 1000 });
      const { ws } = connection;
      assert.equal(ws.send(new Uint8Array(99_000)), true);
      assert.equal(ws.send("x".repeat(4000)), false);
      assert.equal(ws.send("x"), false);
      await connection.takeSome();
      assert.equal(connection.drains, 0);
      await until(
        () => ws.bufferedAmount < 100_000,
        () => {
          assert.equal(connection.drains, 0);
          return connection.takeSome();
        },
      );
      assert.equal(connection.drains, 1);
      await connection.takeAll();
      assert.equal(connection.drains, 1, "drain without a send that said false");
    });

    it("write settles when less than highWaterMark waits, framed or not", async () => {
      for (const highWaterMark of [2 ** 20, Infinity]) {
        const connection = await stuck(role, { highWaterMark, writeBufferSize: 1000 });
        const { ws } = connection;
        const long = ws.write(new Uint8Array(100_000));
        assert.equal(await codeOf(ws.write("x".repeat(300_000))), undefined);
        assert.equal(await codeOf(ws.write("a")), undefined);
        assert.equal(await codeOf(ws.write("a", { signal: new AbortController().signal })), undefined);
        assert.equal(await codeOf(ws.writeSome("a", true)), undefined);
        // Its bytes are the caller's.
        assert.equal(await codeOf(long), "pending");
        if (highWaterMark !== Infinity) {
          ws.send("x".repeat(800_000));
          assert.equal(await codeOf(ws.write("a")), "pending");
        }
        ws.terminate();
      }
    });

    const overflowing = { highWaterMark: 1000, maxBufferedAmount: 4000 };

    it('overflow "close": the connection ends, and all waiting writes fail', async () => {
      const connection = await stuck(role, { ...overflowing, overflow: "close" });
      const { ws } = connection;
      const source = new Source(() => never);
      const writes = [ws.write(new Uint8Array(5000)), ws.write(source)];
      for (const write of [...writes, ws.write("a"), ws.writeSome("b", true), ws.ping()]) {
        assert.equal(await codeOf(write), "websocket.queue_overflow");
      }
      assert.deepEqual([source.asked, connection.errors, ws.isOpen], [0, ["websocket.queue_overflow"], false]);
      assert.equal(ws.stats().messagesDropped, 0);
      await connection.end();
    });

    it('overflow "drop": the message is not sent, and all else goes on; drain says when there is room', async () => {
      const connection = await stuck(role, { ...overflowing, overflow: "drop" });
      const { ws, drains } = connection;
      const kept = ws.write(new Uint8Array(5000));
      const source = new Source(() => "never");
      assert.equal(ws.send("never"), false);
      for (const write of [ws.write("never"), ws.write(source), ws.writeSome("never", true), ws.ping()]) {
        assert.equal(await codeOf(write), "websocket.queue_overflow");
      }
      assert.equal(ws.send([utf8("never")]), false);
      assert.deepEqual([ws.stats().messagesDropped, source.asked, connection.drains], [5, 0, drains]);
      assert.equal(ws.bufferedAmount, ws.stats().bufferedAmount);
      await connection.takeAll();
      await kept;
      assert.deepEqual([connection.drains, connection.errors, ws.isOpen], [drains + 1, [], true]);
      assert.equal(ws.send("now"), true);
      await quiet();
      assert.deepEqual(behind(connection).slice(1), ["text now"]);
    });

    it('overflow "drop": a message that has begun gets no hole', async () => {
      const connection = await stuck(role, { ...overflowing, overflow: "drop" });
      const { ws } = connection;
      const parts = [ws.writeSome("a", false), ws.writeSome(new Uint8Array(6000).fill(0x62), false)];
      assert.equal(await codeOf(ws.write("never")), "websocket.queue_overflow");
      parts.push(ws.writeSome("c", false), ws.writeSome("d", true));
      await connection.takeAll();
      await Promise.all(parts);
      assert.equal(Buffer.from(messagesIn(connection.sent)[1].payload).toString(), `a${"b".repeat(6000)}cd`);
      assert.equal(ws.stats().messagesDropped, 1);
    });

    it('overflow "wait": nothing is refused', async () => {
      const connection = await stuck(role, { ...overflowing, overflow: "wait" });
      const { ws } = connection;
      const writes = Array.from({ length: 50 }, (_, i) => ws.write(`${i}`.repeat(500)));
      assert.equal(ws.send("last"), false);
      assert.deepEqual([await codeOf(writes[0]), ws.isOpen], ["pending", true]);
      await connection.takeAll();
      await Promise.all(writes);
      assert.deepEqual([connection.frames.length, connection.frames.at(-1)], [52, "text last"]);
    });

    it("one message larger than maxBufferedAmount may always be sent", async () => {
      const connection = await open(role, { ...overflowing, overflow: "close" });
      await connection.ws.write(new Uint8Array(100_000));
      await connection.ws.write(["x".repeat(100_000)]);
      await quiet();
      assert.equal(messagesIn(connection.sent).length, 2);
    });
  });
}
