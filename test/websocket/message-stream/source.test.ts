// Messages that come from a source.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handled } from "../../../src/core/internal.ts";
import type { MessageSource } from "../../../src/websocket/index.ts";
import { open, roles, type Connection } from "../support/client-kit.ts";
import { utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, outcomeOf } from "../support/kit.ts";
import { messagesIn } from "../support/sent-messages.ts";
import { behind, never, slow, Source, stuck, wrong } from "../support/slow-peer.ts";
import { until } from "../../support/until.ts";

/** The ways in which a connection ends, and what is said of it then to those who wait. */
const ends: [name: string, code: string, end: (connection: Connection) => unknown][] = [
  ["the peer closes", "websocket.closed", (c) => c.say(c.close(1000))],
  ["the peer ends", "websocket.closed", (c) => c.peer.stream.end()],
  ["the connection is reset", "core.connection_reset", (c) => c.peer.stream.reset()],
  ["we terminate", "core.aborted", (c) => c.ws.terminate()],
  ["the peer breaks a rule", "websocket.bad_opcode", (c) => c.say(wrong(c))],
];

for (const role of roles) {
  describe(`as a ${role}: a source and a slow peer`, () => {
    it("is asked for more only when there is room, and arrives whole", async () => {
      const connection = await slow(role, { highWaterMark: 1000 });
      const source = new Source((count) => (count < 100 ? utf8(String(count).padStart(100, " ")) : undefined));
      const written = connection.ws.write(source);
      await until(
        async () => (await codeOf(written)) !== "pending",
        () => {
          const { bufferedAmount } = connection.ws;
          assert.ok(bufferedAmount < 1000 + 120, `${bufferedAmount} bytes wait`);
          const taken = connection.peer.received.length + connection.peer.stream.unread;
          assert.ok(source.asked * 100 < taken + 1000 + 200, `${source.asked} asked, of ${taken} bytes`);
          return connection.takeSome();
        },
      );
      await connection.takeAll();
      const [{ payload: message }] = messagesIn(connection.sent);
      assert.deepEqual([message.length, source.asked, source.ended], [10_000, 101, 0]);
    });

    it("with large parts is asked for the next when the last has left, so it may reuse its buffer", async () => {
      const connection = await slow(role, { highWaterMark: 2 ** 20 }, { peerPair: { capacity: 9000, maxRead: 9000 } });
      const buffer = new Uint8Array(20_000);
      const source = new Source((count) => (count < 5 ? buffer.fill(count) : undefined));
      const written = connection.ws.write(source);
      await quiet();
      assert.equal(source.asked, 1);
      await until(
        async () => (await codeOf(written)) !== "pending",
        () => connection.takeSome(),
      );
      await connection.takeAll();
      const [{ payload: message }] = messagesIn(connection.sent);
      assert.equal(message.length, 100_000);
      assert.ok(message.every((byte, i) => byte === Math.floor(i / 20_000)));
    });

    it("that fails before anything of it was framed: the write fails, and all else goes on", async () => {
      const cause = new Error("mine");
      const sources: (() => MessageSource)[] = [
        () => new Source(() => Promise.reject(cause)),
        () => new Source((count) => (count === 0 ? "" : Promise.reject(cause))),
        () =>
          ({
            [Symbol.iterator]: () => ({
              next: () => {
                throw cause;
              },
            }),
          }) as Iterable<string>,
        () =>
          ({
            [Symbol.iterator]: () => {
              throw cause;
            },
          }) as Iterable<string>,
      ];
      for (const make of sources) {
        for (const isStuck of [false, true]) {
          const connection = isStuck ? await stuck(role) : await open(role);
          const { ws } = connection;
          const failed = ws.write(make());
          const others = [ws.write("behind"), ws.write(["a"])];
          const outcome = await outcomeOf(failed);
          assert.ok(outcome !== "pending");
          assert.deepEqual([outcome.error?.code, outcome.error?.cause], ["websocket.source_failed", cause]);
          await connection.takeAll();
          await Promise.all(others);
          await quiet();
          const expected = ["text behind", "text (not final) a", "continuation"];
          assert.deepEqual(isStuck ? behind(connection) : connection.frames, expected);
          assert.deepEqual([connection.errors, ws.isOpen, ws.bufferedAmount], [[], true, 0]);
        }
      }
    });

    it("that fails in a message that has begun: the peer gets 1011, and waiting operations fail", async () => {
      const cause = new Error("mine");
      const connection = await open(role);
      const { ws } = connection;
      const failed = ws.write(new Source((count) => (count === 0 ? "a" : Promise.reject(cause))));
      const others = [ws.write(["never"]), ws.writeSome("never", false)];
      const outcome = await outcomeOf(failed);
      assert.ok(outcome !== "pending");
      assert.deepEqual([outcome.error?.code, outcome.error?.cause], ["websocket.source_failed", cause]);
      assert.equal(await codeOf(others[0]), "websocket.closed");
      assert.equal(await codeOf(ws.write("later")), "websocket.closed");
      assert.equal(ws.send("later"), false);
      assert.deepEqual(connection.frames, ["text (not final) a", "close 1011"]);
      assert.deepEqual(connection.errors, ["websocket.source_failed"]);
      await connection.say(connection.close(1011));
      assert.deepEqual(await connection.end(), { code: 1011, reason: "", clean: true });
    });

    for (const [name, code, end] of ends) {
      for (const where of ["while it is asked", "while it waits for room", "before its turn"] as const) {
        it(`${name} ${where}: it is stopped, and the write fails`, async () => {
          const connection =
            where === "while it is asked" ? await open(role) : await slow(role, { highWaterMark: 100 });
          const { ws } = connection;
          if (where === "before its turn") handled(ws.writeSome("first", false));
          const source = new Source((count) =>
            where === "while it waits for room" || count === 0 ? "x".repeat(99) : never,
          );
          const written = ws.write(source);
          await quiet();
          const { asked } = source;
          assert.equal(asked > 0, where !== "before its turn");
          await end(connection);
          await quiet();
          assert.equal(await codeOf(written), code);
          assert.deepEqual([source.ended, source.asked], [1, asked]);
          assert.deepEqual(connection.errors.includes("websocket.source_failed"), false);
          await connection.end();
        });
      }
    }
  });
}
