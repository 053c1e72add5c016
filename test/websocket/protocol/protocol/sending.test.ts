import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prepare, Protocol, type ProtocolOptions } from "../../../../src/websocket/index.ts";
import { noise } from "../../support/deflated.ts";
import { binary, concat, describeFrames, framesIn, ping, utf8 } from "../../support/frames.ts";
import { feed, sent } from "../../support/protocol.ts";

const server = (options: Partial<ProtocolOptions> = {}): Protocol => new Protocol({ role: "server", ...options });
const client = (options: Partial<ProtocolOptions> = {}): Protocol => new Protocol({ role: "client", ...options });

const hex = (value: string | Uint8Array): string => Buffer.from(value).toString("hex");

describe("send", () => {
  it("frames a string as text, bytes as binary, and either as the option kind says", () => {
    const one = server();
    one.send("né");
    one.send(Uint8Array.of(1, 2));
    one.send(Uint8Array.of(3, 4).buffer);
    one.send(new DataView(Uint8Array.of(5, 6, 7).buffer, 1));
    one.send(utf8("né"), { kind: "text" });
    one.send("né", { kind: "binary" });
    one.send(prepare("né"));
    one.send(prepare(Uint8Array.of(8)), { kind: "text" });
    one.send("");
    assert.deepEqual(describeFrames(sent(one)), [
      "text né",
      "binary 0102",
      "binary 0304",
      "binary 0607",
      "text né",
      `binary ${hex("né")}`,
      "text né",
      "binary 08",
      "text",
    ]);
  });

  it("masks a client's messages, prepared ones too, with another key each time", () => {
    const one = client();
    for (let i = 0; i < 50; i++) one.send(i % 2 === 0 ? "same" : prepare("same"));
    const frames = framesIn(sent(one), "client");
    assert.deepEqual(new Set(frames.map(({ payload }) => Buffer.from(payload).toString())), new Set(["same"]));
    assert.equal(new Set(frames.map(({ key }) => hex(key!))).size, 50);
  });

  it("makes one frame of any size, in both roles, in the order of the calls", () => {
    for (const size of [125, 126, 16_384, 16_385, 65_535, 65_536, 300_000]) {
      const large = noise(size);
      for (const one of [server(), client()]) {
        one.send("before");
        one.send(large);
        one.send("a".repeat(size));
        const frames = framesIn(sent(one), one.role);
        assert.deepEqual(
          frames.map(({ payload }) => payload.length),
          [6, size, size],
        );
        assert.deepEqual(frames[1]!.payload, large);
      }
    }
  });

  it("with fin: false makes a message of several frames, between which control frames may go", () => {
    const one = server();
    one.send("a", { fin: false });
    one.ping("p");
    one.send(utf8("b"), { fin: false });
    one.send("", { fin: true });
    one.send("whole");
    assert.deepEqual(describeFrames(sent(one)), [
      "text (not final) a",
      `ping ${hex("p")}`,
      "continuation (not final) 62",
      "continuation",
      "text whole",
    ]);
  });
});

describe("control frames", () => {
  it("ping and pong take up to 125 bytes, as a string or bytes", () => {
    const one = server();
    one.ping();
    one.pong("é");
    one.ping(new Uint8Array(125));
    assert.deepEqual(describeFrames(sent(one)), ["ping", "pong c3a9", `ping ${"00".repeat(125)}`]);
  });

  it("only the last of many pings is answered while more than highWaterMark waits", () => {
    const one = server({ highWaterMark: 100 });
    one.send(new Uint8Array(200));
    for (let i = 0; i < 100; i++) feed(one, ping(`${i}`));
    assert.equal(one.bufferedAmount, 204);
    assert.equal(sent(one).length, 204);
    assert.equal(one.bufferedAmount, 204, "it counts as waiting until the next call");
    assert.deepEqual(describeFrames(sent(one)), [`pong ${hex("99")}`]);
  });

  it("pings are left to the caller with autoPong: false", () => {
    const one = server({ autoPong: false });
    assert.deepEqual(feed(one, ping("p"), ping("q")), [`ping ${hex("p")}`, `ping ${hex("q")}`]);
    one.pong("q");
    assert.deepEqual(describeFrames(sent(one)), [`pong ${hex("q")}`]);
  });

  it("after our close frame pings are events, and are not answered", () => {
    const one = server();
    one.close();
    assert.deepEqual(feed(one, ping("p")), [`ping ${hex("p")}`]);
    assert.deepEqual(describeFrames(sent(one)), ["close 1000"]);
  });
});

