// RFC 6455 sections 5.1 to 5.6, 6.1 and 10.3: what an open endpoint sends, in both roles. The peer's reader fails every
// frame of a server that is masked, and every frame of a client that is not.
//
// What no test of an endpoint can show:
// - 5.3, "derived from a strong source of entropy": the keys are shown to differ in every byte and without a pattern; that
//   they come from the platform's cryptographic generator is in `masking-key.ts`.
// - 6.1, step 7, "transmitted over the underlying connection": all tests here.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isUtf8 } from "node:buffer";
import { quiet } from "../support/quiet.ts";
import { codeOf } from "../websocket/support/kit.ts";
import { wholeFrames } from "../websocket/support/frames.ts";
import { Endpoint, open, roles } from "./support/endpoint.ts";
import { until } from "../support/until.ts";

const lengths = [0, 1, 125, 126, 127, 65_535, 65_536, 70_000];
const headerSize = (length: number): number => (length <= 125 ? 2 : length <= 65_535 ? 4 : 10);

for (const role of roles) {
  const keySize = role === "client" ? 4 : 0;

  describe(`RFC 6455: sending as a ${role}`, () => {
    it(`5.1: a ${role} masks ${role === "client" ? "every frame" : "none"}: text, binary, fragments, ping, pong and close`, async () => {
      const endpoint = await open(role);
      const { ws } = endpoint;
      ws.send("text");
      ws.send(new Uint8Array(3));
      void ws.writeSome("a", false);
      void ws.writeSome("b", true);
      void ws.ping("p");
      void ws.pong("q");
      void ws.close({ code: 4000, reason: "r" });
      await quiet();
      assert.deepEqual(endpoint.frames, [
        "text text",
        "binary 000000",
        "text (not final) a",
        "continuation 62",
        "ping 70",
        "pong 71",
        "close 4000r",
      ]);
      assert.ok(endpoint.sent.every(({ key }) => (key === undefined) === (role === "server")));
    });

    it("5.1: the answers to pings and closes are masked likewise", async () => {
      const endpoint = await open(role);
      await endpoint.hear(endpoint.say.ping("p"), endpoint.say.close(1000));
      assert.deepEqual(endpoint.frames, ["pong 70", "close 1000"]);
      assert.ok(endpoint.sent.every(({ key }) => (key === undefined) === (role === "server")));
    });

    for (const length of lengths) {
      it(`5.2: a length of ${length} has the shortest form, no reserved bit and FIN`, async () => {
        const endpoint = await open(role);
        const payload = new Uint8Array(length).map((_, i) => i * 5);
        void endpoint.ws.write(payload);
        await quiet();
        assert.equal(endpoint.sentBytes.length, headerSize(length) + keySize + length);
        const [frame, ...more] = endpoint.sent;
        assert.deepEqual(more, []);
        assert.deepEqual({ ...frame, key: undefined }, { code: 2, fin: true, rsv: 0, key: undefined, payload });
      });
    }

    it("5.4: a large message leaves in fragments: the opcode on the first, FIN on the last, the payload in order", async () => {
      const endpoint = await open(role, { options: { writeBufferSize: 1000 } });
      const text = Array.from({ length: 350 }, (_, i) => `piece ${i} `).join("");
      void endpoint.ws.write(text);
      await quiet();
      const { sent } = endpoint;
      assert.deepEqual(
        sent.map(({ code, fin }) => [code, fin]),
        sent.map((_, i) => [i === 0 ? 1 : 0, i === sent.length - 1]),
      );
      assert.ok(sent.length > 2 && sent.every(({ payload }) => payload.length <= 1000));
      assert.equal(Buffer.concat(sent.map(({ payload }) => payload)).toString(), text);
    });

    it("5.4: messages of several writers are not interleaved; control frames go between their frames, and are whole", async () => {
      const endpoint = await open(role, { options: { writeBufferSize: 100 } });
      const { ws } = endpoint;
      void ws.writeSome("a", false);
      void ws.write("x".repeat(250));
      void ws.ping("between");
      void ws.writeSome("b", false);
      await quiet();
      void ws.pong("too");
      ws.send(new Uint8Array(1));
      void ws.writeSome("c", true);
      await quiet();
      const { sent } = endpoint;
      const data = sent.filter(({ code }) => code < 8);
      const control = sent.filter(({ code }) => code >= 8);
      assert.deepEqual(
        data.map(({ code, fin, payload }) => [code, fin, payload.length]),
        [
          [1, false, 1],
          [0, false, 1],
          [0, true, 1],
          [1, false, 100],
          [0, false, 100],
          [0, true, 50],
          [2, true, 1],
        ],
      );
      assert.deepEqual(
        control.map(({ code, fin, payload }) => [code, fin, String(Buffer.from(payload))]),
        [
          [9, true, "between"],
          [10, true, "too"],
        ],
      );
      // The ping did not wait for the message that it came into.
      assert.ok(sent.findIndex(({ code }) => code === 9) < sent.findIndex(({ code, fin }) => code === 0 && fin));
    });

    it("5.5: no ping or pong of more than 125 bytes can be sent", async () => {
      const endpoint = await open(role);
      const { ws } = endpoint;
      for (const payload of ["x".repeat(126), "é".repeat(63), new Uint8Array(126)]) {
        assert.equal(await codeOf(ws.ping(payload)), "core.invalid_argument");
        assert.equal(await codeOf(ws.pong(payload)), "core.invalid_argument");
      }
      void ws.ping("x".repeat(125));
      void ws.pong(new Uint8Array(125));
      await quiet();
      assert.deepEqual(endpoint.frames, [`ping ${"78".repeat(125)}`, `pong ${"00".repeat(125)}`]);
    });

    it("5.5.3: of the pings of a peer that does not read, the last is answered, with a copy of its payload", async () => {
      const control = (_: unknown, __: string, payload: Uint8Array): void => void payload.fill(0xff);
      const endpoint = await open(role, { options: { highWaterMark: 100, control }, peerPair: { capacity: 1000 } });
      endpoint.peer.pause();
      void endpoint.ws.write(new Uint8Array(5000));
      await quiet();
      for (let i = 0; i < 50; i++) await endpoint.hear(endpoint.say.ping(`${i}`));
      assert.ok(endpoint.ws.bufferedAmount < 5500);
      endpoint.peer.resume();
      await quiet();
      const pongs = endpoint.sent.filter(({ code }) => code === 10).map(({ payload }) => String(Buffer.from(payload)));
      assert.equal(pongs.at(-1), "49");
      assert.deepEqual(
        pongs,
        pongs.toSorted((a, b) => Number(a) - Number(b)),
      );
    });

    it("5.5.1: nothing is sent after the close frame, and messages queued before it leave first", async () => {
      const endpoint = await open(role);
      const { ws } = endpoint;
      ws.send("before");
      void ws.close();
      assert.equal(ws.send("behind"), false);
      const refused = [ws.write("behind"), ws.writeSome("behind", true), ws.ping(), ws.pong()];
      for (const each of refused) assert.equal(await codeOf(each), "websocket.closed");
      await quiet();
      assert.deepEqual(endpoint.frames, ["text before", "close 1000"]);
    });

    it("5.5.1: a message that is begun and not finished is cut by the close, not continued after it", async () => {
      const endpoint = await open(role);
      const { ws } = endpoint;
      void ws.writeSome("begun", false);
      await quiet();
      void ws.close();
      assert.equal(await codeOf(ws.writeSome("more", true)), "websocket.closed");
      await quiet();
      assert.deepEqual(endpoint.frames, ["text (not final) begun", "close 1000"]);
    });

    it("5.6: text is sent as UTF-8, also if the string has half a surrogate pair", async () => {
      const endpoint = await open(role);
      endpoint.ws.send("half \ud83e, whole 🦊, half \udd8a");
      endpoint.ws.send(`${"x".repeat(20_000)}\ud83e`);
      await quiet();
      const [small, large] = endpoint.sent;
      assert.equal(String(Buffer.from(small!.payload)), "half \ufffd, whole 🦊, half \ufffd");
      assert.ok(isUtf8(large!.payload));
    });

    it("6.1: a message can be sent in the state OPEN alone", async () => {
      const { ws: early } = new Endpoint(role);
      assert.throws(() => early.send("x"), { code: "websocket.not_open" });
      assert.equal(await codeOf(early.write("x")), "websocket.not_open");
      const endpoint = await open(role);
      const { ws } = endpoint;
      await endpoint.hear(endpoint.say.close(1000));
      assert.equal(ws.send("x"), false);
      await endpoint.end();
      assert.equal(ws.send("x"), false);
      assert.equal(await codeOf(ws.write("x")), "websocket.closed");
      assert.deepEqual(endpoint.frames, ["close 1000"]);
    });

    it("6.1: text has opcode 1, binary 2, by every way of sending", async () => {
      const endpoint = await open(role);
      const { ws } = endpoint;
      ws.send("a");
      ws.send(Buffer.from("b"));
      void ws.write("c");
      void ws.write(new Uint8Array(1));
      void ws.writeSome("d", true);
      void ws.writeSome(new Uint8Array(1), true);
      await quiet();
      assert.deepEqual(
        endpoint.sent.map(({ code, fin }) => [code, fin]),
        [1, 2, 1, 2, 1, 2].map((code) => [code, true]),
      );
    });
  });
}

