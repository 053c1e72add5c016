// Messages that are sent in parts: with writeSome, as a list, from an iterable.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageSource } from "../../../src/websocket/index.ts";
import { open, roles } from "../support/client-kit.ts";
import { concat, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";

for (const role of roles) {
  describe(`as a ${role}: sending parts`, () => {
    it("writeSome: a frame for each part, the last one final; the first says what it is", async () => {
      const connection = await open(role);
      const { ws } = connection;
      await ws.writeSome("né", false);
      await ws.writeSome(utf8("€"), false);
      await ws.writeSome("", true);
      await ws.writeSome(utf8("a"), false, { kind: "text" });
      await ws.writeSome("b", true);
      await ws.writeSome(utf8("c"), true);
      assert.equal(
        ws.writeSome("d", true, () => {}),
        undefined,
      );
      assert.equal(
        ws.writeSome("e", true, { kind: "binary" }, () => {}),
        undefined,
      );
      await quiet();
      assert.deepEqual(connection.frames, [
        "text (not final) né",
        "continuation (not final) e282ac",
        "continuation",
        "text (not final) a",
        "continuation 62",
        "binary 63",
        "text d",
        "binary 65",
      ]);
    });

    it("writeSome: the message keeps its place, others wait until it is finished, controls don't", async () => {
      const connection = await open(role);
      const { ws } = connection;
      await ws.write("before");
      await ws.writeSome("a", false);
      const write = ws.write("behind");
      const source = ws.write(["b", "e", "hind"]);
      ws.send("behind too");
      await ws.ping("p");
      await connection.say(connection.ping("q"));
      assert.deepEqual(connection.frames, ["text before", "text (not final) a", "ping 70", "pong 71"]);
      // There is room for what waits, but a source has yet to be asked.
      assert.deepEqual([await codeOf(write), await codeOf(source)], [undefined, "pending"]);
      await ws.writeSome("z", true);
      await Promise.all([write, source]);
      await quiet();
      assert.deepEqual(connection.frames.slice(4), [
        "continuation 7a",
        "text behind",
        "text (not final) b",
        "continuation (not final) 65",
        "continuation (not final) 68696e64",
        "continuation",
        "text behind too",
      ]);
    });

    it("RFC 6455 5.6: writeSome: a character may be cut between two parts of text", async () => {
      const cases: [parts: (string | Uint8Array)[], expected: string][] = [
        [["a\ud83d", "\ude00b"], "a😀b"],
        [["\ud83d", "", "\ude00"], "😀"],
        [["\ud83d", utf8("b")], "\ufffdb"],
        [["a", "\ud83d"], "a\ufffd"],
        [["\ud83d\ud83d", "\ude00"], "\ufffd😀"],
      ];
      for (const [parts, expected] of cases) {
        const connection = await open(role);
        for (const [i, part] of parts.entries()) await connection.ws.writeSome(part, i === parts.length - 1);
        await quiet();
        const bytes = concat(...connection.sent.map(({ payload }) => payload));
        assert.equal(Buffer.from(bytes).toString(), expected);
        // The next message begins with nothing left.
        await connection.ws.writeSome("x", true);
        await quiet();
        assert.equal(connection.frames.at(-1), "text x");
      }
    });

    it("writeSome: an invalid part is core.invalid_argument, and the message goes on", async () => {
      const connection = await open(role);
      const { ws } = connection;
      await ws.writeSome("a", false);
      for (const wrong of [undefined, 5, {}, [utf8("a")], ["a"]]) {
        assert.equal(await codeOf(ws.writeSome(wrong as never, false)), "core.invalid_argument");
      }
      await ws.writeSome("b", true);
      await quiet();
      assert.deepEqual(connection.frames, ["text (not final) a", "continuation 62"]);
    });

    it("a list of buffers is one message", async () => {
      const connection = await open(role, { writeBufferSize: 100_000 });
      const { ws } = connection;
      const large = [new Uint8Array(70_000).fill(1), new Uint8Array(70_000).fill(2)];
      await ws.write([utf8("a"), new Uint8Array(0), utf8("bc")]);
      await ws.write([utf8("né"), utf8("€")], { kind: "text" });
      await ws.write([]);
      ws.send([utf8("d"), utf8("e")]);
      await ws.write(large);
      await quiet();
      assert.deepEqual(connection.frames.slice(0, 4), ["binary 616263", "text né€", "binary", "binary 6465"]);
      const [first, second] = connection.sent.slice(4);
      assert.deepEqual([first.fin, first.payload.length, second.fin], [false, 100_000, true]);
      assert.deepEqual(concat(first.payload, second.payload), concat(...large));
    });

    const sources: [name: string, make: () => MessageSource, frames: string[]][] = [
      ["strings", () => ["a", "b"], ["text (not final) a", "continuation (not final) 62", "continuation"]],
      [
        "bytes and strings",
        () => [utf8("a"), "b"],
        ["binary (not final) 61", "continuation (not final) 62", "continuation"],
      ],
      ["nothing", () => new Set<string>(), ["binary"]],
      [
        "a generator",
        function* (): Generator<string> {
          yield "\ud83d";
          yield "\ude00";
        } as unknown as () => MessageSource,
        ["text (not final) 😀", "continuation"],
      ],
      [
        "an async generator",
        async function* (): AsyncGenerator<string> {
          await quiet();
          yield "a";
          await quiet();
        } as unknown as () => MessageSource,
        ["text (not final) a", "continuation"],
      ],
    ];
    for (const [name, make, frames] of sources) {
      it(`an iterable of ${name} is one message`, async () => {
        const connection = await open(role);
        await connection.ws.write(make());
        await quiet();
        assert.deepEqual(connection.frames, frames);
        const seenBy: unknown[] = [];
        connection.ws.write(make(), { kind: "binary" }, (error) => seenBy.push(error));
        assert.deepEqual(seenBy, []);
        await quiet();
        await quiet();
        await quiet();
        assert.deepEqual(seenBy, [undefined]);
        assert.match(connection.frames[frames.length], /^binary/);
      });
    }

    it("anything but a message or an iterable can't be sent", async () => {
      const { ws } = await open(role);
      for (const wrong of [[5], ["a", 5], {}, 5]) {
        assert.equal(await codeOf(ws.write(wrong as never)), "core.invalid_argument");
        assert.throws(() => ws.send(wrong as never), { code: "core.invalid_argument" });
      }
    });

    it("a message of one connection can be another's source, part by part", async () => {
      const from = await open(role, {}, { pair: { capacity: 5000 } });
      const to = await open(role, { highWaterMark: 5000 }, { peerPair: { capacity: 5000, maxRead: 5000 } });
      void from.peer.write(
        from.text("é".repeat(100_000), { fin: false }),
        from.more("x".repeat(200_000)),
        from.binary("y"),
      );
      to.peer.pause();
      const copying = (async () => {
        for (let i = 0; i < 2; i++) {
          const message = await from.ws.nextMessage();
          await to.ws.write(message, { kind: message.kind });
        }
      })();
      await quiet();
      assert.ok(to.ws.bufferedAmount <= 11_000, `${to.ws.bufferedAmount} bytes wait`);
      assert.equal(from.next.reading, false);
      await to.takeAll();
      await copying;
      await quiet();
      const { sent } = to;
      const texts = sent.filter(({ payload }) => payload[0] !== 0x79).map(({ payload }) => payload);
      const whole = Buffer.concat(texts).toString();
      assert.ok(whole === "é".repeat(100_000) + "x".repeat(200_000), `${whole.length} characters`);
      assert.deepEqual([sent[0].code, to.frames.slice(-2)], [1, ["binary (not final) 79", "continuation"]]);
    });
  });
}
