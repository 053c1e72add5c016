import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Role } from "../../../src/core/index.ts";
import { event, found, take } from "../../../src/websocket/protocol/event.ts";
import { finalBit, opcode } from "../../../src/websocket/frames/frame.ts";
import { ProtocolCore, type CoreOptions, type ProtocolState } from "../../../src/websocket/protocol/protocol-core.ts";
import { binary, close, concat, describeFrames, frame, more, ping, pong, text, utf8 } from "../support/frames.ts";

function protocol({ role = "server", ...options }: Partial<CoreOptions & { role: Role }> = {}): ProtocolCore {
  return new ProtocolCore(role, {
    maxMessageSize: 1000,
    maxFragments: 100,
    text: "string",
    highWaterMark: 100,
    fragmentSize: Infinity,
    ...options,
  });
}

/** Takes everything there is, and returns the kinds of the events. */
function takeAll(one: ProtocolCore, ...frames: Uint8Array[]): (string | undefined)[] {
  one.incoming.receive(concat(...frames));
  const kinds: (string | undefined)[] = [];
  for (let next = one.next(take.message); next !== undefined; next = one.next(take.message)) {
    kinds.push(Object.entries(event).find(([, kind]) => kind === next)?.[0]);
  }
  one.incoming.retain();
  return kinds;
}

/** What is queued, written now. */
function sent(one: ProtocolCore): string[] {
  const taken = one.outgoing.take();
  if (taken === undefined) return [];
  const bytes = taken instanceof Uint8Array ? taken : concat(...taken);
  const frames = describeFrames(bytes);
  one.outgoing.wrote(bytes.length);
  return frames;
}

describe("RFC 6455 5.5.2: pings", () => {
  it("each is answered with its payload, pongs with nothing", () => {
    const one = protocol();
    assert.deepEqual(takeAll(one, ping("a"), pong("b"), ping(""), ping("x".repeat(125))), [
      "ping",
      "pong",
      "ping",
      "ping",
    ]);
    assert.deepEqual(sent(one), ["pong 61", "pong", `pong ${"78".repeat(125)}`]);
  });

  it("RFC 6455 5.5.3: above the high-water mark only the last one is answered, once there is room", () => {
    const one = protocol();
    one.outgoing.bytes(finalBit | opcode.binary, new Uint8Array(98));
    takeAll(one, ping("at the mark"));
    assert.equal(one.outgoing.bufferedAmount, 100 + 13);
    for (let i = 0; i < 1000; i++) takeAll(one, ping(`${i}`));
    assert.equal(one.outgoing.bufferedAmount, 100 + 13, "a flood costs memory");
    sent(one);
    one.sendWithheldPong();
    one.sendWithheldPong();
    assert.deepEqual(sent(one), [`pong ${Buffer.from("999").toString("hex")}`]);
  });

  it("a pong stays withheld while there is no room, so that short writes let no flood in", () => {
    const one = protocol();
    one.outgoing.bytes(finalBit | opcode.binary, new Uint8Array(1000));
    const waiting = one.outgoing.bufferedAmount;
    for (let i = 0; i < 100; i++) {
      takeAll(one, ping(`${i}`));
      one.outgoing.take();
      one.outgoing.wrote(1);
      one.sendWithheldPong();
    }
    assert.equal(one.outgoing.bufferedAmount, waiting - 100);
    sent(one);
    one.sendWithheldPong();
    assert.deepEqual(sent(one), [`pong ${Buffer.from("99").toString("hex")}`]);
  });

  it("the payload of a withheld pong is a copy, not the one given to the application", () => {
    const one = protocol();
    one.outgoing.bytes(finalBit | opcode.binary, new Uint8Array(200));
    takeAll(one, ping("mine"));
    found.control.fill(0);
    sent(one);
    one.sendWithheldPong();
    assert.deepEqual(sent(one), [`pong ${Buffer.from("mine").toString("hex")}`]);
  });

  it("RFC 6455 5.5.1: none is answered after our close frame", () => {
    const one = protocol();
    one.outgoing.bytes(finalBit | opcode.binary, new Uint8Array(200));
    takeAll(one, ping("withheld"));
    one.close(1000);
    takeAll(one, ping("late"));
    one.sendWithheldPong();
    assert.deepEqual(sent(one).slice(1), ["close 1000"]);
  });
});

