import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { event, found, take } from "../../../src/websocket/protocol/event.ts";
import type { Incoming } from "../../../src/websocket/protocol/incoming.ts";
import { PayloadSlab, slabFor, slabSize } from "../../../src/websocket/protocol/payload-slab.ts";
import { binary, concat } from "../support/frames.ts";
import { serverSide } from "../support/incoming.ts";

/** A payload of one letter. */
const of = (letter: string, size: number): Uint8Array => new Uint8Array(size).fill(letter.charCodeAt(0));

/** The next message of bytes. */
function nextBytes(incoming: Incoming): Uint8Array {
  assert.equal(incoming.next(take.message), event.message);
  return found.message as Uint8Array;
}

/** All messages of one read, whose memory is overwritten afterwards. */
function messagesOf(incoming: Incoming, ...payloads: Uint8Array[]): Uint8Array[] {
  const lent = concat(...payloads.map((payload) => binary(payload)));
  incoming.receive(lent);
  const messages = payloads.map(() => nextBytes(incoming));
  incoming.retain();
  lent.fill(0xdb);
  return messages;
}

describe("memory of small payloads", () => {
  it("is shared by those of one read, without overlap, in at most 8 KiB each", () => {
    const sizes = [65, 66, 67, 2048, 100, 500, 2047, 1024, 1999, 1000, 127, 128, 2000, 77];
    const payloads = sizes.map((size, i) => of(String.fromCharCode(97 + i), size));
    const messages = messagesOf(serverSide(), ...payloads);
    assert.deepEqual(messages, payloads);
    const memories = new Set(messages.map(({ buffer }) => buffer));
    assert.ok(memories.size > 1 && memories.size < 5, `${memories.size}`);
    for (const { byteLength } of memories) assert.ok(byteLength <= slabSize, `${byteLength}`);
    messages[0]!.fill(0);
    assert.deepEqual(messages.slice(1), payloads.slice(1));
  });

  it("is not shared by two reads, nor by two connections whose messages come in turn", () => {
    const [one, other] = [serverSide(), serverSide()];
    const payloads = [of("a", 100), of("b", 100)];
    const first = messagesOf(one, ...payloads);
    const second = messagesOf(one, ...payloads);
    one.receive(concat(...payloads.map((payload) => binary(payload))));
    other.receive(concat(...payloads.map((payload) => binary(payload))));
    const ours = [nextBytes(one)];
    const theirs = [nextBytes(other)];
    ours.push(nextBytes(one));
    theirs.push(nextBytes(other));
    const memories = [first, second, ours, theirs].map((messages) => messages.map(({ buffer }) => buffer));
    for (const [a, b] of memories) assert.equal(a, b);
    assert.equal(new Set(memories.flat()).size, 4);
    for (const messages of [first, second, ours, theirs]) assert.deepEqual(messages, payloads);
  });

  it("is shared by messages of one read that are taken in several turns", () => {
    const incoming = serverSide();
    incoming.receive(concat(binary(of("a", 100)), binary(of("b", 100))));
    const first = nextBytes(incoming);
    incoming.retain();
    const second = nextBytes(incoming);
    assert.equal(first.buffer, second.buffer);
    assert.deepEqual([first, second], [of("a", 100), of("b", 100)]);
  });

  it("belongs to the payload alone if it came alone, is tiny, or is not small", () => {
    const incoming = serverSide();
    for (const payloads of [[of("a", 500)], [of("a", 64), of("b", 64)], [of("a", 2049), of("b", 2049)]]) {
      for (const { buffer, length } of messagesOf(incoming, ...payloads)) assert.equal(buffer.byteLength, length);
    }
  });

  it("is left if the application transfers it to another thread", () => {
    const incoming = serverSide();
    incoming.receive(concat(...["a", "b", "c"].map((letter) => binary(of(letter, 100)))));
    const first = nextBytes(incoming);
    assert.deepEqual(structuredClone(first, { transfer: [first.buffer as ArrayBuffer] }), of("a", 100));
    assert.deepEqual(nextBytes(incoming), of("b", 100));
    assert.deepEqual(nextBytes(incoming), of("c", 100));
  });

  it("has room to its end", () => {
    const slab = new PayloadSlab(300);
    assert.equal(slabFor(slab, 100, 1), slab);
    slab.take(of("a", 100), 0, 100, 0);
    assert.ok(slab.hasRoom(200));
    assert.ok(!slab.hasRoom(201));
    assert.equal(slabFor(slab, 201, 401), undefined);
    assert.notEqual(slabFor(slab, 201, 402), slab);
    assert.deepEqual(slab.take(of("b", 200), 0, 200, 0), of("b", 200));
    assert.ok(!slab.hasRoom(1));
  });
});
