// What a message may be made of, besides strings and Uint8Arrays.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { describe, it } from "node:test";
import { prepare, type Sendable } from "../../../src/websocket/index.ts";
import { open, roles } from "../support/client-kit.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf } from "../support/kit.ts";
import { messagesIn } from "../support/sent-messages.ts";
import { behind, never, slow, Source, stuck } from "../support/slow-peer.ts";
import { until } from "../../support/until.ts";

const memory = Uint8Array.of(1, 2, 3, 4);

const bytes: readonly [name: string, data: Sendable, hex: string][] = [
  ["an ArrayBuffer", memory.buffer, "01020304"],
  ["a SharedArrayBuffer", new SharedArrayBuffer(2), "0000"],
  ["a DataView", new DataView(memory.buffer, 1, 2), "0203"],
  ["a Uint16Array", new Uint16Array(memory.buffer, 2, 1), "0304"],
  ["a Buffer", Buffer.from([5, 6]), "0506"],
  ["a list of them", [memory.buffer, new DataView(memory.buffer, 3), Uint8Array.of(8)], "010203040408"],
];

/** A Blob of so many pieces, 64 KiB each as it says, which notes how many it was asked for. */
class SlowBlob extends Blob {
  override readonly size: number;
  asked = 0;
  readonly #next: () => unknown;

  constructor(pieces: number, next: () => unknown) {
    super([]);
    this.size = pieces * 65_536;
    this.#next = next;
  }