describe("RFC 6455 7.1: the closing handshake", () => {
  const closes: [name: string, frame: Uint8Array, code: number, reason: string, answer: string][] = [
    ["without a code", close(), 1005, "", "close"],
    ["with 1000", close(1000), 1000, "", "close 1000"],
    ["with a reason", close(1001, "né€😀"), 1001, "né€😀", "close 1001"],
    ["with the longest reason", close(4000, "x".repeat(123)), 4000, "x".repeat(123), "close 4000"],
    ["with 3000", close(3000), 3000, "", "close 3000"],
    ["with 4999", close(4999), 4999, "", "close 4999"],
  ];
  for (const [name, bytes, code, reason, answer] of closes) {
    it(`RFC 6455 5.5.1: the peer closes ${name}: it is answered with the same code`, () => {
      const one = protocol();
      assert.deepEqual(takeAll(one, bytes, text("behind"), ping("behind")), ["close"]);
      assert.deepEqual([one.state, one.closeCode, one.closeReason], ["closedByPeer", code, reason]);
      assert.deepEqual([one.canSend, one.canReceive, one.incoming.available], [false, false, 0]);
      assert.deepEqual(sent(one), [answer]);
    });

    it(`the peer closes ${name} after us: nothing more is sent`, () => {
      const one = protocol();
      one.close(1001, "ours");
      assert.deepEqual([one.state, one.canSend, one.canReceive], ["closedByUs", false, true]);
      assert.deepEqual(sent(one), ["close 1001ours"]);
      assert.deepEqual(takeAll(one, text("dropped"), ping("unanswered"), bytes, text("behind")), ["ping", "close"]);
      assert.deepEqual([one.state, one.closeCode, one.closeReason], ["closedByBoth", code, reason]);
      assert.deepEqual([one.canReceive, sent(one)], [false, []]);
    });
  }

  it("RFC 6455 7.1.6: ours without a code has no payload; one with a reason carries both", () => {
    const bare = protocol();
    bare.close();
    assert.deepEqual(sent(bare), ["close"]);
    const full = protocol();
    full.close(4999, "€");
    assert.deepEqual(sent(full), ["close 4999€"]);
  });
});

describe("RFC 6455 7.1.7: failing the connection", () => {
  const failures: [name: string, frames: Uint8Array[], code: string, closeFrame: string][] = [
    ["a protocol error", [frame(3, "")], "websocket.bad_opcode", "close 1002"],
    ["bad UTF-8", [text(Uint8Array.of(0xff))], "websocket.bad_frame_payload", "close 1007"],
    [
      "bad UTF-8 in a fragment",
      [text("a", { fin: false }), more(Uint8Array.of(0x80))],
      "websocket.bad_frame_payload",
      "close 1007",
    ],
    ["a message too big", [binary(new Uint8Array(1001))], "websocket.message_too_big", "close 1009"],
    ["a close frame of one byte", [frame(8, "x")], "websocket.bad_close_size", "close 1002"],
    [
      "a close reason that is not UTF-8",
      [close(1000, Uint8Array.of(0xc3))],
      "websocket.bad_close_payload",
      "close 1007",
    ],
    ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535].map(
      (code): [string, Uint8Array[], string, string] => [
        `RFC 6455 7.4: the close code ${code}`,
        [close(code)],
        "websocket.bad_close_code",
        "close 1002",
      ],
    ),
  ];
  for (const [name, frames, code, closeFrame] of failures) {
    it(`${name}: ${code}, ${closeFrame}`, () => {
      const one = protocol();
      assert.deepEqual(takeAll(one, ...frames, text("behind")).at(-1), "failed");
      assert.deepEqual([one.state, one.failure?.code, one.closeCode], ["failed", code, 1006]);
      assert.deepEqual([one.canSend, one.canReceive, one.incoming.available], [false, false, 0]);
      // The peer is told why, in words too.
      assert.deepEqual(sent(one), [`${closeFrame}${one.failure!.message}`]);
      assert.ok(utf8(one.failure!.message).length <= 123);
      assert.deepEqual(takeAll(one, text("later")), []);
    });

    it(`${name}, after our close frame: no second one`, () => {
      const one = protocol();
      one.close(1000);
      sent(one);
      const dropped = code === "websocket.bad_frame_payload" || code === "websocket.message_too_big";
      assert.deepEqual(takeAll(one, ...frames), dropped ? [] : ["failed"]);
      assert.deepEqual([one.state, sent(one)], [dropped ? "closedByUs" : "failed", []] satisfies [
        ProtocolState,
        string[],
      ]);
    });
  }
});

describe("skipUtf8Validation", () => {
  const bad = Uint8Array.of(0x61, 0xff, 0x62);
  const frames = [text(bad), text(bad, { fin: false }), more(bad), close(1000, bad)];
  const seen = (options: Partial<CoreOptions>): unknown[] => {
    const one = protocol({ skipUtf8Validation: true, ...options });
    const messages: unknown[] = [];
    for (const piece of frames) {
      const kinds = takeAll(one, piece);
      if (kinds[0] === "message") messages.push(found.message);
    }
    return [...messages, one.state, one.closeReason];
  };

  it("takes text and close reasons as they come", () => {
    assert.deepEqual(seen({}), ["a\ufffdb", "a\ufffdba\ufffdb", "closedByPeer", "a\ufffdb"]);
    assert.deepEqual(seen({ text: "bytes" }), [bad, concat(bad, bad), "closedByPeer", "a\ufffdb"]);
  });
});
