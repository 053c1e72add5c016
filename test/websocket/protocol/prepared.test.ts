import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { handled } from "../../../src/core/internal.ts";
import type { Deflater } from "../../../src/websocket/deflate/deflate.ts";
import { prepare, type PrepareOptions, type Sendable } from "../../../src/websocket/index.ts";
import { open, roles } from "../support/client-kit.ts";
import { unpacked } from "../support/deflated.ts";
import { frame, framesIn, utf8 } from "../support/frames.ts";
import { codeOf, quiet } from "../support/kit.ts";

const long = "né€😀 ".repeat(30_000);

const messages: [name: string, data: string | Uint8Array, options?: PrepareOptions][] = [
  ["text", "né€😀"],
  ["bytes", utf8("b")],
  ["bytes as text", utf8("né"), { kind: "text" }],
  ["a string as binary", "né", { kind: "binary" }],
  ["nothing", ""],
  ["no bytes", new Uint8Array(0)],
  ["125 bytes", "x".repeat(125)],
  ["126 bytes", "x".repeat(126)],
  ["16 KiB", new Uint8Array(16 * 1024).fill(7)],
  ["more than 16 KiB, which is not copied", new Uint8Array(16 * 1024 + 1).fill(7)],
  ["a frame of the largest size", new Uint8Array(128 * 1024).fill(7)],
  ["more than that, which goes out in fragments", long],
];

describe("prepare", () => {
  for (const role of roles) {
    for (const [name, data, options] of messages) {
      it(`as a ${role}: ${name} leaves as it would with send, by send, by write and behind others`, async () => {
        const connection = await open(role);
        const { ws } = connection;
        const news = prepare(data, options);
        const kind = options?.kind ?? (typeof data === "string" ? "text" : "binary");
        // A string that is sent as binary is what its bytes are.
        const plain: Sendable = typeof data === "string" && kind === "binary" ? utf8(data) : data;
        ws.send(plain, { kind });
        ws.send(news);
        await ws.write(news);
        await quiet();
        void ws.writeSome("first", false);
        ws.send(news);
        await ws.writeSome("", true);
        await quiet();
        const sent = connection.sent.map(({ code, fin, payload }) => ({ code, fin, payload: Buffer.from(payload) }));
        const each = typeof data === "string" && data === long ? 3 : 1;
        const expected = sent.slice(0, each);
        assert.deepEqual(Buffer.concat(expected.map(({ payload }) => payload)), Buffer.from(data as string));
        assert.deepEqual(expected[0].code, kind === "text" ? 1 : 2);
        assert.deepEqual(sent.slice(each, 2 * each), expected);
        assert.deepEqual(sent.slice(2 * each, 3 * each), expected);
        assert.deepEqual(sent.slice(3 * each + 2), expected);
      });
    }
  }

  it("says what it is, and holds a copy of the bytes", async () => {
    const bytes = utf8("before");
    const news = prepare(bytes, { kind: "text" });
    bytes.fill(0);
    assert.deepEqual([news.kind, news.payload], ["text", utf8("before")]);
    assert.deepEqual([prepare("a").kind, prepare(bytes).kind], ["text", "binary"]);
    const { ws, peer } = await open("server");
    ws.send(news);
    await quiet();
    assert.deepEqual(peer.frames, ["text before"]);
  });

  it("is not for changing what it is: options of send leave it as it was prepared, in both roles", async () => {
    for (const role of roles) {
      const connection = await open(role);
      connection.ws.send(prepare("a"), { kind: "binary" });
      await quiet();
      assert.deepEqual(connection.frames, ["text a"]);
    }
  });

  it("goes to many, whose peers take it at their own speed, and none changes it", async () => {
    const news = prepare("x".repeat(100_000));
    const many = await Promise.all([...roles, ...roles].map((role) => open(role, {}, { peerPair: { maxRead: 7001 } })));
    for (const { ws } of many) for (let i = 0; i < 3; i++) ws.send(news);
    await quiet();
    for (const { frames } of many) assert.deepEqual(frames, Array(3).fill(`text ${"x".repeat(100_000)}`));
  });

  it("of what is no message is core.invalid_argument", () => {
    for (const wrong of [undefined, null, 5, {}, [utf8("a")], new ArrayBuffer(1), prepare("a")]) {
      assert.throws(() => prepare(wrong as string), { code: "core.invalid_argument" });
    }
  });
});

