import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  allocate,
  decodeLatin1,
  decodeText,
  decodeUtf8,
  encodeLatin1,
  encodeUtf8,
  isValidUtf8,
  utf8Length,
  writeLatin1,
  writeUtf8,
} from "../../src/core/text.ts";
import { fc } from "../support/property.ts";

const text = fc.string({ unit: "binary" });
const latin1 = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) });

describe("text", () => {
  it("is converted to UTF-8 and back as by the platform", () => {
    fc.assert(
      fc.property(text, (text) => {
        const bytes = encodeUtf8(text);
        assert.deepEqual(bytes, new TextEncoder().encode(text));
        assert.equal(bytes.length, utf8Length(text));
        assert.equal(decodeUtf8(bytes), text);
        assert.equal(decodeText(bytes), decodeUtf8(bytes));
        assert.equal(isValidUtf8(bytes), true);
      }),
    );
  });

  it("is converted to UTF-8 alike, short or long, wherever its first non-ASCII character is", () => {
    for (const character of ["\x7f", "\x80", "\xff", "\u20ac", "\ud83d\ude00", "\ud800", "\udc00", "\0"]) {
      for (const size of [0, 1, 2, 46, 47, 48, 49, 50, 200]) {
        for (const at of [0, 1, size >> 1, size - 1, size].filter((at) => at >= 0 && at <= size)) {
          const mixed = "a".repeat(at) + character + "b".repeat(size - at);
          const bytes = encodeUtf8(mixed);
          assert.deepEqual(bytes, new TextEncoder().encode(mixed));
          assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
          // Memory of its own.
          assert.equal(bytes.buffer.byteLength, bytes.length);
        }
      }
    }
  });

  it("has U+FFFD for what is not valid", () => {
    assert.equal(decodeUtf8(Uint8Array.of(0x61, 0xff, 0x62)), "a\u{fffd}b");
    assert.equal(decodeText(Uint8Array.of(0x61, 0xff, 0x62)), undefined);
    assert.deepEqual(encodeUtf8("\u{d800}"), encodeUtf8("\u{fffd}"));
    assert.equal(isValidUtf8(Uint8Array.of(0xc0, 0x80)), false);
    assert.equal(isValidUtf8(new Uint8Array(0)), true);
  });

  it("is converted to Latin-1 and back, one byte a character", () => {
    fc.assert(
      fc.property(latin1, (text) => {
        const bytes = encodeLatin1(text);
        assert.equal(bytes.length, text.length);
        assert.equal(decodeLatin1(bytes), text);
      }),
    );
  });

  it("is read from a part of the bytes", () => {
    const bytes = encodeUtf8("abcé");
    assert.equal(decodeUtf8(bytes, 1), "bcé");
    assert.equal(decodeUtf8(bytes, 1, 3), "bc");
    assert.equal(decodeLatin1(bytes, 2), "cÃ©");
    assert.equal(decodeLatin1(bytes, 0, 1), "a");
  });

  it("is written at its place, and nowhere else", () => {
    const bytes = new Uint8Array(8);
    assert.equal(writeLatin1(bytes, "é!", 2), 2);
    assert.deepEqual([...bytes], [0, 0, 0xe9, 0x21, 0, 0, 0, 0]);
    writeUtf8(bytes, "é", 5, 2);
    assert.deepEqual([...bytes], [0, 0, 0xe9, 0x21, 0, 0xc3, 0xa9, 0]);
    writeUtf8(bytes, "ab", 0, 2);
    assert.deepEqual([...bytes], [0x61, 0x62, 0xe9, 0x21, 0, 0xc3, 0xa9, 0]);
  });

  it("is written alike, whatever its length and its characters", () => {
    fc.assert(
      fc.property(fc.oneof(text, fc.string({ unit: "binary-ascii", maxLength: 100 })), fc.nat(5), (text, at) => {
        const expected = new TextEncoder().encode(text);
        const bytes = new Uint8Array(at + expected.length + 1);
        writeUtf8(bytes, text, at, expected.length);
        assert.deepEqual(bytes.subarray(at, -1), expected);
        assert.equal(bytes.at(-1), 0);
      }),
    );
  });
});

describe("allocate", () => {
  it("is in memory of its own, of exactly the size", () => {
    for (const size of [0, 1, 4095, 4096, 100_000]) {
      const bytes = allocate(size);
      assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
      assert.equal(bytes.length, size);
      assert.equal(bytes.buffer.byteLength, size);
    }
  });
});