describe("sendFrame", () => {
  it("sends any frame as it is, masked as the role requires or as the option mask says", () => {
    for (const one of [server(), client()]) {
      const isClient = one.role === "client";
      one.sendFrame({ opcode: 1 }, "usual");
      one.sendFrame({ opcode: 11, fin: false, rsv1: true }, Uint8Array.of(1));
      assert.deepEqual(describeFrames(sent(one), one.role), ["text usual", "opcode 11 (not final) (rsv 4) 01"]);
      one.sendFrame({ opcode: 2, mask: !isClient }, "other");
      assert.deepEqual(describeFrames(sent(one), isClient ? "server" : "client"), [`binary ${hex("other")}`]);
      one.sendFrame({ opcode: 8 });
      one.sendFrame({ opcode: 9 }, new Uint8Array(126));
      assert.equal(one.canSend, true, "a close frame that it does not know of");
      assert.deepEqual(describeFrames(sent(one), one.role), ["close", `ping ${"00".repeat(126)}`]);
    }
  });

  it("generateMask makes the keys, of every frame", () => {
    const keys: number[][] = [];
    const one = client({
      generateMask: (mask) => {
        mask.set([keys.length, 1, 2, 255]);
        keys.push([...mask]);
      },
    });
    one.send("a");
    one.ping();
    one.send(new Uint8Array(20_000));
    one.sendFrame({ opcode: 1 }, "b");
    one.close();
    const frames = framesIn(sent(one), "client");
    assert.deepEqual(
      frames.map(({ key }) => [...key!]),
      keys,
    );
    assert.deepEqual(frames[2]!.payload, new Uint8Array(20_000));
    assert.equal(keys.length, 5);
  });

  it("the call throws the error of generateMask, and nothing is queued", () => {
    const one = client({
      generateMask: () => {
        throw new RangeError("no more keys");
      },
    });
    assert.throws(() => one.send("a"), { message: "no more keys" });
    assert.throws(() => one.sendFrame({ opcode: 1 }, "a"), { message: "no more keys" });
    one.sendFrame({ opcode: 1, mask: false }, "b");
    assert.deepEqual(describeFrames(sent(one)), ["text b"]);
  });
});

describe("sendFramed", () => {
  it("sends bytes of any size as they are, in order, in both roles", () => {
    const large = binary(noise(20_000));
    for (const one of [server(), client()]) {
      one.send("before");
      one.sendFramed(large);
      one.sendFramed(new Uint8Array(0));
      one.sendFramed(large.subarray(0, 10));
      one.sendFramed(large.subarray(10).slice().buffer);
      one.send("after");
      const bytes = sent(one);
      const edge = one.role === "client" ? 4 : 0;
      assert.deepEqual(bytes.subarray(8 + edge, 8 + edge + large.length), large);
      assert.deepEqual(bytes.subarray(8 + edge + large.length, 8 + edge + 2 * large.length), large);
      assert.equal(bytes.length, 8 + 7 + 2 * edge + 2 * large.length);
    }
    const alone = server();
    alone.sendFramed(new Uint8Array(0));
    alone.sendFramed(large);
    assert.equal(alone.bytesToSend()[0], large);
  });
});

describe("bytesToSend", () => {
  it("is a list of everything since the last call, empty if that is nothing", () => {
    const one = server();
    assert.deepEqual(one.bytesToSend(), []);
    for (let i = 0; i < 100; i++) one.send(`message ${i}`);
    assert.equal(one.bytesToSend().length, 1);
    assert.deepEqual(one.bytesToSend(), []);
    assert.equal(one.bufferedAmount, 0);
  });

  it("borrows payloads of more than 16 KiB, and copies smaller ones", () => {
    const one = server();
    const small = new Uint8Array(16 * 1024).fill(1);
    const large = new Uint8Array(16 * 1024 + 1).fill(1);
    one.send(small);
    one.send(large);
    small.fill(2);
    const list = one.bytesToSend();
    assert.ok(list.includes(large));
    assert.ok(list.every((bytes) => !bytes.includes(2)));
  });

  it("gives memory that is valid until the next call, also if more is sent meanwhile", () => {
    const [one, other] = [server(), server()];
    one.send("a".repeat(1000));
    const list = one.bytesToSend();
    const before = concat(...list);
    for (let i = 0; i < 500; i++) {
      one.send(noise(1000));
      other.send(noise(1000));
      other.bytesToSend();
    }
    assert.deepEqual(concat(...list), before);
  });

  it("fails for a borrowed buffer that was detached, and the protocol with it", () => {
    const one = server();
    const large = new Uint8Array(20_000);
    one.send(large);
    structuredClone(large.buffer, { transfer: [large.buffer] });
    assert.throws(() => one.bytesToSend(), { code: "core.invalid_argument", message: /detached/ });
    assert.deepEqual([one.state, one.canSend, one.canReceive, one.closeInfo.code], ["failed", false, false, 1011]);
    assert.deepEqual(one.bytesToSend(), []);
  });
});