describe("a prepared message, deflated", () => {
  /** Reverses, which is easy to see; and keeps what it, or one that it made, was asked to do later. */
  function backwards(windowBits: number): Deflater & { runs: number; later: (() => void)[] } {
    const reversed = (bytes: Uint8Array): Uint8Array => bytes.toReversed();
    const deflater = {
      windowBits,
      takeover: false,
      alike: () => deflater,
      runs: 0,
      later: [] as (() => void)[],
      deflate(bytes: Uint8Array) {
        deflater.runs++;
        return reversed(bytes);
      },
      deflateLater(bytes: Uint8Array, handler: (payload: Uint8Array) => void) {
        deflater.runs++;
        deflater.later.push(() => handler(reversed(bytes)));
      },
    };
    return deflater as unknown as Deflater & typeof deflater;
  }

  it("RFC 7692 6: is one frame with RSV1, made once for each size of window", () => {
    const news = prepare("abc");
    const [small, large, other] = [backwards(10), backwards(15), backwards(15)];
    const expected = frame(1, "cba", { rsv: 4, key: undefined });
    for (const deflater of [small, large, small, large, other]) {
      assert.deepEqual(news.deflatedFrame(deflater), expected);
    }
    assert.deepEqual([small.runs, large.runs, other.runs], [1, 1, 0]);
    assert.deepEqual(framesIn(news.frame)[0].rsv, 0);
  });

  it("is deflated elsewhere once for all who wait, and none is called back inside the call", () => {
    const news = prepare("abc");
    const [first, second] = [backwards(15), backwards(15)];
    const told: string[] = [];
    const tell =
      (name: string) =>
      (payload: Uint8Array): void =>
        void told.push(`${name} ${Buffer.from(payload).toString()}`);
    news.deflateLater(first, tell("1"));
    news.deflateLater(second, tell("2"));
    assert.deepEqual([told, first.later.length, second.later.length], [[], 1, 0]);
    first.later[0]();
    assert.deepEqual(told, ["1 cba", "2 cba"]);
    news.deflateLater(second, tell("3"));
    assert.equal(told.length, 2);
    return new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
      assert.deepEqual(told, ["1 cba", "2 cba", "3 cba"]);
      // What is known already is used for a frame too.
      assert.deepEqual(news.deflatedFrame(second), frame(1, "cba", { rsv: 4, key: undefined }));
      assert.deepEqual([first.runs, second.runs], [1, 0]);
    });
  });

  it("the connection for which it is deflated elsewhere may end meanwhile: the others get it all the same", async () => {
    const news = prepare(new Uint8Array(500_000).fill(7));
    const many = await Promise.all(
      [1, 2, 3].map(() => open("server", { deflate: true }, { extensions: "permessage-deflate" })),
    );
    const writes = many.map(({ ws }) => handled(ws.write(news)));
    many[0].ws.terminate();
    assert.equal(await codeOf(writes[0]), "core.aborted");
    await Promise.all(writes.slice(1));
    await quiet();
    for (const { sent } of many.slice(1)) {
      assert.deepEqual([sent.length, sent[0].rsv, unpacked(sent[0].payload).length], [1, 4, 500_000]);
    }
    // Also whoever comes later.
    const late = await open("server", { deflate: true }, { extensions: "permessage-deflate" });
    await late.ws.write(news);
    await quiet();
    assert.deepEqual(late.sent, many[1].sent);
  });
});
