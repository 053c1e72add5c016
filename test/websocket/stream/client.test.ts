import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Request, Response } from "../../../src/http/index.ts";
import { pair } from "../../../src/testing/index.ts";
import { prepare, Stream, type MessageData } from "../../../src/websocket/index.ts";
import { kept, open, responseTo } from "../support/client-kit.ts";
import { concat, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, WebSocketPeer } from "../support/kit.ts";
import { until } from "../../support/until.ts";

const keyOf = (key: Uint8Array | undefined): string => Buffer.from(key ?? assert.fail("no mask")).toString("hex");

describe("RFC 6455 5.1 and 5.3: what a client sends", () => {
  it("every frame is masked, whatever it is, each with a key of its own", async () => {
    const connection = await open("client", { writeBufferSize: 1000 });
    const { ws } = connection;
    ws.send("text");
    await ws.write(utf8("bytes"));
    await ws.write([utf8("a"), utf8("list")]);
    await ws.write(prepare("prepared"));
    await ws.write(["a", "source"]);
    await ws.writeSome("some", false);
    await ws.ping("between");
    await ws.writeSome(new Uint8Array(5000), true);
    await ws.write("long ".repeat(2000));
    await ws.pong("unasked");
    await connection.say(connection.ping("asked"));
    void ws.close({ code: 4000, reason: "bye" });
    await quiet();
    // A frame without a mask would fail here.
    const { sent, frames } = connection;
    assert.ok(sent.length > 20);
    assert.equal(new Set(sent.map(({ key }) => keyOf(key))).size, sent.length);
    assert.deepEqual(frames.slice(0, 4), ["text text", "binary 6279746573", "binary 616c697374", "text prepared"]);
    assert.equal(frames.at(-1), "close 4000bye");
    await connection.say(connection.close(4000));
    await connection.end();
  });

  it("keys differ between connections, and are no secret of one message: the same one is different each time", async () => {
    const keys = new Set<string>();
    const wires = new Set<string>();
    const many = await Promise.all(Array.from({ length: 20 }, () => open("client")));
    for (const { ws } of many) for (let i = 0; i < 20; i++) ws.send("the same");
    await quiet();
    for (const { sent, sentBytes } of many) {
      for (const { key } of sent) keys.add(keyOf(key));
      for (let at = 0; at < sentBytes.length; at += 14) {
        wires.add(Buffer.from(sentBytes.subarray(at, at + 14)).toString("hex"));
      }
    }
    assert.deepEqual([keys.size, wires.size], [400, 400]);
  });

  it("what it was given stays as it was: nothing is masked in the caller's memory", async () => {
    const connection = await open("client", { writeBufferSize: 30_000 });
    const { ws } = connection;
    for (const size of [1, 5, 125, 126, 200, 4096, 16_384, 16_385, 65_536, 100_003]) {
      for (const offset of [0, 1, 2, 3]) {
        const memory = new Uint8Array(size + 8).fill(0x55);
        const bytes = memory.subarray(offset, offset + size);
        const expected = memory.slice();
        const news = prepare(bytes);
        await ws.write(bytes);
        await ws.write([bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)]);
        await ws.write(news);
        await ws.write([bytes] as Iterable<Uint8Array>);
        await ws.write(new Set([bytes]));
        await ws.writeSome(bytes, true);
        await quiet();
        assert.deepEqual(memory, expected, `${size} bytes at ${offset}`);
        assert.deepEqual(news.payload, bytes);
      }
    }
    assert.ok(connection.sent.every(({ payload }) => payload.every((byte) => byte === 0x55)));
  });

  it("any size arrives as it was sent, however short the writes", async () => {
    for (const maxWrite of [7, 1000, Infinity]) {
      const connection = await open("client", { writeBufferSize: 20_000 }, { pair: { maxWrite } });
      const payloads = [0, 1, 3, 4, 127, 193, 16_383, 16_385, 20_000, 20_001, 40_007].map((size) =>
        Uint8Array.from({ length: size }, (_, i) => (i * 31 + size) & 0xff),
      );
      for (const payload of payloads) await connection.ws.write(payload);
      await until(() => connection.ws.bufferedAmount === 0);
      await quiet();
      assert.deepEqual(concat(...connection.sent.map(({ payload }) => payload)), concat(...payloads));
    }
  });
});

