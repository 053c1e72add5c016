import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { everySplit } from "../../../src/testing/index.ts";
import { Protocol, type ProtocolOptions } from "../../../src/websocket/index.ts";
import { binary, close, concat, describeFrames, frame, framesIn, more, ping, pong, text } from "../support/frames.ts";
import { fc, runs } from "../../support/property.ts";
import { describeEvent, drain, feed, sent } from "../support/protocol.ts";

const server = (options: Partial<ProtocolOptions> = {}): Protocol => new Protocol({ role: "server", ...options });
const client = (options: Partial<ProtocolOptions> = {}): Protocol => new Protocol({ role: "client", ...options });

const hex = (value: string | Uint8Array): string => Buffer.from(value).toString("hex");
const plain = { key: undefined };

describe("receive and next", () => {
  const frames = (form: { key?: undefined } = {}): Uint8Array =>
    concat(
      text("hello", form),
      binary(Uint8Array.of(0, 255), form),
      text("", form),
      ping("p", form),
      text("né€", { fin: false, ...form }),
      ping("between", form),
      more("", { fin: false, ...form }),
      pong("", form),
      more("😀!", form),
      binary("x".repeat(300), form),
      close(4000, "bye", form),
    );
  const expected = [
    "text hello",
    "binary 00ff",
    "text",
    `ping ${hex("p")}`,
    `ping ${hex("between")}`,
    "pong",
    "text né€😀!",
    `binary ${"78".repeat(300)}`,
    "close 4000 bye",
  ];
  const replies = [`pong ${hex("p")}`, `pong ${hex("between")}`, "close 4000"];

  it("give the same events and replies at every split, in both roles", () => {
    everySplit(frames(), (pieces) => {
      const one = server();
      assert.deepEqual(feed(one, ...pieces), expected);
      assert.deepEqual(describeFrames(sent(one)), replies);
    });
    everySplit(frames(plain), (pieces) => {
      const one = client();
      assert.deepEqual(feed(one, ...pieces), expected);
      assert.deepEqual(describeFrames(sent(one), "client"), replies);
    });
  });

  it("in place: messages that came whole are parts of the input, of its class", () => {
    for (const length of [0, 1, 64, 65, 300, 5000]) {
      const payload = Uint8Array.from({ length }, (_, i) => i);
      for (const [one, form] of [
        [server({ inPlace: true, text: "bytes" }), {}],
        [client({ inPlace: true, text: "bytes" }), plain],
      ] as const) {
        const input = Buffer.from(concat(binary(payload, form), text("né", form), ping("p", form)));
        one.receive(input);
        const events = drain(one);
        const [first, second] = events.map((event) => (event.type === "message" ? event.data : undefined));
        assert.ok(Buffer.isBuffer(first) && Buffer.isBuffer(second) && first.buffer === input.buffer);
        assert.deepEqual([Buffer.from(payload), Buffer.from("né")], [first, second]);
      }
    }
    everySplit(frames(), (pieces) => {
      const one = server({ inPlace: true });
      const events = pieces.flatMap((piece) => {
        one.receive(new Uint8Array(piece));
        return drain(one).map((event) =>
          event.type === "message"
            ? `${event.kind} ${typeof event.data === "string" ? event.data : hex(event.data)}`.trim()
            : describeEvent(event),
        );
      });
      assert.deepEqual(events, expected);
    });
  });

  it("join bytes that were received before the events were taken", () => {
    everySplit(frames(), (pieces) => {
      const one = server();
      for (const piece of pieces) one.receive(piece);
      assert.deepEqual(drain(one).map(describeEvent), expected);
    });
  });

  it("give text as bytes, if asked to", () => {
    const events = feed(server({ text: "bytes" }), text("né"), binary("né"));
    assert.deepEqual(events, [`text ${hex("né")}`, `binary ${hex("né")}`]);
  });

  it("give messages in parts, if asked to: as they come, the last one done", () => {
    const bytes = concat(text("ab", { fin: false }), ping(), more("", { fin: false }), more("€"), binary(""));
    everySplit(bytes, (pieces) => {
      const one = server({ parts: true });
      const seen: string[] = [];
      let message = "";
      for (const event of pieces.flatMap((piece) => (one.receive(piece), drain(one)))) {
        if (event.type === "ping") seen.push("ping");
        if (event.type !== "part") continue;
        message += Buffer.from(event.data).toString("latin1");
        if (event.done) seen.push(`${event.kind} ${message}`);
        if (event.done) message = "";
      }
      assert.deepEqual(seen, ["ping", `text abâ\u0082¬`, "binary "]);
    });
  });

  it("take any bytes of a hostile peer: no call throws, and one event is the last", () => {
    const bytes = fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc
          .tuple(fc.nat(15), fc.uint8Array({ maxLength: 130 }), fc.boolean(), fc.constantFrom(0, 0, 0, 4))
          .map(([code, payload, fin, rsv]) => frame(code, payload, { fin, rsv })),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(bytes, fc.boolean(), fc.boolean(), (pieces, parts, isDeflated) => {
        const one = server({ parts, extensions: isDeflated ? "permessage-deflate" : undefined, maxMessageSize: 1000 });
        const seen = feed(one, ...pieces);
        const last = seen.findIndex((event) => /^(failed|close)/.test(event));
        assert.equal(last, one.canReceive ? -1 : seen.length - 1);
        const replies = framesIn(sent(one));
        assert.equal(replies.filter(({ code }) => code === 8).length, one.canReceive ? 0 : 1);
        one.end();
      }),
      { numRuns: runs(1000) },
    );
  });

  it("take nothing more after the peer's close frame", () => {
    const one = server();
    assert.deepEqual(feed(one, concat(close(1000), text("later")), text("later")), ["close 1000"]);
    assert.equal(one.canReceive, false);
  });
});

