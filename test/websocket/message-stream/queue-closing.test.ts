// Closing with something queued.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prepare } from "../../../src/websocket/index.ts";
import { open, roles, type Connection } from "../support/client-kit.ts";
import { utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";
import { behind, never, slow, Source, stuck, wrong } from "../support/slow-peer.ts";

for (const role of roles) {
  describe(`as a ${role}: closing with something queued`, () => {
    it("the close frame comes after it: long messages, lists, finished parts", async () => {
      const connection = await slow(role, { writeBufferSize: 5000, highWaterMark: 1 });
      const { ws } = connection;
      const writes = [
        ws.write(new Uint8Array(100_000)),
        ws.write([utf8("a"), utf8("b")]),
        ws.writeSome("c", false),
        ws.writeSome("d", true),
        ws.write(prepare("e")),
      ];
      const closed = ws.close({ code: 4000 });
      assert.equal(await codeOf(ws.write("too late")), "websocket.closed");
      assert.equal(ws.isOpen, false);
      await connection.takeAll();
      await Promise.all(writes);
      assert.deepEqual(connection.frames.slice(20), [
        "binary 6162",
        "text (not final) c",
        "continuation 64",
        "text e",
        "close 4000",
      ]);
      await connection.say(connection.close(4000));
      await connection.end();
      await closed;
    });

    it("an unfinished message is cut: its parts so far are sent, then the close frame", async () => {
      const connection = await stuck(role, { highWaterMark: 1 });
      const { ws } = connection;
      const parts = [ws.writeSome("a", false), ws.writeSome("b", false)];
      const others = [ws.write("never"), ws.write(["never"]), ws.write([utf8("never")])];
      const closed = ws.close({ code: 4000 });
      assert.equal(await codeOf(ws.writeSome("c", true)), "websocket.closed");
      await connection.takeAll();
      await Promise.all(parts);
      for (const write of others) assert.equal(await codeOf(write), "websocket.closed");
      assert.deepEqual(behind(connection), ["text (not final) a", "continuation (not final) 62", "close 4000"]);
      assert.equal(ws.bufferedAmount, 0);
      await connection.say(connection.close(4000));
      await connection.end();
      await closed;
    });

    it("one that has not begun is dropped, and later messages are sent", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const sources = [new Source(() => never), new Source(() => never)];
      const writes = sources.map((source) => ws.write(source));
      const others = [
        ws.write("behind"),
        ws.writeSome("a", false),
        ws.writeSome("b", true),
        ws.write(new Set(["never"])),
      ];
      void ws.close({ code: 4000 });
      for (const write of [...writes, others[3]]) assert.equal(await codeOf(write), "websocket.closed");
      await Promise.all(others.slice(0, 3));
      assert.deepEqual(connection.frames, ["text behind", "text (not final) a", "continuation 62", "close 4000"]);
      assert.deepEqual([ws.bufferedAmount, ...sources.map(({ ended }) => ended)], [0, 1, 1]);
      await connection.say(connection.close(4000));
      await connection.end();
    });

    it("a source is stopped, and its writer gets websocket.closed", async () => {
      const connection = await open(role);
      const source = new Source((count) => (count === 0 ? "a" : never));
      const written = connection.ws.write(source);
      await quiet();
      void connection.ws.close();
      assert.equal(await codeOf(written), "websocket.closed");
      assert.deepEqual([source.ended, connection.frames], [1, ["text (not final) a", "close 1000"]]);
      await connection.say(connection.close(1000));
      await connection.end();
    });

    it("terminate and the deadline complete all waiting operations", async () => {
      for (const how of ["terminate", "deadline"] as const) {
        const connection = await stuck(role, { highWaterMark: 1 });
        const { ws } = connection;
        const source = new Source(() => "x");
        const writes = [
          ws.write(new Uint8Array(100_000)),
          ws.write("a"),
          ws.writeSome("b", false),
          ws.write(source),
          ws.ping("c"),
          ws.write("d", { signal: new AbortController().signal }),
        ];
        if (how === "terminate") ws.terminate();
        else {
          void ws.close();
          await connection.clock.advance(30_000);
        }
        const code = how === "terminate" ? "core.aborted" : "websocket.closed";
        for (const write of writes) assert.equal(await codeOf(write), code);
        assert.equal(source.ended, 1);
        assert.deepEqual([ws.bufferedAmount, connection.clock.pending, connection.next.closed], [0, 0, true]);
      }
    });

    it("nothing comes after a close frame, whatever its handlers do", async () => {
      for (const [heard, say] of [
        ["control", (c: Connection) => c.close(1000)],
        ["error", wrong],
      ] as const) {
        const controller = new AbortController();
        const connection = await open(role, { [heard]: () => controller.abort() });
        const { ws } = connection;
        const waiting = ws.write(new Source(() => never), { signal: controller.signal });
        const others = [ws.write(["behind"]), ws.write("behind")];
        await quiet();
        await connection.say(say(connection));
        assert.equal(await codeOf(waiting), "core.aborted");
        for (const write of others) await codeOf(write);
        assert.deepEqual(
          connection.frames.map((one) => one.slice(0, 5)),
          ["close"],
        );
        await connection.end();
      }
    });
  });
}
