// Messages in parts that break a rule, or that do not come to their end.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import type { Stream } from "../../../src/websocket/index.ts";
import { open, roles, type Connection } from "../support/client-kit.ts";
import { utf8 } from "../support/frames.ts";
import { codeOf, uncaughtIn } from "../support/kit.ts";

for (const role of roles) {
  describe(`as a ${role}: failures with parts`, () => {
    /** Receives in parts, up to the error. */
    async function partsOf(ws: Stream, way: "readSome" | "nextMessage"): Promise<[string, string]> {
      let received = "";
      try {
        if (way === "nextMessage") {
          for await (const bytes of await ws.nextMessage()) received += Buffer.from(bytes).toString("latin1");
        } else {
          for (let done = false; !done;) {
            const part = await ws.readSome();
            received += Buffer.from(part.bytes).toString("latin1");
            done = part.done;
          }
        }
        return [received, ""];
      } catch (error) {
        return [received, (error as ServalError).code];
      }
    }

    for (const way of ["readSome", "nextMessage"] as const) {
      it(`RFC 6455 8.1: ${way}: text is checked across its parts, and refused at the first bad byte`, async () => {
        const euro = utf8("€");
        const cases: [frames: (c: Connection) => Uint8Array[], received: string][] = [
          [(c) => [c.text("ab", { fin: false }), c.more(Uint8Array.of(0x63, 0xff))], "ab"],
          [(c) => [c.text(euro.subarray(0, 1), { fin: false }), c.more("a", { fin: false })], "\xe2"],
          [(c) => [c.text(euro.subarray(0, 2), { fin: false }), c.more("")], "\xe2\x82"],
          [(c) => [c.text("a", { fin: false }), c.more(euro.subarray(0, 2))], "a"],
          [(c) => [c.text(euro.subarray(0, 2))], ""],
          [(c) => [c.text(Uint8Array.of(0x61, 0xed, 0xa0), { announced: 1000 })], ""],
        ];
        for (const [frames, expected] of cases) {
          const connection = await open(role);
          const received = partsOf(connection.ws, way);
          for (const one of frames(connection)) await connection.say(one);
          assert.deepEqual(await received, [expected, "websocket.bad_frame_payload"]);
          assert.deepEqual(connection.errors, ["websocket.bad_frame_payload"]);
          assert.deepEqual(connection.frames, ["close 1007The WebSocket text message is not valid UTF-8"]);
        }
      });

      it(`${way}: maxMessageSize limits the message, however it arrives`, async () => {
        for (const [sizes, fits] of [
          [[100], true],
          [[101], false],
          [[60, 40], true],
          [[60, 41], false],
          [[100, 0], true],
          [[100, 1], false],
        ] as [number[], boolean][]) {
          const connection = await open(role, { maxMessageSize: 100 });
          const received = partsOf(connection.ws, way);
          for (const [i, size] of sizes.entries()) {
            const fin = i === sizes.length - 1;
            const bytes = new Uint8Array(size);
            await connection.say(i === 0 ? connection.binary(bytes, { fin }) : connection.more(bytes, { fin }));
          }
          const [bytes, code] = await received;
          assert.equal(code, fits ? "" : "websocket.message_too_big");
          assert.equal(bytes.length, fits ? 100 : sizes.length === 1 ? 0 : sizes[0]);
          if (!fits) assert.match(connection.frames[0], /^close 1009/);
          // Each message has the whole of it.
          if (!fits) continue;
          const again = partsOf(connection.ws, way);
          await connection.say(connection.binary(new Uint8Array(100)));
          assert.equal((await again)[1], "");
        }
      });

      it(`${way}: maxFragments limits it, also for the dropped rest`, async () => {
        for (const drops of [false, true]) {
          const connection = await open(role, { maxFragments: 3 });
          const { ws } = connection;
          const fragments = (count: number): Uint8Array[] =>
            Array.from({ length: count }, (_, i) => {
              const form = { fin: i === count - 1 };
              return i === 0 ? connection.text("x", form) : connection.more("x", form);
            });
          const first = partsOf(ws, way);
          await connection.say(...fragments(3));
          assert.deepEqual(await first, ["xxx", ""]);
          if (drops) {
            await connection.say(...fragments(4).slice(0, 1));
            await ws.nextMessage();
            const read = ws.read();
            await connection.say(...fragments(4).slice(1));
            assert.equal(await codeOf(read), "websocket.too_many_fragments");
          } else {
            const second = partsOf(ws, way);
            await connection.say(...fragments(4));
            assert.deepEqual(await second, ["xxx", "websocket.too_many_fragments"]);
          }
          assert.match(connection.frames[0], /^close 1008/);
        }
      });

      for (const [name, code, end] of [
        ["the peer closes in the middle", "websocket.closed", (c) => c.say(c.close(1000))],
        ["the peer ends in the middle", "websocket.closed", (c) => c.peer.stream.end()],
        ["the connection is reset in the middle", "core.connection_reset", (c) => c.peer.stream.reset()],
        [
          "we close in the middle",
          "websocket.closed",
          (c) => {
            void c.ws.close();
            return c.say(c.more("dropped"), c.close(1000));
          },
        ],
        ["we terminate in the middle", "core.aborted", (c) => c.ws.terminate()],
        ["the peer breaks a rule in the middle", "websocket.bad_data_frame", (c) => c.say(c.text("b"))],
      ] as [string, string, (connection: Connection) => unknown][]) {
        it(`${way}: ${name}: ${code}, and again and again`, async () => {
          const connection = await open(role);
          const received = partsOf(connection.ws, way);
          await connection.say(connection.text("a", { fin: false }));
          await end(connection);
          assert.deepEqual(await received, ["a", code]);
          assert.equal(await codeOf(connection.ws[way]()), code);
          assert.equal(await codeOf(connection.ws.read()), code);
          await connection.end();
        });
      }
    }

    it("dropping the rest of a message fails with how the connection ended meanwhile", async () => {
      const connection = await open(role);
      await connection.say(connection.text("a", { fin: false }));
      await connection.ws.nextMessage();
      const read = connection.ws.read();
      await connection.say(connection.more("b", { fin: false }), connection.close(4000));
      await assert.rejects(read, { code: "websocket.closed", close: { code: 4000, reason: "", clean: true } });
      await connection.end();
    });

    it("a message that is abandoned while it is collected fails only that call", async (context) => {
      const uncaught = uncaughtIn(context);
      const connection = await open(role);
      await connection.say(connection.text("a", { fin: false }));
      const collected = (await connection.ws.nextMessage()).bytes();
      const read = connection.ws.read();
      assert.equal(await codeOf(collected), "websocket.message_in_progress");
      await connection.say(connection.more("b"), connection.text("c"));
      assert.equal(await read, "c");
      assert.deepEqual(uncaught, []);
    });
  });
}