describe("failures: an event, a close frame that says why, and nothing after it", () => {
  const cases: [what: string, bytes: Uint8Array, code: string, closeCode: number][] = [
    ["a frame without a mask", text("x", plain), "websocket.bad_unmasked_frame", 1002],
    ["a reserved opcode", frame(3), "websocket.bad_opcode", 1002],
    ["a reserved bit", text("x", { rsv: 2 }), "websocket.bad_reserved_bits", 1002],
    ["a compressed message that was not negotiated", text("x", { rsv: 4 }), "websocket.bad_reserved_bits", 1002],
    ["a fragmented ping", ping("", { fin: false }), "websocket.bad_control_fragment", 1002],
    ["a ping of 126 bytes", ping("x".repeat(126)), "websocket.bad_control_size", 1002],
    ["a continuation of nothing", more("x"), "websocket.bad_continuation", 1002],
    ["a message within another", concat(text("x", { fin: false }), text("y")), "websocket.bad_data_frame", 1002],
    ["a length not in its shortest form", text("x", { form: 16 }), "websocket.bad_size", 1002],
    ["text that is not UTF-8", text(Uint8Array.of(0xff)), "websocket.bad_frame_payload", 1007],
    ["a message too big", text("x".repeat(101)), "websocket.message_too_big", 1009],
    [
      "too many fragments",
      concat(text("", { fin: false }), more("", { fin: false }), more("")),
      "websocket.too_many_fragments",
      1008,
    ],
    ["a close frame of one byte", frame(8, "x"), "websocket.bad_close_size", 1002],
    ["an invalid close code", close(1005), "websocket.bad_close_code", 1002],
    ["a close reason that is not UTF-8", close(1000, Uint8Array.of(0xff)), "websocket.bad_close_payload", 1007],
  ];
  for (const [what, bytes, code, closeCode] of cases) {
    it(`${what}: ${code}, ${closeCode}`, () => {
      everySplit(bytes, (pieces) => {
        const one = server({ maxMessageSize: 100, maxFragments: 2 });
        assert.deepEqual(feed(one, text("before"), ...pieces, text("after")), ["text before", `failed ${code}`]);
        assert.deepEqual([one.state, one.canSend, one.canReceive], ["failed", false, false]);
        const { code: told, reason, clean } = one.closeInfo;
        assert.deepEqual([told, clean], [closeCode, false]);
        assert.deepEqual(describeFrames(sent(one)), [`close ${closeCode}${reason}`]);
        assert.throws(
          () => one.send("x"),
          (error: ServalError) => (error.cause as ServalError).code === code,
        );
      });
    });
  }

  it("a client refuses a mask", () => {
    assert.deepEqual(feed(client(), text("x")), ["failed websocket.bad_masked_frame"]);
  });

  it("skipUtf8Validation takes text and close reasons as they come", () => {
    const bad = Uint8Array.of(0xff);
    assert.deepEqual(feed(server({ skipUtf8Validation: true }), text(bad), close(1000, bad)), [
      "text \ufffd",
      "close 1000 \ufffd",
    ]);
  });
});

