// What waits to be sent to a peer that takes it slowly, or not at all.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { handled, type Role, type ServalError } from "../../src/core/index.ts";
import { prepare, type MessageSource, type StreamOptions } from "../../src/websocket/index.ts";
import { open, roles, type Connection, type Setup } from "./client-kit.ts";
import { unpacked } from "./deflated.ts";
import { concat, frame, utf8, type SentFrame } from "./frames.ts";
import { codeOf, outcomeOf, quiet } from "./kit.ts";

/** A connection whose peer takes 250 bytes when it is told to, and has room for 500. */
async function slow(role: Role, options: StreamOptions = {}, setup: Setup = {}): Promise<Connection> {
  const connection = await open(role, options, { peerPair: { capacity: 500, maxRead: 250 }, ...setup });
  connection.peer.pause();
  return connection;
}

/** One whose peer has no room for anything more; the first frame that it received is none of the test's. */
async function stuck(role: Role, options: StreamOptions = {}): Promise<Connection> {
  const connection = await slow(role, options);
  connection.ws.send(new Uint8Array(1500));
  await quiet();
  assert.equal(connection.peer.stream.unread, 500);
  return connection;
}

/** What the peer got behind the first frame of `stuck`. */
const behind = ({ frames }: Connection): string[] => frames.slice(1);

/**
 * Messages, with their fragments put together, and inflated; half a message fails the test, unless it may be cut by the end.
 */
function messagesIn(sent: SentFrame[], { mayBeCut = false, takesOver = false } = {}): Uint8Array[] {
  const messages: Uint8Array[] = [];
  const deflated: Uint8Array[] = [];
  let inflated = 0;
  let parts: { rsv: number; payloads: Uint8Array[] } | undefined;
  for (const { code, fin, rsv, payload } of sent) {
    if (code >= 8) continue;
    assert.equal(code === 0, parts !== undefined, "a message inside another");
    parts ??= { rsv, payloads: [] };
    parts.payloads.push(payload);
    if (!fin) continue;
    const message = concat(...parts.payloads);
    if (parts.rsv === 0) messages.push(message);
    else if (!takesOver) messages.push(unpacked(message));
    else {
      // A message refers to all those that were deflated before.
      deflated.push(message);
      const all = unpacked(...deflated);
      messages.push(all.subarray(inflated));
      inflated = all.length;
    }
    parts = undefined;
  }
  if (!mayBeCut) assert.equal(parts, undefined, "half a message");
  return messages;
}

/** What both sides agree to where messages are compressed. */
const extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/** A source that notes what is asked of it: how often, and whether it was told to end. */
class Source implements AsyncIterableIterator<string | Uint8Array> {
  asked = 0;
  ended = 0;
  readonly #next: (count: number) => unknown;

  constructor(next: (count: number) => unknown) {
    this.#next = next;
  }