describe("a client's connection", () => {
  it("has the request, the response and what was negotiated", async () => {
    const { ws } = await open("client", {}, { handshake: { headers: { "X-Mine": "1" } } });
    assert.equal(ws.request?.headers.get("X-Mine"), "1");
    assert.deepEqual([ws.response?.status, ws.protocol, ws.isOpen], [101, "", true]);
  });

  it("a message right after the response is delivered after open and the completion", async () => {
    const order: string[] = [];
    const [next, other] = pair();
    const peer = new WebSocketPeer(other);
    const ws = new Stream(next, {
      open: () => void order.push("open"),
      message: (_, message) => void order.push(`message ${String(message)}`),
    });
    ws.handshake("example.com", "/", (error) => order.push(`done ${String(error)}`));
    await quiet();
    const bytes = concat(responseTo(peer.received), Uint8Array.of(0x81, 1, 0x61, 0x81, 1, 0x62));
    void peer.write(bytes);
    await quiet();
    assert.deepEqual(order, ["done undefined", "open", "message a", "message b"]);
    ws.terminate();
  });

  it("cut at any byte of the response and the first messages, it is the same", async () => {
    const messages: MessageData[] = [];
    const connection = (await open("client", { message: kept(messages) })).peer;
    const size = responseTo(connection.received).length + 6;
    for (let split = 1; split < size; split++) {
      const [next, other] = pair();
      const peer = new WebSocketPeer(other);
      const received: MessageData[] = [];
      const ws = new Stream(next, { message: kept(received) });
      const shaken = ws.handshake("example.com", "/");
      await quiet();
      const bytes = concat(responseTo(peer.received), Uint8Array.of(0x81, 1, 0x61, 0x82, 1, 0x62));
      void peer.write(bytes.subarray(0, split));
      await quiet();
      void peer.write(bytes.subarray(split));
      await shaken;
      await quiet();
      assert.deepEqual(received, ["a", utf8("b")]);
      ws.terminate();
    }
  });

  it("before its end nothing can be sent or received, and after it there is no second", async () => {
    const [next, other] = pair();
    const peer = new WebSocketPeer(other);
    const ws = new Stream(next);
    for (const during of [false, true]) {
      const code = during ? "core.operation_pending" : "websocket.not_open";
      for (const use of [ws.read(), ws.readSome(), ws.nextMessage(), ws.write("a"), ws.write(["a"]), ws.ping()]) {
        assert.equal(await codeOf(use), code);
      }
      assert.throws(() => ws.send("a"), { code });
      assert.throws(() => ws.stats(), { code });
      if (during) break;
      void ws.handshake("example.com", "/");
      assert.equal(await codeOf(ws.handshake("example.com", "/")), "core.operation_pending");
    }
    void peer.write(responseTo(peer.received));
    await quiet();
    assert.equal(ws.isOpen, true);
    assert.equal(await codeOf(ws.handshake("example.com", "/")), "websocket.already_started");
    assert.equal(await codeOf(ws.accept()), "websocket.already_started");
    ws.terminate();
  });

  it("RFC 6455 7.1.1: the server ends the transport first; the client waits for that", async () => {
    for (const who of ["we", "the peer"]) {
      const connection = await open("client");
      if (who === "we") void connection.ws.close();
      await connection.say(connection.close(1000));
      assert.deepEqual([connection.next.ended, connection.peer.ended], [false, false]);
      assert.deepEqual(await connection.end(), { code: 1000, reason: "", clean: true });
    }
  });

  it("an invalid value for options or a handler is misuse: it rejects, and with a handler throws", async () => {
    const { ws } = await open("client");
    const wrong = 5 as never;
    const never = (): void => assert.fail("was called");
    const calls: ((...given: never[]) => unknown)[] = [
      (...given) => ws.read(...given),
      (...given) => ws.readSome(...given),
      (...given) => ws.nextMessage(...given),
      (...given) => new Stream(pair()[0]).handshake("example.com", "/", ...given),
      (...given) => ws.write("a", ...given),
      (...given) => ws.writeSome("a", true, ...given),
    ];
    const error = { code: "core.invalid_argument" };
    for (const call of calls) {
      assert.equal(await codeOf(call(wrong) as Promise<unknown>), error.code);
      assert.equal(await codeOf(call({} as never, wrong) as Promise<unknown>), error.code);
    }
    for (const call of calls) assert.throws(() => call(wrong, never as never), error);
    assert.equal(ws.bufferedAmount, 0);
    ws.terminate();
  });
});

describe("decorate in the client role", () => {
  it("adds headers to the request that leaves, after those of the call", async () => {
    const [next, other] = pair();
    const peer = new WebSocketPeer(other);
    const ws = new Stream(next, {
      decorate({ headers }: Request | Response): void {
        headers.set("Authorization", "Bearer 0");
        headers.append("X-Mine", "b");
      },
    });
    const shaken = ws.handshake("example.com", "/chat", { headers: { "X-Mine": "a" } });
    await quiet();
    const head = Buffer.from(peer.received).toString("latin1");
    assert.match(head, /^GET \/chat HTTP\/1\.1\r\nHost: example\.com\r\n/);
    assert.match(head, /\r\nX-Mine: a\r\nAuthorization: Bearer 0\r\nX-Mine: b\r\n\r\n$/);
    void peer.write(responseTo(peer.received));
    await shaken;
    assert.equal(ws.request?.headers.get("Authorization"), "Bearer 0");
    ws.terminate();
  });

  it("can't change the handshake's own: nothing leaves, and the stream is as it was", async () => {
    const [next, other] = pair();
    const peer = new WebSocketPeer(other);
    let isGood = false;
    const ws = new Stream(next, { decorate: ({ headers }) => (isGood ? undefined : headers.set("Host", "other")) });
    await assert.rejects(ws.handshake("example.com", "/"), {
      code: "websocket.bad_upgrade_result",
      message: /not change the handshake's own/,
    });
    assert.deepEqual([peer.received.length, next.closed], [0, false]);
    isGood = true;
    const shaken = ws.handshake("example.com", "/");
    await quiet();
    void peer.write(responseTo(peer.received));
    await shaken;
    ws.terminate();
  });
});