  override slice(): Blob {
    this.asked++;
    return { arrayBuffer: this.#next } as Blob;
  }
}

for (const role of roles) {
  describe(`as a ${role}`, () => {
    for (const [name, data, hex] of bytes) {
      it(`${name} is sent as binary, or as text with kind`, async () => {
        const connection = await open(role);
        const { ws } = connection;
        assert.equal(ws.send(data), true);
        await ws.write(data);
        ws.send(data, { kind: "text" });
        await quiet();
        const text = `text ${Buffer.from(hex, "hex").toString()}`;
        assert.deepEqual(connection.frames, [`binary ${hex}`, `binary ${hex}`, text]);
      });
    }

    it("bytes of any kind make parts, pings, pongs and prepared messages", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const view = new DataView(memory.buffer, 1, 2);
      void ws.writeSome(memory.buffer, false);
      void ws.writeSome(view, true);
      void ws.ping(view);
      void ws.pong(memory.buffer);
      ws.send(prepare(view));
      await quiet();
      const parts = ["binary (not final) 01020304", "continuation 0203"];
      assert.deepEqual(connection.frames, [...parts, "ping 0203", "pong 01020304", "binary 0203"]);
    });

    it("a Blob is sent as binary, or as text with kind, by write and by send, in order", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const large = new Blob([new Uint8Array(200_000).fill(7)]);
      const written = ws.write(new Blob(["né"]));
      assert.equal(ws.send(new Blob(["né"]), { kind: "text" }), true);
      assert.equal(ws.send("behind"), true);
      ws.send(new Blob([]));
      await written;
      await ws.write(large);
      await quiet();
      const messages = messagesIn(connection.sent);
      assert.deepEqual(
        messages.map(({ code, payload }) => [code, payload.length]),
        [
          [2, 3],
          [1, 3],
          [1, 6],
          [2, 0],
          [2, 200_000],
        ],
      );
      assert.ok(messages[4]!.payload.every((byte) => byte === 7));
    });

    it("a Blob is read as there is room", async () => {
      const connection = await slow(role, { highWaterMark: 1000 });
      const blob = new SlowBlob(100, () => new ArrayBuffer(100));
      connection.ws.send(blob);
      await quiet();
      await until(
        () => connection.ws.bufferedAmount === 0,
        () => {
          const taken = connection.peer.received.length + connection.peer.stream.unread;
          assert.ok(blob.asked * 100 < taken + 1000 + 200, `${blob.asked} asked, of ${taken} bytes`);
          return connection.takeSome();
        },
      );
      await connection.takeAll();
      assert.deepEqual([messagesIn(connection.sent)[0]!.payload.length, blob.asked], [10_000, 100]);
    });

    it("Blobs count at once, and are read one after the other, when their turn comes", async () => {
      const connection = await slow(role, {}, { peerPair: { capacity: 50_000, maxRead: 25_000 } });
      const { ws } = connection;
      ws.send(new Uint8Array(150_000));
      await quiet();
      const before = ws.bufferedAmount;
      const blobs = Array.from({ length: 5 }, () => new SlowBlob(1, () => new ArrayBuffer(65_536)));
      assert.deepEqual([ws.send(blobs[0]!), ws.send(["x", "y"])], [false, false]);
      for (const blob of blobs.slice(1)) void ws.write(blob);
      assert.equal(ws.bufferedAmount, before + 5 * 65_536);
      await quiet();
      const begun = (): number => blobs.filter(({ asked }) => asked > 0).length;
      assert.equal(begun(), 0);
      await until(
        () => ws.bufferedAmount === 0,
        () => {
          const ends = connection.sent.filter(({ fin }) => fin).length - 1;
          // Two that are on their way, and the list between them.
          assert.ok(begun() <= ends + 3, `${begun()} are read, when ${ends} messages have come`);
          return connection.takeSome();
        },
      );
      await connection.takeAll();
      const lengths = messagesIn(connection.sent).map(({ payload }) => payload.length);
      assert.deepEqual(lengths, [150_000, 65_536, 2, 65_536, 65_536, 65_536, 65_536]);
    });

    it("a write after a Blob waits until there is room", async () => {
      const { ws } = await open(role, { highWaterMark: 65_536 });
      const pieces: ((piece: ArrayBuffer) => void)[] = [];
      ws.send(new SlowBlob(2, () => new Promise((resolve) => void pieces.push(resolve))));
      let isDone = false;
      const written = ws.write("behind").then(() => (isDone = true));
      await quiet();
      assert.equal(isDone, false);
      for (const count of [1, 2]) {
        assert.equal(pieces.length, count);
        pieces.at(-1)!(new ArrayBuffer(65_536));
        await quiet();
      }
      await written;
    });

    it("a source is asked in the context of its write, even if another call makes room", async () => {
      const connection = await slow(role);
      const storage = new AsyncLocalStorage<string>();
      const asked: (string | undefined)[] = [];
      const source = new Source((count) => {
        asked.push(storage.getStore());
        return count < 3 ? "x" : undefined;
      });
      storage.run("first", () => void connection.ws.write(new Uint8Array(100_000)));
      storage.run("second", () => void connection.ws.write(source));
      await quiet();
      assert.deepEqual(asked, []);
      await storage.run("peer", () => connection.takeAll());
      assert.deepEqual(asked, ["second", "second", "second", "second"]);
    });

    it("the announced size of a Blob that is withdrawn or fails no longer counts", async () => {
      const connection = await stuck(role);
      const { ws } = connection;
      const before = ws.bufferedAmount;
      const controller = new AbortController();
      const withdrawn = ws.write(new SlowBlob(2, () => never), { signal: controller.signal });
      const failing = ws.write(new SlowBlob(3, () => Promise.reject(new Error("mine"))));
      assert.equal(ws.bufferedAmount, before + 5 * 65_536);
      controller.abort();
      assert.equal(ws.bufferedAmount, before + 3 * 65_536);
      assert.equal(await codeOf(withdrawn), "core.aborted");
      assert.equal(await codeOf(failing), "websocket.source_failed");
      assert.equal(ws.bufferedAmount, before);
      await connection.takeAll();
      assert.equal(ws.bufferedAmount, 0);
      await ws.write("on");
      await quiet();
      assert.deepEqual(behind(connection), ["text on"]);
    });

    it("a close waits for a list, whose parts are there", async () => {
      const connection = await open(role);
      connection.ws.send(["a", "b"]);
      void connection.ws.close();
      await quiet();
      assert.deepEqual(connection.frames, [
        "text (not final) a",
        "continuation (not final) 62",
        "continuation",
        "close 1000",
      ]);
    });

    it("a close waits for a Blob, and cuts an iterable, which may never end", async () => {
      const connection = await slow(role, { highWaterMark: 1000 });
      const { ws } = connection;
      ws.send(new Blob([new Uint8Array(5000)]));
      const source = new Source(() => never);
      ws.send(source);
      const closing = ws.close({ code: 4000 });
      assert.equal(ws.send("late"), false);
      await quiet();
      assert.equal(source.ended, 0);
      await connection.takeAll();
      assert.deepEqual(
        messagesIn(connection.sent).map(({ payload }) => payload.length),
        [5000],
      );
      assert.deepEqual([connection.frames.at(-1), source.ended], ["close 4000", 1]);
      await connection.say(connection.close(4000));
      assert.deepEqual(await connection.end(), { code: 4000, reason: "", clean: true });
      assert.equal(await codeOf(closing), undefined);
    });

    it("a Blob that a close waits for is cancelled if the peer closes, or at the deadline", async () => {
      for (const end of ["the peer closes", "the deadline"] as const) {
        const connection = await open(role, { timeouts: { handshake: 1000 } });
        let give: ((piece: ArrayBuffer) => void) | undefined;
        const blob = new SlowBlob(3, () => new Promise((resolve) => (give = resolve)));
        connection.ws.send(blob);
        void connection.ws.close();
        await quiet();
        assert.deepEqual([connection.frames, blob.asked], [[], 1]);
        if (end === "the peer closes") await connection.say(connection.close(1000));
        else await connection.clock.advance(1000);
        await quiet();
        give!(new ArrayBuffer(1));
        await quiet();
        assert.equal(blob.asked, 1);
        assert.equal((await connection.end()).clean, end === "the peer closes");
      }
    });

    it("a Blob is cancelled with its write, and with the connection", async () => {
      const connection = await stuck(role);
      const controller = new AbortController();
      const blobs = [1, 1, 1].map((pieces) => new SlowBlob(pieces, () => never));
      const first = connection.ws.write(blobs[0]!, { signal: controller.signal });
      const second = connection.ws.write(blobs[1]!);
      connection.ws.send(blobs[2]!);
      await quiet();
      controller.abort();
      assert.equal(await codeOf(first), "core.aborted");
      connection.ws.terminate();
      assert.equal(await codeOf(second), "core.aborted");
      await quiet();
      assert.deepEqual(
        blobs.map(({ asked }) => asked),
        [1, 1, 0],
      );
      assert.deepEqual([behind(connection), connection.ws.bufferedAmount], [[], 0]);
    });

    it("send takes iterables, whose parts are one message", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const parts = async function* (): AsyncGenerator<string | ArrayBuffer> {
        yield "a";
        yield memory.buffer;
      };
      assert.equal(ws.send(parts()), true);
      assert.equal(ws.send(new Set(["b"])), true);
      await quiet();
      assert.deepEqual(connection.frames, [
        "text (not final) a",
        "continuation (not final) 01020304",
        "continuation",
        "text (not final) b",
        "continuation",
      ]);
    });