  async next(): Promise<IteratorResult<string | Uint8Array>> {
    const value = (await this.#next(this.asked++)) as string | undefined;
    return value === undefined ? { done: true, value } : { done: false, value };
  }

  return(): Promise<IteratorResult<string | Uint8Array>> {
    this.ended++;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

const never = new Promise<never>(() => {});

/** A control frame that there is not: data would have to wait for a reader. */
const wrong = ({ role }: Connection): Uint8Array => frame(11, "", role === "client" ? { key: undefined } : {});

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
    it("is asked for more only when there is room, and what it gives arrives whole", async () => {
      const connection = await slow(role, { highWaterMark: 1000 });
      const source = new Source((count) => (count < 100 ? utf8(String(count).padStart(100, " ")) : undefined));
      const written = connection.ws.write(source);
      while ((await codeOf(written)) === "pending") {
        const { bufferedAmount } = connection.ws;
        assert.ok(bufferedAmount < 1000 + 120, `${bufferedAmount} bytes wait`);
        const taken = connection.peer.received.length + connection.peer.stream.unread;
        assert.ok(source.asked * 100 < taken + 1000 + 200, `${source.asked} asked, of ${taken} bytes`);
        await connection.takeSome();
      }
      await connection.takeAll();
      const [message] = messagesIn(connection.sent);
      assert.deepEqual([message.length, source.asked, source.ended], [10_000, 101, 0]);
    });

    it("of large parts is asked for one when the one before has left, so it may use one buffer for all", async () => {
      const connection = await slow(role, { highWaterMark: 2 ** 20 }, { peerPair: { capacity: 9000, maxRead: 9000 } });
      const buffer = new Uint8Array(20_000);
      const source = new Source((count) => (count < 5 ? buffer.fill(count) : undefined));
      const written = connection.ws.write(source);
      await quiet();
      assert.equal(source.asked, 1);
      while ((await codeOf(written)) === "pending") await connection.takeSome();
      await connection.takeAll();
      const [message] = messagesIn(connection.sent);
      assert.equal(message.length, 100_000);
      assert.ok(message.every((byte, i) => byte === Math.floor(i / 20_000)));
    });

    it("that fails before anything of it was framed: the write fails, and all else goes on", async () => {
      const cause = new Error("mine");
      const sources: (() => MessageSource)[] = [
        () => new Source(() => Promise.reject(cause)),
        () => new Source((count) => (count === 0 ? "" : Promise.reject(cause))),
        () =>
          (function* () {
            throw cause;
          })() as Iterable<string>,
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

    it("that fails in a message that has begun: the peer is told 1011, and everyone who waits of it", async () => {
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
        it(`${name} ${where}: it is told, and the write fails`, async () => {
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
          assert.ok(asked > 0);
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
        assert.equal(messagesIn(connection.sent)[0].length, 200_000);
      });
    }

    it("the peer's close is answered between them, at once, and nothing comes behind", async () => {
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
      assert.deepEqual(messagesIn(connection.sent, { mayBeCut: true }), []);
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

  describe(`as a ${role}: closing with something queued`, () => {
    it("the close frame comes behind it: long messages, lists, finished parts", async () => {
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

    it("a message that is not finished is cut: what there is of it leaves, then the close frame", async () => {
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

    it("one that has not begun is dropped, and what waits behind it leaves", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const sources = [new Source(() => never), new Source(() => never)];
      const writes = sources.map((source) => ws.write(source));
      const others = [ws.write("behind"), ws.writeSome("a", false), ws.writeSome("b", true), ws.write(["never"])];
      void ws.close({ code: 4000 });
      for (const write of [...writes, others[3]]) assert.equal(await codeOf(write), "websocket.closed");
      await Promise.all(others.slice(0, 3));
      assert.deepEqual(connection.frames, ["text behind", "text (not final) a", "continuation 62", "close 4000"]);
      assert.deepEqual([ws.bufferedAmount, ...sources.map(({ ended }) => ended)], [0, 1, 1]);
      await connection.say(connection.close(4000));
      await connection.end();
    });

    it("a source is not waited for: it is told, and its writer gets websocket.closed", async () => {
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

    it("terminate and the deadline leave nobody waiting", async () => {
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

    it("nothing comes behind a close frame, whatever the handlers do that hear of it", async () => {
      for (const [heard, say] of [
        ["onControl", (c: Connection) => c.close(1000)],
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

  describe(`as a ${role}: a write that is aborted`, () => {
    const kinds: [name: string, data: () => MessageSource | string | Uint8Array | Uint8Array[]][] = [
      ["text", () => "not this"],
      ["bytes", () => utf8("not this")],
      ["a list", () => [utf8("not"), utf8("this")]],
      ["a long one", () => new Uint8Array(100_000)],
      ["a source", () => new Source(() => "not this")],
      ["a source that gives nothing", () => new Source(() => never)],
    ];
    for (const [name, data] of kinds) {
      it(`is withdrawn where nothing of it has left: ${name}`, async () => {
        const connection = await stuck(role, { highWaterMark: 100 });
        const { ws } = connection;
        const controller = new AbortController();
        const given = data();
        const before = ws.write("before");
        const written = ws.write(given, { signal: controller.signal });
        const after = ws.write("after");
        await quiet();
        controller.abort("enough");
        const outcome = await outcomeOf(written);
        assert.ok(outcome !== "pending");
        assert.deepEqual([outcome.error?.code, outcome.error?.cause], ["core.aborted", "enough"]);
        await connection.takeAll();
        await Promise.all([before, after]);
        assert.deepEqual(behind(connection), ["text before", "text after"]);
        assert.equal(ws.bufferedAmount, 0);
        if (given instanceof Source) assert.equal(given.ended, 1);
      });
    }

    it("is sent whole where something of it has left", async () => {
      const connection = await slow(role, { highWaterMark: 100, writeBufferSize: 1000 });
      const { ws } = connection;
      const controller = new AbortController();
      const { signal } = controller;
      const source = new Source((count) => (count < 30 ? "x".repeat(100) : undefined));
      const writes = [ws.write(new Uint8Array(5000), { signal }), ws.write(source, { signal })];
      await quiet();
      controller.abort();
      assert.equal(await codeOf(writes[0]), "core.aborted");
      // The second has not begun.
      assert.equal(await codeOf(writes[1]), "core.aborted");
      assert.equal(source.ended, 1);
      const again = new AbortController();
      const other = new Source((count) => (count < 30 ? "x".repeat(100) : undefined));
      const written = ws.write(other, { signal: again.signal });
      while (!connection.frames.some((one) => one.startsWith("text"))) await connection.takeSome();
      again.abort();
      assert.equal(await codeOf(written), "core.aborted");
      await connection.takeAll();
      await quiet();
      assert.deepEqual(
        messagesIn(connection.sent).map(({ length }) => length),
        [5000, 3000],
      );
      assert.deepEqual([other.ended, other.asked], [0, 31]);
    });

    it("that is aborted before the call is not sent, and takes nothing of a source", async () => {
      const connection = await open(role);
      const source = new Source(() => "a");
      for (const data of ["a", utf8("a"), source]) {
        assert.equal(await codeOf(connection.ws.write(data, { signal: AbortSignal.abort() })), "core.aborted");
      }
      assert.deepEqual([connection.frames, source.asked, source.ended], [[], 0, 0]);
    });

    it("at any time, among any others, to a peer of any speed: never half a message, and none that was not sent", async () => {
      const step = fc.record({
        what: fc.constantFrom("text", "bytes", "list", "source", "prepared", "ping", "abort", "take", "take", "take"),
        size: fc.oneof(fc.nat(40), fc.nat(3000), fc.integer({ min: 16_000, max: 40_000 })),
        aborts: fc.boolean(),
      });
      const deflated = new Set<boolean>();
      await fc.assert(
        fc.asyncProperty(
          fc.array(step, { minLength: 1, maxLength: 30 }),
          fc.constantFrom(1, 500, 64 * 1024, Infinity),
          fc.constantFrom(100, 4000, 128 * 1024),
          fc.constantFrom(undefined, extensions, "permessage-deflate"),
          async (steps, highWaterMark, writeBufferSize, agreed) => {
            const takesOver = agreed === "permessage-deflate";
            const deflate = takesOver && { serverNoContextTakeover: false, clientNoContextTakeover: false };
            const connection = await slow(
              role,
              { highWaterMark, writeBufferSize, overflow: "wait", deflate: deflate || agreed !== undefined },
              { peerPair: { capacity: 3000, maxRead: 1500 }, ...(agreed !== undefined && { extensions: agreed }) },
            );
            const { ws } = connection;
            const writes: { fill: number; size: number; controller: AbortController; outcome: Promise<unknown> }[] = [];
            for (const { what, size, aborts } of steps) {
              if (what === "take") await connection.takeSome();
              else if (what === "ping") handled(ws.ping(utf8("p")));
              else if (what === "abort") {
                if (writes.length > 0) writes[size % writes.length].controller.abort();
              } else {
                const fill = (writes.length % 90) + 33;
                const bytes = new Uint8Array(size).fill(fill);
                const half = size >> 1;
                const data = {
                  text: () => String.fromCharCode(fill).repeat(size),
                  bytes: () => bytes,
                  list: () => [bytes.subarray(0, half), bytes.subarray(half)],
                  source: () => new Set([bytes.subarray(0, half), bytes.subarray(half)]),
                  prepared: () => prepare(bytes),
                }[what]();
                const controller = new AbortController();
                const write = aborts ? ws.write(data, { signal: controller.signal }) : ws.write(data);
                writes.push({
                  fill,
                  size,
                  controller,
                  outcome: write.then(
                    () => "sent",
                    (error: ServalError) => error.code,
                  ),
                });
              }
            }
            await connection.takeAll();
            while (ws.bufferedAmount > 0) await quiet();
            await quiet();
            const { sent } = connection;
            if (sent.some(({ rsv }) => rsv !== 0)) deflated.add(takesOver);
            const arrived = messagesIn(sent, { takesOver });
            for (const { fill, size, outcome } of writes) {
              const result = await outcome;
              const next = arrived[0];
              const isNext = next !== undefined && next.length === size && next.every((byte) => byte === fill);
              assert.ok(isNext || result === "core.aborted", `a message was lost that was ${String(result)}`);
              // An empty one that was withdrawn looks like the empty one behind it.
              if (isNext) arrived.shift();
            }
            assert.deepEqual(arrived, []);
            assert.equal(ws.isOpen, true);
            ws.terminate();
          },
        ),
        { numRuns: 120 },
      );
      assert.equal(deflated.size, 2, "nothing was compressed");
    });
  });

  describe(`as a ${role}: how much may wait`, () => {
    it("bufferedAmount is what has been queued and has not left, framed or not, in parts or whole", async () => {
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

    it("send says whether there is room behind it, counting what can't be framed yet; drain comes once there is", async () => {
      const connection = await slow(role, { highWaterMark: 100_000, writeBufferSize: 1000 });
      const { ws } = connection;
      assert.equal(ws.send(new Uint8Array(99_000)), true);
      assert.equal(ws.send("x".repeat(4000)), false);
      assert.equal(ws.send("x"), false);
      await connection.takeSome();
      assert.equal(connection.drains, 0);
      while (ws.bufferedAmount >= 100_000) {
        assert.equal(connection.drains, 0);
        await connection.takeSome();
      }
      assert.equal(connection.drains, 1);
      await connection.takeAll();
      assert.equal(connection.drains, 1, "drain without a send that said false");
    });

    it("write settles when less than highWaterMark waits, whether it could be framed or not", async () => {
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

    it('overflow "close": the connection ends, for everyone who waits', async () => {
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
      assert.equal(Buffer.from(messagesIn(connection.sent)[1]).toString(), `a${"b".repeat(6000)}cd`);
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
