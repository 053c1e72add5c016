import assert from "node:assert/strict";
import { isUtf8 } from "node:buffer";
import { describe, it } from "node:test";
import { Utf8Checker } from "../../../src/websocket/frames/utf8.ts";
import { fc, runs } from "../../support/property.ts";

/** Feeds the bytes in pieces; the outcome as the number of bytes after which it was refused, or whether it is complete. */
function feed(pieces: readonly Uint8Array[]): { refused: boolean; complete: boolean; given: number } {
  const checker = new Utf8Checker();
  let given = 0;
  for (const piece of pieces) {
    given += piece.length;
    if (!checker.check(piece, 0, piece.length)) return { refused: true, complete: false, given };
  }
  return { refused: false, complete: checker.isComplete, given };
}

const single = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));

/** The shortest valid text that goes on with a byte of 80, 90, A0 or BF; shows whether a prefix can still be UTF-8. */
function isPrefix(bytes: readonly number[]): boolean {
  const tails = [
    [],
    [0x80],
    [0xbf],
    [0x90],
    [0x80, 0x80],
    [0xbf, 0x80],
    [0x90, 0x80],
    [0x90, 0x80, 0x80],
    [0x80, 0x80, 0x80],
  ];
  return tails.some((tail) => isUtf8(Uint8Array.from([...bytes, ...tail])));
}

describe("Utf8Checker", () => {
  it("RFC 3629 4: all sequences of one and two bytes, whole and byte by byte, are refused at their first bad byte", () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const bytes = [first, second];
        const bad = isPrefix([first]) ? (isPrefix(bytes) ? 0 : 2) : 1;
        const whole = feed([Uint8Array.from(bytes)]);
        const bytewise = feed(single(Uint8Array.from(bytes)));
        const name = bytes.map((byte) => byte.toString(16)).join(" ");
        assert.equal(whole.refused, bad > 0, name);
        assert.deepEqual(bytewise.refused ? bytewise.given : 0, bad, name);
        if (bad === 0) {
          assert.equal(whole.complete, isUtf8(Uint8Array.from(bytes)), name);
          assert.equal(bytewise.complete, whole.complete, name);
        }
      }
    }
  });

  // Around the bounds of every range of RFC 3629's grammar: each byte of the sequence in turn just inside and outside.
  const bounds = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];
  const leads = [0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5];
  it("RFC 3629 4: every lead byte of three and four with all bounds after it, whole, bytewise and at every split", () => {
    for (const lead of leads) {
      for (const b of bounds) {
        for (const c of bounds) {
          for (const d of bounds) {
            const bytes = Uint8Array.of(lead, b, c, d, 0x41);
            let bad = 1;
            while (bad <= bytes.length && isPrefix([...bytes.subarray(0, bad)])) bad++;
            const refusedAt = bad > bytes.length ? 0 : bad;
            const name = `${Buffer.from(bytes).toString("hex")}, first bad byte ${refusedAt}`;
            const bytewise = feed(single(bytes));
            assert.equal(bytewise.refused ? bytewise.given : 0, refusedAt, name);
            for (let split = 0; split <= bytes.length; split++) {
              const halves = feed([bytes.subarray(0, split), bytes.subarray(split)]);
              assert.equal(halves.refused, refusedAt > 0, name);
              if (halves.refused) assert.equal(halves.given, refusedAt <= split ? split : bytes.length, name);
              else assert.equal(halves.complete, isUtf8(bytes), name);
            }
          }
        }
      }
    }
  });

  it("any text, cut anywhere, is valid and complete", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 60 }),
        fc.array(fc.nat(240), { maxLength: 8 }),
        (text, cuts) => {
          const bytes = new TextEncoder().encode(text);
          const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
          const pieces = at.slice(1).map((end, i) => bytes.subarray(at[i], end));
          assert.deepEqual(feed(pieces), { refused: false, complete: true, given: bytes.length });
        },
      ),
    );
  });

  it("any bytes, cut anywhere, are refused exactly if the platform refuses them or they stop inside a character", () => {
    const byte = fc.oneof(fc.constantFrom(...bounds, ...leads), fc.nat(255));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 12 }), fc.nat(12), (values, cut) => {
        const bytes = Uint8Array.from(values);
        const { refused, complete } = feed([bytes.subarray(0, cut), bytes.subarray(cut)]);
        assert.equal(!refused && complete, isUtf8(bytes));
      }),
      { numRuns: runs(2000) },
    );
  });

  it("looks at the given range alone, and begins anew after reset", () => {
    const checker = new Utf8Checker();
    assert.equal(checker.check(Uint8Array.of(0xff, 0x41, 0xe2, 0x82, 0xff), 1, 4), true);
    assert.equal(checker.isComplete, false);
    checker.reset();
    assert.equal(checker.isComplete, true);
    assert.equal(checker.check(Uint8Array.of(0x42), 0, 1), true);
  });
});
