import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MessageBuffer, type BytesSource } from "../../../src/websocket/protocol/message-buffer.ts";
import { concat, utf8 } from "../support/frames.ts";
import { fc, runs } from "../../support/property.ts";

const kibi = 1024;

/** Adds bytes, as the last frame of a message. */
function add(buffer: MessageBuffer, bytes: Uint8Array, isLast = true): void {
  assert.equal(buffer.makeRoom(bytes.length, bytes.length, isLast, Infinity), true);
  buffer.append(sourceOf(bytes), bytes.length);
}

const sourceOf = (bytes: Uint8Array): BytesSource => ({
  copyInto: (target, at, count) => target.set(bytes.subarray(0, count), at),
});

describe("MessageBuffer", () => {
  it("any pieces come out in order, in a block of their own size", () => {
    const piece = fc.record({
      bytes: fc.uint8Array({ maxLength: 400 }),
      promised: fc.nat(100_000),
      isLast: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const buffer = new MessageBuffer();
        for (const { bytes, promised, isLast } of pieces) {
          assert.equal(buffer.makeRoom(bytes.length, promised, isLast, Infinity), true);
          buffer.append(sourceOf(bytes), bytes.length);
        }
        const expected = concat(...pieces.map(({ bytes }) => bytes));
        assert.equal(buffer.length, expected.length);
        const taken = buffer.take();
        assert.deepEqual(taken, expected);
        assert.equal(taken.buffer.byteLength, taken.length, "what was taken is part of a larger block");
        assert.deepEqual([buffer.length, buffer.bytes.length], [0, 0]);
      }),
      { numRuns: runs(200) },
    );
  });

  it("an announced length is not reserved in advance: at most 16 KiB, and four times the bytes that have arrived", () => {
    const buffer = new MessageBuffer();
    for (const isLast of [true, false]) {
      assert.equal(buffer.makeRoom(1, 2 ** 40, isLast, Infinity), true);
      assert.equal(buffer.bytes.length, 16 * kibi + 4);
    }
    while (buffer.length < 1000 * kibi) {
      assert.equal(buffer.makeRoom(kibi, 2 ** 40, true, Infinity), true);
      buffer.append(sourceOf(new Uint8Array(kibi)), kibi);
      const { length } = buffer;
      assert.ok(buffer.bytes.length <= 16 * kibi + 4 * length, `${buffer.bytes.length} bytes for ${length}`);
    }
  });

  it("memory that a message has outgrown is freed at once where the platform can, not by a collection", () => {
    const buffer = new MessageBuffer();
    add(buffer, new Uint8Array(kibi), false);
    const small = buffer.bytes;
    add(buffer, new Uint8Array(16 * kibi).fill(1), false);
    const outgrown = buffer.bytes;
    add(buffer, new Uint8Array(256 * kibi).fill(2));
    const canFree = "transfer" in ArrayBuffer.prototype;
    assert.equal(outgrown.length === 0, canFree);
    assert.equal(small.length, kibi, "less than 16 KiB are left to the collector");
    assert.deepEqual([...buffer.take().subarray(17 * kibi - 1, 17 * kibi + 1)], [1, 2]);
  });

  it("a megabyte that arrives in reads of 64 KiB, the first with a header, takes two blocks", () => {
    const size = 1024 * kibi;
    for (const header of [6, 8, 14]) {
      const buffer = new MessageBuffer();
      const blocks = new Set<Uint8Array>();
      for (let count = 64 * kibi - header; buffer.length < size; count = Math.min(64 * kibi, size - buffer.length)) {
        assert.equal(buffer.makeRoom(count, size - buffer.length, true, Infinity), true);
        buffer.append(sourceOf(new Uint8Array(count)), count);
        blocks.add(buffer.bytes);
      }
      assert.equal(blocks.size, 2);
      assert.equal(buffer.take(), [...blocks][1]);
    }
  });

  it("a plausible length is reserved once, and not copied when it is complete", () => {
    const buffer = new MessageBuffer();
    assert.equal(buffer.makeRoom(10, 10_000, true, Infinity), true);
    const block = buffer.bytes;
    assert.equal(block.length, 10_000);
    for (let i = 0; i < 1000; i++) {
      assert.equal(buffer.makeRoom(10, 10_000 - 10 * i, true, Infinity), true);
      buffer.append(sourceOf(utf8("0123456789")), 10);
    }
    assert.equal(buffer.take(), block);
  });

  it("many small fragments make few blocks, and none beyond the limit", () => {
    for (const limit of [Infinity, 100_000]) {
      const buffer = new MessageBuffer();
      const blocks = new Set<Uint8Array>();
      for (let i = 0; i < 10_000; i++) {
        assert.equal(buffer.makeRoom(10, 10, false, limit), true);
        buffer.append(sourceOf(utf8("0123456789")), 10);
        blocks.add(buffer.bytes);
        assert.ok(buffer.bytes.length <= Math.max(limit, 16 * kibi));
      }
      assert.ok(blocks.size < 20, `${blocks.size} blocks`);
      assert.equal(buffer.take().length, 100_000);
    }
  });

  it("reports that there is no memory, and keeps its bytes", () => {
    const buffer = new MessageBuffer();
    add(buffer, utf8("kept"), false);
    assert.equal(buffer.makeRoom(2 ** 52, 2 ** 52, true, Infinity), false);
    assert.deepEqual(buffer.take(), utf8("kept"));
  });

  it("drops from the front, and everything", () => {
    const buffer = new MessageBuffer();
    add(buffer, utf8("abcdef"));
    buffer.drop(2);
    assert.equal(buffer.length, 4);
    add(buffer, utf8("gh"));
    assert.deepEqual(buffer.bytes.subarray(0, buffer.length), utf8("cdefgh"));
    buffer.drop(6);
    assert.equal(buffer.length, 0);
    add(buffer, utf8("x"));
    buffer.clear();
    assert.equal(buffer.length, 0);
    add(buffer, utf8("new"));
    assert.deepEqual(buffer.take(), utf8("new"));
  });
});
