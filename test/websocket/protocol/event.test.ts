// What comes with each event: the agreement between `Incoming.next` and whatever takes its events.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Inflater } from "../../../src/websocket/deflate/deflate.ts";
import { event, found, take, type Take } from "../../../src/websocket/protocol/event.ts";
import { binary, close, concat, frame, ping, pong, text } from "../support/frames.ts";
import { hexOf, serverSide } from "../support/incoming.ts";

/** Inflates nothing here: every message goes elsewhere. */
const elsewhere = { inflateAside() {}, inflate() {} } as unknown as Inflater;

const hello = hexOf(Buffer.from("hello"));

describe("an event", () => {
  const cases: [name: keyof typeof event, taking: Take, bytes: Uint8Array, what: () => unknown, expected: unknown][] = [
    ["message", take.message, text("hello"), () => found.message, "hello"],
    ["message", take.message, binary("hello"), () => hexOf(found.message as Uint8Array), hello],
    ["part", take.part, text("hello"), () => [hexOf(found.part), found.isLast], [hello, true]],
    ["part", take.part, text("hello", { fin: false }), () => [hexOf(found.part), found.isLast], [hello, false]],
    ["ping", take.message, ping("hello"), () => hexOf(found.control), hello],
    ["pong", take.nothing, pong("hello"), () => hexOf(found.control), hello],
    ["close", take.part, close(1000), () => hexOf(found.control), "03e8"],
    ["failed", take.message, frame(3), () => found.failure, "websocket.bad_opcode"],
    ["deflated", take.message, text("hello", { rsv: 4 }), () => hexOf(found.deflated), hello],
  ];
  for (const [name, taking, bytes, what, expected] of cases) {
    it(`${name} comes with ${JSON.stringify(expected)}`, () => {
      const incoming = serverSide({ inflater: elsewhere });
      incoming.receive(bytes.slice());
      assert.equal(incoming.next(taking), event[name]);
      assert.deepEqual(what(), expected);
    });
  }

  it("data means that a frame waits, which the next call may take", () => {
    const incoming = serverSide();
    incoming.receive(concat(text("hello"), ping()));
    for (let i = 0; i < 2; i++) assert.equal(incoming.next(take.nothing), event.data);
    assert.equal(incoming.next(take.message), event.message);
    assert.equal(incoming.next(take.nothing), event.ping);
    assert.equal(incoming.next(take.nothing), undefined);
  });

  it("is one number, which never equals that of no event", () => {
    const numbers = Object.values(event);
    assert.equal(new Set(numbers).size, numbers.length);
    assert.ok(numbers.every(Boolean));
  });
});
