import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { maskInPlace, maskInto, rotateKey, unmaskedAscii, unmaskInto } from "../../../src/websocket/frames/mask.ts";
import { fc } from "../../support/property.ts";

const keyBytes = [0x37, 0xfa, 0x21, 0x8d]; // the first and the last bit of the number differ, no byte repeats
const key = 0x37 | (0xfa << 8) | (0x21 << 16) | (0x8d << 24);

/** RFC 6455 section 5.3, word for word: transformed-octet-i = original-octet-i XOR masking-key-octet-(i MOD 4). */
function naive(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => byte ^ keyBytes[i % 4]);
}

function counted(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + 1) & 0xff);
}

/** A view that begins `offset` bytes behind the start of its memory, which is filled with 0xee around it. */
function viewAt(offset: number, length: number): { view: Uint8Array; around: () => boolean } {
  const memory = new Uint8Array(offset + length + 8).fill(0xee);
  const outside = (byte: number, i: number): boolean => (i >= offset && i < offset + length) || byte === 0xee;
  return { view: memory.subarray(offset, offset + length), around: () => memory.every(outside) };
}

describe("RFC 6455 5.3: masking", () => {
  it("maskInPlace: every length to 300 at every alignment, and nothing beside it", () => {
    for (let length = 0; length <= 300; length++) {
      const expected = naive(counted(length));
      for (let offset = 0; offset < 8; offset++) {
        for (const at of [0, 1, 2, 3]) {
          const { view, around } = viewAt(offset, at + length);
          view.fill(0xee, 0, at);
          view.set(counted(length), at);
          maskInPlace(view, at, length, key);
          assert.deepEqual(view.subarray(at), expected, `length ${length}, offset ${offset}, at ${at}`);
          assert.ok(view.subarray(0, at).every((byte) => byte === 0xee) && around());
        }
      }
    }
  });

  it("maskInto: every length to 300, from every alignment to every other; the source stays as it was", () => {
    for (let length = 0; length <= 300; length++) {
      const bytes = counted(length);
      const expected = naive(bytes);
      for (let from = 0; from < 4; from++) {
        for (let at = 0; at < 4; at++) {
          const source = viewAt(from, length);
          source.view.set(bytes);
          const target = viewAt(at, length);
          const whole = new Uint8Array(source.view.buffer);
          maskInto(whole, from, new Uint8Array(target.view.buffer), at, length, key);
          assert.deepEqual(target.view, expected, `length ${length}, from ${from}, at ${at}`);
          assert.deepEqual(source.view, bytes);
          assert.ok(target.around());
        }
      }
    }
  });

  it("unmaskInto: every length to 300, from every alignment to every word, out of memory of any size", () => {
    for (const memory of [1000, 80 * 1024]) {
      for (let length = 0; length <= 300; length++) {
        const expected = naive(counted(length));
        const whole = new Uint8Array(memory).fill(0xee);
        for (const [from, at] of [
          [0, 0],
          [1, 4],
          [2, 8],
          [7, 12],
        ] as const) {
          whole.set(counted(length), from);
          const words = new Int32Array(80).fill(-1);
          const bytes = new Uint8Array(words.buffer);
          unmaskInto(whole, from, length, key, words, bytes, at);
          assert.deepEqual(bytes.subarray(at, at + length), expected, `length ${length}, from ${from}, at ${at}`);
          assert.ok(bytes.subarray(0, at).every((byte) => byte === 0xff));
          assert.ok(bytes.subarray(at + length).every((byte) => byte === 0xff));
        }
      }
    }
  });

  it("unmaskedAscii: every length to 100, and nothing for a text with another character, wherever that is", () => {
    for (const memory of [500, 500, 80 * 1024]) {
      const whole = new Uint8Array(memory);
      for (let length = 0; length <= 100; length++) {
        for (const from of [0, 3]) {
          const plain = counted(length).map((byte) => byte & 0x7f);
          whole.set(naive(plain), from);
          assert.equal(unmaskedAscii(whole, from, length, key), String.fromCharCode(...plain));
          for (let at = 0; at < length; at++) {
            whole[from + at]! ^= 0x80;
            assert.equal(unmaskedAscii(whole, from, length, key), undefined, `length ${length}, at ${at}`);
            whole[from + at]! ^= 0x80;
          }
        }
      }
    }
  });

  it("masking twice gives the bytes back; a key of 0 changes nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1000 }), fc.integer(), fc.nat(7), (bytes, anyKey, offset) => {
        const { view } = viewAt(offset, bytes.length);
        maskInto(bytes, 0, view, 0, bytes.length, anyKey);
        maskInPlace(view, 0, view.length, anyKey);
        assert.deepEqual(view, bytes);
        maskInPlace(view, 0, view.length, 0);
        assert.deepEqual(view, bytes);
      }),
    );
  });
});

describe("rotateKey", () => {
  it("is the key as seen from any place: masking in two pieces is masking in one", () => {
    const bytes = counted(97);
    for (let split = 0; split <= bytes.length; split++) {
      const pieces = bytes.slice();
      maskInPlace(pieces, 0, split, key);
      maskInPlace(pieces, split, bytes.length - split, rotateKey(key, split));
      assert.deepEqual(pieces, naive(bytes), `split at ${split}`);
    }
  });

  it("takes places beyond 2^31", () => {
    for (const places of [2 ** 31 + 1, 2 ** 32 + 2, 2 ** 40 + 3]) {
      assert.equal(rotateKey(key, places) >>> 0, rotateKey(key, places % 4) >>> 0, `${places}`);
    }
  });
});
