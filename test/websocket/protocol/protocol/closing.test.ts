import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Protocol, type ProtocolOptions } from "../../../../src/websocket/index.ts";
import { close, describeFrames, frame, ping, text } from "../../support/frames.ts";
import { drain, feed, sent } from "../../support/protocol.ts";

const left = (options: Partial<ProtocolOptions> = {}): Protocol =>
  new Protocol({ role: "server", autoClose: false, ...options });

describe("a closing handshake that is left to the caller", () => {
  it("answers the peer's close frame with what close says, after messages that are still sent", () => {
    const one = left();
    assert.deepEqual(feed(one, close(4000, "bye")), ["close 4000 bye"]);
    assert.deepEqual([one.state, one.canReceive, one.canSend], ["closedByPeer", false, true]);
    assert.deepEqual(one.bytesToSend(), []);
    one.send("last");
    one.close({ code: 4000, reason: "bye" });
    assert.deepEqual([one.state, one.canSend], ["closedByPeer", false]);
    assert.deepEqual(describeFrames(sent(one)), ["text last", "close 4000bye"]);
    one.close();
    assert.deepEqual(one.bytesToSend(), []);
    assert.deepEqual(one.end(), { code: 4000, reason: "bye", clean: true });
  });

  it("compresses messages until the answer", () => {
    const one = left({ extensions: "permessage-deflate", deflate: { threshold: 0 } });
    one.send("a".repeat(300));
    const first = sent(one).length;
    assert.deepEqual(feed(one, close()), ["close 1005"]);
    one.send("a".repeat(300));
    assert.ok(sent(one).length < first, "the second refers to the first");
    one.close({ code: 1005 });
    assert.deepEqual(describeFrames(sent(one)), ["close"]);
  });

  it("says nothing of a violation before the caller does", () => {
    const one = left();
    one.receive(frame(3, "x"));
    assert.deepEqual(
      drain(one).map((event) => event.type),
      ["failed"],
    );
    assert.deepEqual([one.state, one.canSend], ["failed", true]);
    assert.deepEqual(one.bytesToSend(), []);
    one.close({ code: 1002 });
    assert.deepEqual(describeFrames(sent(one)), ["close 1002"]);
    assert.equal(one.canSend, false);
  });

  it("goes on with messages after our close frame, until the peer's", () => {
    const one = left();
    one.close({ code: 4001 });
    assert.equal(one.canSend, false);
    assert.deepEqual(feed(one, text("late"), ping("p"), close(4001)), ["text late", "ping 70", "close 4001"]);
    assert.deepEqual(describeFrames(sent(one)), ["close 4001"]);
    assert.equal(one.state, "closedByBoth");
  });
});

describe("a violation", () => {
  const valueIn = (bytes: Uint8Array, options?: Partial<ProtocolOptions>): unknown => {
    const one = left(options);
    one.receive(bytes);
    const event = one.next();
    assert.equal(event?.type, "failed");
    return [event.error.code, event.value];
  };

  it("comes with the value that is not allowed", () => {
    assert.deepEqual(valueIn(frame(3, "x")), ["websocket.bad_opcode", 3]);
    assert.deepEqual(valueIn(frame(0, "x")), ["websocket.bad_continuation", 0]);
    assert.deepEqual(valueIn(Uint8Array.of(0xf1, 0x80)), ["websocket.bad_reserved_bits", 0x70]);
    assert.deepEqual(valueIn(Uint8Array.of(0x89, 0xfe)), ["websocket.bad_control_size", 126]);
    assert.deepEqual(valueIn(close(1005)), ["websocket.bad_close_code", 1005]);
    assert.deepEqual(valueIn(frame(8, "x")), ["websocket.bad_close_size", 1]);
    assert.deepEqual(valueIn(text("hello"), { maxMessageSize: 4 }), ["websocket.message_too_big", 5]);
    assert.deepEqual(valueIn(text(Uint8Array.of(0xff))), ["websocket.bad_frame_payload", undefined]);
  });
});