describe("the closing handshake", () => {
  it("begun here: data is dropped, the peer's answer is the last event", () => {
    const one = server();
    one.close({ code: 4000, reason: "bye" });
    one.close({ code: 4001 });
    assert.deepEqual([one.state, one.canSend, one.canReceive], ["closedByUs", false, true]);
    assert.deepEqual(one.closeInfo, { code: 1006, reason: "", clean: false });
    assert.deepEqual(describeFrames(sent(one)), ["close 4000bye"]);
    assert.deepEqual(feed(one, text("dropped"), text("a", { fin: false }), more("b"), close(4000)), ["close 4000"]);
    assert.deepEqual([one.state, one.canReceive], ["closedByBoth", false]);
    assert.deepEqual(one.closeInfo, { code: 4000, reason: "", clean: true });
  });

  it("begun by the peer: answered with its code, and clean once bytesToSend has given the answer", () => {
    const one = client();
    assert.deepEqual(feed(one, close(1001, "away", plain)), ["close 1001 away"]);
    assert.deepEqual([one.state, one.canSend, one.canReceive], ["closedByPeer", false, false]);
    assert.deepEqual(one.closeInfo, { code: 1001, reason: "away", clean: false });
    assert.deepEqual(describeFrames(sent(one), "client"), ["close 1001"]);
    assert.deepEqual(one.closeInfo, { code: 1001, reason: "away", clean: true });
  });

  it("without a code: 1005", () => {
    const one = server();
    one.close({ code: 1005 });
    assert.deepEqual(describeFrames(sent(one)), ["close"]);
    assert.deepEqual(feed(one, close()), ["close 1005"]);
    assert.deepEqual(one.end(), { code: 1005, reason: "", clean: true });
  });

  it("sending afterwards is websocket.closed, however it was closed", () => {
    const ways: [how: string, (one: Protocol) => void, message: RegExp][] = [
      ["by us", (one) => one.close(), /is closing$/],
      ["by the peer", (one) => void feed(one, close(1000, "bye")), /is closed: 1000 "bye"$/],
      ["by both", (one) => (one.close(), void feed(one, close(1000))), /is closed: 1000$/],
      ["by a failure", (one) => void feed(one, frame(3)), /is closed: 1002 /],
      ["by its end", (one) => void one.end(), /without a close frame \(1006\)$/],
    ];
    const calls: ((one: Protocol) => void)[] = [
      (one) => one.send("x"),
      (one) => one.send("x", { fin: false }),
      (one) => one.ping(),
      (one) => one.pong(),
      (one) => one.sendFrame({ opcode: 1 }),
      (one) => one.sendFramed(text("x", plain)),
    ];
    for (const [how, end, message] of ways) {
      const one = server();
      end(one);
      const before = one.bufferedAmount;
      for (const call of calls) assert.throws(() => call(one), { code: "websocket.closed", message }, how);
      one.close();
      assert.deepEqual([one.bufferedAmount, one.canSend], [before, false], how);
    }
  });

  it("end before bytesToSend has given the answer to the peer's close frame is not clean, and stays so", () => {
    const one = server();
    feed(one, close(1000));
    const { clean } = one.end();
    assert.deepEqual([clean, one.end().clean, one.closeInfo.clean], [false, false, false]);
  });

  it("end drops everything, and says how it was closed", () => {
    const one = server();
    one.send("never sent");
    one.receive(text("never seen"));
    assert.deepEqual(one.end(), { code: 1006, reason: "", clean: false });
    assert.deepEqual([one.next(), one.bytesToSend(), one.bufferedAmount], [undefined, [], 0]);
    assert.deepEqual([one.canSend, one.canReceive, one.state], [false, false, "open"]);
    one.receive(text("later"));
    assert.deepEqual([one.next(), one.end(), one.closeInfo], [undefined, one.closeInfo, one.end()]);
  });
});