    for (const [when, source, frames] of [
      ["before it has begun", [() => Promise.reject(new Error("mine"))], ["close 1011"]],
      ["later", [() => "a", () => Promise.reject(new Error("mine"))], ["text (not final) a", "close 1011"]],
    ] as const) {
      it(`a sent source that fails ${when} ends the connection, since no caller awaits it`, async () => {
        const connection = await open(role);
        assert.equal(connection.ws.send(new Source((count) => source[count]!())), true);
        await quiet();
        assert.deepEqual(connection.frames, frames);
        assert.deepEqual(connection.errors, ["websocket.source_failed"]);
        await connection.say(connection.close(1011));
        assert.deepEqual(await connection.end(), { code: 1011, reason: "", clean: true });
      });
    }

    it("send throws a source's exception when its iterator is made, and returns false if it can't be sent", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const cause = new Error("mine");
      const failing = {
        [Symbol.iterator]: () => {
          throw cause;
        },
      } as unknown as Iterable<string>;
      assert.throws(() => ws.send(failing), { code: "websocket.source_failed", cause });
      assert.equal(ws.send("behind"), true);
      await quiet();
      void ws.close();
      const source = new Source(() => "a");
      assert.equal(ws.send(source), false);
      await quiet();
      assert.deepEqual([source.asked, connection.frames], [0, ["text behind", "close 1000"]]);
    });

    it("an unknown kind leaves no message that others would wait for", async () => {
      const connection = await open(role);
      const { ws } = connection;
      const kind = "txt" as "text";
      assert.equal(await codeOf(ws.write(["a"], { kind })), "core.invalid_argument");
      assert.throws(() => ws.send(new Blob(["a"]), { kind }), { code: "core.invalid_argument" });
      await ws.write("behind");
      await quiet();
      assert.deepEqual(connection.frames, ["text behind"]);
    });
  });
}
