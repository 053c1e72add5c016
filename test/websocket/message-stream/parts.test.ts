// Messages that are received in parts.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Message, Stream } from "../../../src/websocket/index.ts";
import { kept, open, roles, type Connection } from "../support/client-kit.ts";
import { concat, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";
import { ways, type Seen } from "../support/ways.ts";

/** A conversation with everything in it that may come, and what of it are messages. */
const said = (peer: Connection): Uint8Array =>
  concat(
    peer.text("né€"),
    peer.binary(Uint8Array.of(0, 1, 255)),
    peer.text(utf8("né€😀").subarray(0, 2), { fin: false }),
    peer.ping("1"),
    peer.more(utf8("né€😀").subarray(2, 8), { fin: false }),
    peer.more("", { fin: false }),
    peer.pong("x"),
    peer.more(utf8("né€😀").subarray(8)),
    peer.text(""),
    peer.binary("", { fin: false }),
    peer.ping("2"),
    peer.more(""),
    peer.binary("ab", { fin: false }),
    peer.more("cd"),
  );
const messages: Seen[] = [
  ["text", "né€"],
  ["binary", "\x00\x01\xff"],
  ["text", "né€😀"],
  ["text", ""],
  ["binary", ""],
  ["binary", "abcd"],
];

for (const role of roles) {
  describe(`as a ${role}: receiving`, () => {
    for (const [name, receive] of ways) {
      it(`${name}: every message, at every split of the bytes, and byte by byte`, async () => {
        const size = said(await open(role)).length;
        for (let split = 0; split <= size; split++) {
          // Split 0 is byte by byte.
          const connection = await open(role, {}, { pair: split === 0 ? { maxRead: 1 } : {} });
          const { ws } = connection;
          const bytes = said(connection);
          const received: Seen[] = [];
          const receiving = (async () => {
            for (const _ of messages) received.push(await receive(ws));
          })();
          if (split > 0) await connection.say(bytes.subarray(0, split));
          await connection.say(bytes.subarray(split));
          await receiving;
          assert.deepEqual(received, messages, `split at ${split}`);
          assert.deepEqual(connection.frames, ["pong 31", "pong 32"]);
          assert.equal(connection.next.reading, true);
        }
      });

      it(`${name}: data that came with the handshake, and before a read`, async () => {
        const { ws } = await open(role, {}, { behind: said });
        for (const message of messages) assert.deepEqual(await receive(ws), message);
      });
    }

    it("every way may follow every other", async () => {
      for (const [, first] of ways) {
        for (const [, second] of ways) {
          const connection = await open(role);
          await connection.say(said(connection), said(connection));
          for (let i = 0; i < messages.length; i++) {
            assert.deepEqual(await (i % 2 === 0 ? first : second)(connection.ws), messages[i]);
          }
          for (const message of messages) assert.deepEqual(await second(connection.ws), message);
        }
      }
    });

    it("parts are delivered as they arrive: of an incomplete frame, of an unfinished message", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const frame = connection.text("abcdef", { fin: false });
      const some = (): Promise<unknown> =>
        codeOf(ws.readSome().then(({ bytes, kind, done }) => [Buffer.from(bytes).toString(), kind, done]));
      await connection.say(frame.subarray(0, frame.length - 2));
      assert.deepEqual(await some(), ["abcd", "text", false]);
      const waiting = ws.readSome();
      assert.equal(await codeOf(waiting), "pending");
      await connection.say(frame.subarray(frame.length - 2));
      assert.deepEqual((await waiting).bytes, utf8("ef"));
      await connection.say(connection.ping("p"), connection.more("g"));
      assert.deepEqual(await some(), ["g", "text", true]);
      assert.deepEqual(connection.frames, ["pong 70"]);
    });

    it("a message of any size passes through with at most one read in memory", async () => {
      const connection = await open(role, { maxMessageSize: Infinity }, { pair: { capacity: 10_000 } });
      const { ws, next } = connection;
      void connection.peer.write(connection.binary(new Uint8Array(5_000_000)));
      const message = await ws.nextMessage();
      let size = 0;
      for await (const bytes of message) {
        size += bytes.length;
        assert.ok(bytes.length <= 10_000 && next.unread <= 10_000);
      }
      assert.equal(size, 5_000_000);
    });

    it("nothing is read without a read pending: the peer waits in the middle of a message", async () => {
      const connection = await open(role, {}, { pair: { capacity: 1000 } });
      let taken = false;
      void connection.peer.write(connection.binary(new Uint8Array(50_000))).then(() => (taken = true));
      const message = await connection.ws.nextMessage();
      await quiet();
      assert.deepEqual([connection.next.reading, taken], [false, false]);
      assert.equal((await message.bytes()).length, 50_000);
    });

    it("the unread rest of a message is dropped by any next read", async () => {
      const next: [name: string, ask: (ws: Stream) => Promise<unknown>][] = [
        ["read", (ws) => ws.read()],
        ["nextMessage", async (ws) => (await ws.nextMessage()).text()],
        ["for await", async (ws) => (await ws[Symbol.asyncIterator]().next()).value],
      ];
      const wants: [name: string, want: (message: Message) => unknown][] = [
        ["nothing", () => {}],
        ["the first part", (message) => message[Symbol.asyncIterator]().next()],
        [
          "a loop that is left",
          async (message) => {
            for await (const _ of message) break;
          },
        ],
      ];
      for (const [, ask] of next) {
        for (const [, want] of wants) {
          const connection = await open(role);
          const { ws } = connection;
          await connection.say(connection.text("a", { fin: false }), connection.more("b", { fin: false }));
          const message = await ws.nextMessage();
          await want(message);
          const asked = ask(ws);
          assert.equal(await codeOf(asked), "pending");
          await connection.say(connection.more("c", { fin: false }), connection.ping("p"), connection.more("d"));
          assert.equal(await codeOf(asked), "pending");
          await connection.say(connection.text("next"));
          assert.equal(await asked, "next");
          assert.deepEqual(connection.frames, ["pong 70"]);
          assert.equal(await codeOf(message.bytes()), "websocket.message_in_progress");
        }
      }
    });

    it("a message that has fully arrived is dropped too", async () => {
      const connection = await open(role);
      await connection.say(connection.text("a"), connection.text("b"), connection.text("c"));
      const first = await connection.ws.nextMessage();
      const second = await connection.ws.nextMessage();
      assert.equal(await codeOf(first.text()), "websocket.message_in_progress");
      assert.equal(await second.text(), "b");
      assert.equal(await connection.ws.read(), "c");
    });

    it("readSome continues where nextMessage stopped", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const [a, b] = [connection.text("a", { fin: false }), connection.more("b", { fin: false })];
      await connection.say(a, b, connection.more("c"), connection.text("d"));
      const message = await ws.nextMessage();
      assert.deepEqual(await ws.readSome(), { bytes: utf8("b"), kind: "text", done: false });
      assert.equal(await codeOf(message.bytes()), "websocket.message_in_progress");
      // From here on it is whoever uses readSome who has the message.
      assert.equal(await codeOf(ws.read()), "websocket.message_in_progress");
      assert.deepEqual(await ws.readSome(), { bytes: utf8("c"), kind: "text", done: true });
      assert.equal(await ws.read(), "d");
    });

    it("in the middle of readSome, read and nextMessage are websocket.message_in_progress, and lose nothing", async () => {
      const connection = await open(role);
      const { ws } = connection;
      await connection.say(connection.text("a", { fin: false }));
      assert.equal((await ws.readSome()).done, false);
      const never = (): void => assert.fail("was called");
      for (let again = 0; again < 2; again++) {
        assert.equal(await codeOf(ws.read()), "websocket.message_in_progress");
        assert.equal(await codeOf(ws.nextMessage()), "websocket.message_in_progress");
        assert.equal(await codeOf(ws[Symbol.asyncIterator]().next()), "websocket.message_in_progress");
        assert.throws(() => ws.read(never), { code: "websocket.message_in_progress" });
        assert.throws(() => ws.nextMessage(never), { code: "websocket.message_in_progress" });
      }
      await connection.say(connection.more("b"), connection.text("c"));
      assert.deepEqual(await ws.readSome(), { bytes: utf8("b"), kind: "text", done: true });
      assert.equal(await ws.read(), "c");
    });

    it("one at a time: a second is core.operation_pending, without affecting the first", async () => {
      for (const first of ["read", "readSome", "nextMessage", "a part"] as const) {
        const connection = await open(role);
        const { ws } = connection;
        if (first === "a part") await connection.say(connection.text("a", { fin: false }));
        const parts = first === "a part" ? (await ws.nextMessage())[Symbol.asyncIterator]() : undefined;
        await parts?.next();
        const waiting: Promise<unknown> = parts?.next() ?? ws[first as "read"]();
        for (const second of ["read", "readSome", "nextMessage"] as const) {
          assert.equal(await codeOf(ws[second]()), "core.operation_pending", `${second} during ${first}`);
        }
        if (parts === undefined) {
          await connection.say(connection.text("b"));
          const value = await waiting;
          const expected = { read: "b", readSome: { bytes: utf8("b"), kind: "text", done: true } };
          if (first === "nextMessage") assert.equal(await (value as Message).text(), "b");
          else assert.deepEqual(value, expected[first as "read"]);
        } else {
          await connection.say(connection.more("b", { fin: false }), connection.more("c"), connection.text("d"));
          assert.deepEqual(await waiting, { done: false, value: utf8("b") });
          assert.deepEqual(await parts.next(), { done: false, value: utf8("c") });
          assert.equal((await parts.next()).done, true);
          assert.equal(await ws.read(), "d");
        }
      }
    });

    it("with a message handler, nothing can be read", async () => {
      const pushed: (string | Uint8Array)[] = [];
      const connection = await open(role, { message: kept(pushed) });
      const { ws } = connection;
      const never = (): void => assert.fail("was called");
      assert.equal(await codeOf(ws.readSome()), "websocket.pushed");
      assert.equal(await codeOf(ws.nextMessage()), "websocket.pushed");
      assert.throws(() => ws.readSome(never), { code: "websocket.pushed" });
      assert.throws(() => ws.nextMessage(never), { code: "websocket.pushed" });
      await connection.say(connection.text("a", { fin: false }), connection.more("b"));
      assert.deepEqual(pushed, ["ab"]);
    });

    it('parts of text are bytes, also with text: "bytes", and gotText says what they are', async () => {
      const connection = await open(role, { text: "bytes" });
      await connection.say(connection.text("é"), connection.binary("b"));
      assert.deepEqual(await connection.ws.readSome(), { bytes: utf8("é"), kind: "text", done: true });
      assert.equal(connection.ws.gotText, true);
      assert.deepEqual(await connection.ws.readSome(), { bytes: utf8("b"), kind: "binary", done: true });
      assert.equal(connection.ws.gotText, false);
    });
  });
}