describe("bad arguments", () => {
  const calls: [what: string, call: () => unknown, message: RegExp][] = [
    ["no options", () => new Protocol(undefined as never), /websocket.Protocol takes a plain object, such as/],
    ["no role", () => new Protocol({} as never), /role must be "client" or "server".*not undefined/],
    ["another role", () => new Protocol({ role: "peer" as never }), /role must be/],
    ["an unknown option", () => server({ maxPayload: 1 } as never), /maxPayload.*maxMessageSize/],
    ["an invalid limit", () => server({ maxMessageSize: -1 }), /maxMessageSize must be/],
    ["another extension", () => server({ extensions: "x-mux" }), /extensions must be/],
    [
      "an option of negotiation",
      () => server({ deflate: { serverMaxWindowBits: 9 } as never }),
      /no option "serverMaxWindowBits"/,
    ],
    ["an invalid level", () => server({ deflate: { level: 10 } }), /deflate.level must be/],
    ["generateMask that is no function", () => client({ generateMask: 7 as never }), /generateMask must be a function/],
    ["parts that is no boolean", () => server({ parts: 1 as never }), /parts must be true or false/],
    ["received text", () => server().receive("x" as never), /receive takes a Uint8Array, not "x"/],
    ["an object as a message", () => server().send({} as never), /A message must be a string.*JSON\.stringify/],
    ["a number of bytes as a message", () => server().send(7 as never), /A message must be/],
    ["a callback after a message", () => server().send("x", (() => {}) as never), /takes a plain object/],
    ["an unknown option of send", () => server().send("x", { binary: true } as never), /no option "binary"/],
    ["another kind", () => server().send("x", { kind: "blob" as never }), /kind must be/],
    ["fin that is no boolean", () => server().send("x", { fin: 0 as never }), /fin must be/],
    ["a ping of 126 bytes", () => server().ping("x".repeat(126)), /at most 125 bytes/],
    ["a pong of a number", () => server().pong(7 as never), /at most 125 bytes/],
    ["a close code that can't be sent", () => server().close({ code: 1006 }), /1006 can't be sent/],
    ["a close code alone", () => server().close(1000 as never), /close takes a plain object/],
    ["a signal, which has no use here", () => server().close({ signal: undefined } as never), /no option "signal"/],
    ["no opcode", () => server().sendFrame({} as never), /needs an opcode/],
    ["an opcode of 5 bits", () => server().sendFrame({ opcode: 16 }), /opcode must be.*from 0 to 15/],
    ["half an opcode", () => server().sendFrame({ opcode: 1.5 }), /opcode must be/],
    ["mask that is no boolean", () => server().sendFrame({ opcode: 1, mask: 0 as never }), /mask must be/],
    ["an invalid payload", () => server().sendFrame({ opcode: 1 }, 7 as never), /payload of a frame must be/],
    ["text as frames", () => server().sendFramed("x" as never), /sendFramed takes bytes/],
  ];
  for (const [what, call, message] of calls) {
    it(`${what}: core.invalid_argument`, () => assert.throws(call, { code: "core.invalid_argument", message }));
  }
});
