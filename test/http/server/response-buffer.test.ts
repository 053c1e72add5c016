import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { blockSize, takeBlock } from "../../../src/core/block-pool.ts";
import { decodeLatin1 } from "../../../src/core/text.ts";
import { ResponseBuffer } from "../../../src/http/server/response-buffer.ts";
import { bytesOf } from "../support/samples.ts";
import { fc } from "../../support/property.ts";

const listOf = (buffers: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] =>
  buffers instanceof Uint8Array ? [buffers] : buffers;
const text = (buffer: ResponseBuffer): string =>
  listOf(buffer.take())
    .map((piece) => decodeLatin1(piece))
    .join("");

describe("ResponseBuffer", () => {
  it("gathers heads and small bodies in one buffer", () => {
    const buffer = new ResponseBuffer();
    assert.deepEqual([buffer.size, buffer.take()], [0, []]);
    buffer.add("a\xff\r\n", bytesOf("b"));
    buffer.add("c", bytesOf(""));
    assert.equal(buffer.size, 6);
    const taken = buffer.take();
    assert.ok(taken instanceof Uint8Array);
    assert.equal(decodeLatin1(taken), "a\xff\r\nbc");
    assert.equal(taken.buffer.byteLength, blockSize);
    assert.equal(buffer.take(), taken);
  });

  it("copies bodies up to 16 KiB, and lends larger ones, in their place", () => {
    const buffer = new ResponseBuffer();
    const small = new Uint8Array(16 * 1024).fill(0x73);
    const large = new Uint8Array(16 * 1024 + 1).fill(0x6c);
    buffer.add("1", small);
    buffer.add("2", large);
    buffer.add("3", bytesOf("4"));
    small.fill(0);
    const pieces = listOf(buffer.take());
    assert.deepEqual(
      pieces.map((piece) => piece.length),
      [1 + small.length + 1, large.length, 2],
    );
    assert.equal(pieces[1], large);
    assert.equal(pieces[0]![1], 0x73);
    assert.equal(text(buffer), `1${"s".repeat(16 * 1024)}2${"l".repeat(large.length)}34`);
  });

  it("takes more blocks as it needs them, and a head that no block could hold", () => {
    const buffer = new ResponseBuffer();
    const body = new Uint8Array(15_000).fill(0x62);
    let expected = "";
    for (let i = 0; i < 5; i++) {
      buffer.add(`head ${i}`, body);
      expected += `head ${i}${"b".repeat(15_000)}`;
    }
    const long = "h".repeat(blockSize + 1);
    buffer.add(long, bytesOf("x"));
    assert.equal(text(buffer), `${expected}${long}x`);
    assert.equal(buffer.size, expected.length + long.length + 1);
  });

  it("goes on after what the stream has taken, and lets more be added there", () => {
    const buffer = new ResponseBuffer();
    buffer.add("abc", bytesOf("def"));
    buffer.take();
    buffer.wrote(2);
    assert.deepEqual([buffer.size, text(buffer)], [4, "cdef"]);
    buffer.add("gh", bytesOf(""));
    assert.equal(text(buffer), "cdefgh");
    buffer.wrote(5);
    assert.equal(text(buffer), "h");
    buffer.wrote(1);
    assert.deepEqual([buffer.size, buffer.take()], [0, []]);
    buffer.add("i", bytesOf("j"));
    assert.equal(text(buffer), "ij");
    buffer.wrote(2);
  });

  it("gives its blocks back when all is written, and not before", () => {
    const buffer = new ResponseBuffer();
    buffer.add("a", bytesOf("b"));
    const { buffer: memory } = buffer.take() as Uint8Array;
    buffer.wrote(1);
    assert.notEqual(takeBlock().buffer, memory);
    buffer.wrote(1);
    assert.equal(takeBlock().buffer, memory);
  });

  it("drops what waits, and leaves memory that a write may still look at", () => {
    const buffer = new ResponseBuffer();
    buffer.add("a", bytesOf("b"));
    const { buffer: memory } = buffer.take() as Uint8Array;
    buffer.clear();
    assert.deepEqual([buffer.size, buffer.take()], [0, []]);
    buffer.add("c", bytesOf("d"));
    const next = buffer.take() as Uint8Array;
    assert.notEqual(next.buffer, memory);
    assert.equal(decodeLatin1(next), "cd");
    buffer.wrote(2);
  });

  it("gives out what was added, in order, whatever the stream takes at once", () => {
    const size = fc.oneof(
      fc.nat(40),
      fc.integer({ min: 16_000, max: 17_000 }),
      fc.integer({ min: 32_700, max: 32_800 }),
    );
    const message = fc.tuple(size, size);
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.array(message, { maxLength: 4 }),
            fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 3 }),
          ),
        ),
        (turns) => {
          const buffer = new ResponseBuffer();
          let expected = "";
          let written = "";
          const write = (most: number): void => {
            const some = text(buffer).slice(0, most);
            written += some;
            if (some !== "") buffer.wrote(some.length);
          };
          let letter = 0;
          for (const [messages, writes] of turns) {
            for (const [head, body] of messages) {
              const [a, b] = [String.fromCharCode(97 + (letter++ % 26)), 65 + (letter % 26)];
              buffer.add(a.repeat(head), new Uint8Array(body).fill(b));
              expected += a.repeat(head) + String.fromCharCode(b).repeat(body);
            }
            assert.equal(buffer.size, expected.length - written.length);
            for (const most of writes) write(most);
          }
          write(Infinity);
          assert.ok(written === expected);
          assert.equal(buffer.size, 0);
        },
      ),
    );
  });
});