describe("RFC 6455 sections 5.3 and 10.3: a client's masking keys", () => {
  /** The keys of `count` frames on a connection. */
  async function keys(count: number): Promise<Buffer[]> {
    const endpoint = await open("client");
    for (let i = 0; i < count; i++) {
      if (i % 3 === 0) endpoint.ws.send("x");
      else if (i % 3 === 1) void endpoint.ws.ping("x");
      else endpoint.ws.send(new Uint8Array(i % 7));
    }
    await quiet();
    assert.equal(endpoint.sent.length, count);
    return endpoint.sent.map(({ key }) => Buffer.from(key!));
  }

  // Two of 300 random keys are equal in one of 100,000 runs; more than that in none.
  const count = 300;
  const nearlyAll = count - 3;

  it("5.3: every frame has a fresh key", async () => {
    const seen = new Set((await keys(count)).map((key) => key.toString("hex")));
    assert.ok(seen.size >= nearlyAll, `${seen.size} of ${count} are different`);
  });

  it("5.3: a key does not tell the next: neither by its difference nor by its bits", async () => {
    const all = await keys(count);
    const numbers = all.map((key) => key.readUInt32BE());
    const steps = new Set(numbers.slice(1).map((number, i) => (number - numbers[i]!) >>> 0));
    const changes = new Set(numbers.slice(1).map((number, i) => (number ^ numbers[i]!) >>> 0));
    assert.ok(steps.size >= nearlyAll && changes.size >= nearlyAll, `${steps.size}, ${changes.size}`);
    for (let bit = 0; bit < 32; bit++) {
      const set = numbers.filter((number) => (number >>> bit) & 1).length;
      assert.ok(set > count * 0.25 && set < count * 0.75, `bit ${bit} is set in ${set} of ${count}`);
    }
  });

  it("5.3: all four bytes of the key vary", async () => {
    const all = await keys(count);
    for (let i = 0; i < 4; i++) {
      const values = new Set(all.map((key) => key[i]));
      // Of 300 random bytes 177 are different, on average.
      assert.ok(values.size > 100, `byte ${i} takes ${values.size} values`);
    }
  });

  it("5.3: the fragments of a message have keys of their own", async () => {
    const endpoint = await open("client", { options: { writeBufferSize: 8 } });
    void endpoint.ws.write("x".repeat(8 * count));
    await quiet();
    const seen = new Set(endpoint.sent.map(({ key }) => Buffer.from(key!).toString("hex")));
    assert.ok(seen.size >= nearlyAll, `${seen.size} of ${count} are different`);
  });

  it("10.3: another connection has other keys", async () => {
    const [one, other] = [await keys(20), await keys(20)];
    assert.ok(one.some((key, i) => !key.equals(other[i]!)));
  });

  for (const size of [1000, 16 * 1024, 16 * 1024 + 1, 100_000, 1_000_000]) {
    it(`10.3: once a frame of ${size} bytes has begun to leave, the application can't change it`, async () => {
      const endpoint = await open("client", {
        options: { autoFragment: false },
        pair: { maxWrite: 100 + Math.ceil(size / 50) },
      });
      endpoint.peer.pause();
      const payload = new Uint8Array(size);
      void endpoint.ws.write(payload);
      // The peer has seen the beginning, and with it the key.
      await until(
        () => endpoint.sentBytes.length >= 20,
        () => Promise.resolve(endpoint.peer.resume()),
      );
      payload.fill(0xff);
      await quiet();
      assert.equal(wholeFrames(endpoint.sentBytes), endpoint.sentBytes.length);
      const [frame] = endpoint.sent;
      assert.ok(frame!.payload.every((byte) => byte === 0));
    });
  }
});
