// Messages that come and go in parts: the two ways to receive them, and the two ways to send them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import type { Handler, ServalError } from "../../src/core/index.ts";
import type { Message, MessageSource, ReceivedPart, Stream } from "../../src/websocket/index.ts";
import { kept, open, roles, type Connection } from "./client-kit.ts";
import { noise, packed } from "./deflated.ts";
import { concat, utf8 } from "./frames.ts";
import { codeOf, quiet, uncaughtIn } from "./kit.ts";

type Seen = [kind: string, value: string];

const seen = (message: string | Uint8Array): Seen =>
  typeof message === "string" ? ["text", message] : ["binary", Buffer.from(message).toString("latin1")];

/** What is handed out is exact, and the receiver's own: whoever changes it changes nothing else. */
function own(bytes: Uint8Array): Uint8Array {
  assert.equal(bytes.buffer.byteLength, bytes.length, "part of a larger buffer");
  const copy = bytes.slice();
  bytes.fill(0xcc);
  return copy;
}

const whole = (kind: string, bytes: Uint8Array): Seen => [
  kind,
  Buffer.from(bytes).toString(kind === "text" ? "utf8" : "latin1"),
];

/** Each way to receive one message. */
const ways: [name: string, receive: (ws: Stream) => Promise<Seen>][] = [
  ["read", async (ws) => seen(await ws.read())],
  [
    "readSome",
    async (ws) => {
      const parts: Uint8Array[] = [];
      for (;;) {
        const { bytes, kind, done } = await ws.readSome();
        parts.push(own(bytes));
        if (done) return whole(kind, concat(...parts));
      }
    },
  ],
  [
    "readSome with a handler",
    (ws) =>
      new Promise((resolve, reject) => {
        const parts: Uint8Array[] = [];
        const next: Handler<ReceivedPart> = (error, part) => {
          if (error !== undefined) return reject(error);
          parts.push(own(part.bytes));
          if (part.done) resolve(whole(part.kind, concat(...parts)));
          else ws.readSome(next);
        };
        ws.readSome(next);
      }),
  ],
  [
    "the parts of nextMessage",
    async (ws) => {
      const message = await ws.nextMessage();
      const parts: Uint8Array[] = [];
      for await (const bytes of message) {
        assert.ok(bytes.length > 0);
        parts.push(own(bytes));
      }
      return whole(message.kind, concat(...parts));
    },
  ],
  [
    "nextMessage and bytes",
    async (ws) => {
      const message = await ws.nextMessage();
      return whole(message.kind, own(await message.bytes()));
    },
  ],
  [
    "nextMessage and text, or bytes",
    async (ws) => {
      const message = await ws.nextMessage();
      return message.kind === "text" ? ["text", await message.text()] : whole("binary", await message.bytes());
    },
  ],
];

