import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prepare, type PrepareOptions, type Sendable } from "../../../src/websocket/index.ts";
import { open, roles } from "../support/client-kit.ts";
import { backwards } from "../support/deflated.ts";
import { frame, framesIn, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";

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
      it(`as a ${role}: ${name} leaves as it would with send, by send, by write and after others`, async () => {
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

  it("shows its kind and size, and holds a copy of the bytes", async () => {
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

  it("is sent as it was prepared, with any options of send, in both roles", async () => {
    for (const role of roles) {
      const connection = await open(role);
      connection.ws.send(prepare("a"), { kind: "binary" });
      await quiet();
      assert.deepEqual(connection.frames, ["text a"]);
    }
  });

  it("goes to many connections at their own speed, and no connection changes it", async () => {
    const news = prepare("x".repeat(100_000));
    const many = await Promise.all([...roles, ...roles].map((role) => open(role, {}, { peerPair: { maxRead: 7001 } })));
    for (const { ws } of many) for (let i = 0; i < 3; i++) ws.send(news);
    await quiet();
    for (const { frames } of many) assert.deepEqual(frames, Array(3).fill(`text ${"x".repeat(100_000)}`));
  });

  it("copies bytes of every kind", () => {
    const { buffer } = Uint8Array.of(1, 2, 3);
    for (const bytes of [buffer, new DataView(buffer), new Uint8Array(buffer)]) {
      const { kind, payload } = prepare(bytes);
      assert.deepEqual([kind, [...payload], payload.buffer === buffer], ["binary", [1, 2, 3], false]);
    }
  });

  it("throws core.invalid_argument for an invalid message", () => {
    for (const wrong of [undefined, null, 5, {}, [utf8("a")], new Blob(["a"]), prepare("a")]) {
      assert.throws(() => prepare(wrong as string), { code: "core.invalid_argument" });
    }
  });
});

describe("a prepared message, deflated", () => {
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
});