/** What both sides agree to where messages are compressed. */
const extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

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

      it(`${name}: what came with the handshake, and before anyone asked`, async () => {
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

    it("parts come as they come: of a frame that is not whole, of a message that has not ended", async () => {
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

    it("a message of any size flows through: nobody holds more than a read of it", async () => {
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

    it("nobody reads on while nobody asks: the peer has to wait in the middle of a message", async () => {
      const connection = await open(role, {}, { pair: { capacity: 1000 } });
      let taken = false;
      void connection.peer.write(connection.binary(new Uint8Array(50_000))).then(() => (taken = true));
      const message = await connection.ws.nextMessage();
      await quiet();
      assert.deepEqual([connection.next.reading, taken], [false, false]);
      assert.equal((await message.bytes()).length, 50_000);
    });

    it("the rest of a message that nobody wants is dropped, whatever is asked for next", async () => {
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

    it("a message that is there as a whole is dropped too", async () => {
      const connection = await open(role);
      await connection.say(connection.text("a"), connection.text("b"), connection.text("c"));
      const first = await connection.ws.nextMessage();
      const second = await connection.ws.nextMessage();
      assert.equal(await codeOf(first.text()), "websocket.message_in_progress");
      assert.equal(await second.text(), "b");
      assert.equal(await connection.ws.read(), "c");
    });

    it("readSome goes on where nextMessage was", async () => {
      const connection = await open(role);
      await connection.say(connection.text("a", { fin: false }), connection.more("b"), connection.text("c"));
      const message = await connection.ws.nextMessage();
      assert.deepEqual(await connection.ws.readSome(), { bytes: utf8("b"), kind: "text", done: true });
      assert.equal(await codeOf(message.bytes()), "websocket.message_in_progress");
      assert.equal(await connection.ws.read(), "c");
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

    it("one at a time: a second is core.operation_pending, and does the first no harm", async () => {
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

    it("where a handler gets the messages, nothing can be pulled", async () => {
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

  describe(`as a ${role}: receiving, with a signal`, () => {
    /** Aborts a way of reading when something of a message has come; what has come is then read in another. */
    const begun: [name: string, begin: (connection: Connection) => Uint8Array, rest: (c: Connection) => Uint8Array][] =
      [
        ["nothing of it", () => new Uint8Array(0), (c) => concat(c.text("né", { fin: false }), c.more("€"))],
        [
          "half a frame",
          (c) => c.text("né", { fin: false }).subarray(0, -1),
          (c) => concat(c.text("né", { fin: false }).subarray(-1), c.more("€")),
        ],
        ["a fragment", (c) => c.text("né", { fin: false }), (c) => c.more("€")],
        [
          "fragments and a ping",
          (c) => concat(c.text("n", { fin: false }), c.more("é", { fin: false }), c.ping("p")),
          (c) => c.more("€"),
        ],
        [
          "an empty fragment",
          (c) => concat(c.text("", { fin: false }), c.more("né€", { fin: false })),
          (c) => c.more(""),
        ],
      ];
    for (const [name, begin, rest] of begun) {
      it(`a read that is aborted behind ${name} loses nothing: every way gets it`, async () => {
        for (const [, receive] of ways) {
          for (let times = 1; times <= 3; times++) {
            const connection = await open(role);
            const { ws } = connection;
            for (let i = 0; i < times; i++) {
              const controller = new AbortController();
              const read = ws.read({ signal: controller.signal });
              if (i === 0) await connection.say(begin(connection));
              controller.abort();
              assert.equal(await codeOf(read), "core.aborted");
            }
            const received = receive(ws);
            await connection.say(rest(connection), connection.text("next"));
            assert.deepEqual(await received, ["text", "né€"]);
            assert.equal(await ws.read(), "next");
          }
        }
      });
    }

    it("what was gathered for a read that was aborted comes to readSome at once, before there is more", async () => {
      for (const [name, begin] of begun.slice(1)) {
        const connection = await open(role);
        const controller = new AbortController();
        const read = connection.ws.read({ signal: controller.signal });
        await connection.say(begin(connection));
        controller.abort();
        assert.equal(await codeOf(read), "core.aborted");
        const part = (await codeOf(connection.ws.readSome())) as ReceivedPart;
        assert.notEqual(part, "pending", name);
        assert.deepEqual([part.bytes[0], part.kind, part.done], [0x6e, "text", false]);
        own(part.bytes);
      }
    });

    for (const way of ["readSome", "nextMessage"] as const) {
      it(`${way} that is aborted loses nothing, and one that has aborted before takes nothing`, async () => {
        const connection = await open(role);
        const { ws } = connection;
        const controller = new AbortController();
        const waiting = ws[way]({ signal: controller.signal });
        await quiet();
        controller.abort("enough");
        assert.equal(await codeOf(waiting), "core.aborted");
        await connection.say(connection.text("a", { fin: false }));
        assert.equal(await codeOf(ws[way]({ signal: controller.signal })), "core.aborted");
        await connection.say(connection.more("b"));
        assert.equal(await ws.read(), "ab");
      });
    }

    it("one that is aborted while it drops the rest of a message: the next one goes on with that", async () => {
      for (const next of ["read", "nextMessage"] as const) {
        for (const steps of [0, 1, 2]) {
          const connection = await open(role);
          const { ws } = connection;
          await connection.say(connection.text("a", { fin: false }));
          await ws.nextMessage();
          const controller = new AbortController();
          const read = ws[next]({ signal: controller.signal });
          for (let i = 0; i < steps; i++) await connection.say(connection.more("b", { fin: false }));
          controller.abort();
          assert.equal(await codeOf(read), "core.aborted");
          // Another that is aborted before it begins.
          assert.equal(await codeOf(ws[next]({ signal: controller.signal })), "core.aborted");
          const message = ws[next]();
          await connection.say(connection.more("c"), connection.text("next"));
          const received = await codeOf(message);
          assert.equal(next === "read" ? received : await (received as Message).text(), "next");
        }
      }
    });
  });

  it(`as a ${role}: any messages, cut anywhere, received in any ways, of which any are given up, come out exactly`, async () => {
    const message = fc.record({
      isText: fc.boolean(),
      isDeflated: fc.boolean(),
      size: fc.oneof(fc.nat(20), fc.nat(2000), fc.integer({ min: 60_000, max: 200_000 })),
      cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 4 }),
      way: fc.nat(ways.length - 1),
      /** How often a read of it is given up, and after how many turns. */
      aborts: fc.array(fc.nat(3), { maxLength: 3 }),
    });
    const chunks = fc.infiniteStream(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 90_000 })));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 6 }), chunks, async (all, sizes) => {
        const connection = await open(role, { deflate: true }, { extensions });
        const { ws } = connection;
        const expected: Seen[] = [];
        const frames: Uint8Array[] = [];
        for (const { isText, isDeflated, size, cuts } of all) {
          const bytes = isText ? utf8("né€😀".repeat(size / 4)) : noise(size, size);
          expected.push(whole(isText ? "text" : "binary", bytes));
          const payload = isDeflated ? packed(bytes) : bytes;
          const ends = [
            ...cuts.map((cut) => Math.floor(cut * payload.length)).toSorted((a, b) => a - b),
            payload.length,
          ];
          for (const [i, end] of ends.entries()) {
            const part = payload.subarray(ends[i - 1] ?? 0, end);
            const form = { fin: i === ends.length - 1, rsv: isDeflated && i === 0 ? 4 : 0 };
            const first = isText ? connection.text(part, form) : connection.binary(part, form);
            frames.push(i === 0 ? first : connection.more(part, form), connection.ping("p"));
          }
        }
        const bytes = concat(...frames);
        const sending = (async () => {
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value;
            await connection.say(bytes.subarray(at, at + size));
            at += size;
          }
        })();
        const received: Seen[] = [];
        for (const { way, aborts } of all) {
          let early: Seen | undefined;
          for (const turns of aborts) {
            if (early !== undefined) break;
            const controller = new AbortController();
            const read = ws.read({ signal: controller.signal }).then(seen, () => undefined);
            for (let turn = 0; turn < turns; turn++) await quiet();
            controller.abort();
            early = await read;
          }
          received.push(early ?? (await ways[way][1](ws)));
        }
        await sending;
        await quiet();
        assert.deepEqual(received, expected);
        assert.equal(connection.frames.length, frames.length / 2);
        ws.terminate();
      }),
      { numRuns: 60 },
    );
  });

  describe(`as a ${role}: a read that is aborted while its message is inflated elsewhere`, () => {
    const message = noise(200_000);

    /** A connection that is inflating a message, or has, which nobody waits for any more. */
    async function given(isInflated: boolean): Promise<Connection> {
      const connection = await open(role, { deflate: true }, { extensions });
      const { ws } = connection;
      const controller = new AbortController();
      const read = ws.read({ signal: controller.signal });
      await connection.say(connection.binary(packed(message), { rsv: 4 }), connection.text("next"));
      assert.equal(ws.stats().messagesReceived, 0, "it is inflated already");
      controller.abort();
      assert.equal(await codeOf(read), "core.aborted");
      while (isInflated && ws.stats().messagesReceived === 0) await quiet();
      return connection;
    }

    for (const isInflated of [false, true]) {
      for (const [name, receive] of ways) {
        it(`${name} gets it, ${isInflated ? "when it is there" : "when it comes"}`, async () => {
          const connection = await given(isInflated);
          const [kind, value] = await receive(connection.ws);
          assert.equal(kind, "binary");
          assert.ok(value === Buffer.from(message).toString("latin1"));
          assert.equal(await connection.ws.read(), "next");
        });
      }

      it(`closing is not hindered by it, ${isInflated ? "when it is there" : "when it comes"}`, async () => {
        const connection = await given(isInflated);
        const closed = connection.ws.close();
        await connection.say(connection.close(1000));
        while (connection.next.unread > 0 || !connection.next.reading) await quiet();
        assert.deepEqual(await connection.end(), { code: 1000, reason: "", clean: true });
        await closed;
      });
    }
  });

  describe(`as a ${role}: what can go wrong with parts`, () => {
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

      it(`${way}: maxMessageSize holds for the message, however it comes`, async () => {
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

      it(`${way}: maxFragments holds, also for the rest that is dropped`, async () => {
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

    it("who drops the rest of a message hears how the connection ended meanwhile", async () => {
      const connection = await open(role);
      await connection.say(connection.text("a", { fin: false }));
      await connection.ws.nextMessage();
      const read = connection.ws.read();
      await connection.say(connection.more("b", { fin: false }), connection.close(4000));
      await assert.rejects(read, { code: "websocket.closed", close: { code: 4000, reason: "", clean: true } });
      await connection.end();
    });

    it("a message that is given up while it is collected fails whoever collects, and nothing else", async (context) => {
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

    it("writeSome: what can't be sent is core.invalid_argument, and the message goes on", async () => {
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

    it("send takes no iterable; and what none is can't be written", async () => {
      const { ws } = await open(role);
      assert.throws(() => ws.send(["a"] as never), { code: "core.invalid_argument" });
      assert.throws(() => ws.send(new Set(["a"]) as never), { code: "core.invalid_argument" });
      for (const wrong of [[5], ["a", 5], {}, 5]) {
        assert.equal(await codeOf(ws.write(wrong as never)), "core.invalid_argument");
      }
    });

    it("one connection's message is another's source: it flows, and neither is ahead", async () => {
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
