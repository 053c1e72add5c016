import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { copiedUpTo } from "../../../src/websocket/protocol/frame-buffer.ts";
import { itemsOf, joined, Part, PartedMessage, WholeMessage } from "../../../src/websocket/connection/item.ts";
import { opcode } from "../../../src/websocket/frames/frame.ts";
import { prepare } from "../../../src/websocket/protocol/prepared.ts";
import { concat, utf8 } from "../support/frames.ts";
import { fc } from "../../support/property.ts";

describe("WholeMessage", () => {
  it("refers to large memory of the caller's", () => {
    const large = new Uint8Array(copiedUpTo + 1);
    for (const [data, isReferenced] of [
      [large, true],
      [[large.subarray(1), Uint8Array.of(1)], true],
      [large.subarray(1), false],
      [prepare(large), false],
    ] as const) {
      assert.equal(new WholeMessage(opcode.binary, data, true).isReferenced, isReferenced);
    }
  });

  it("is joined in memory of its own, unless it is one piece that is referenced", () => {
    const pieces = [utf8("ab"), utf8(""), utf8("c")];
    assert.deepEqual(joined(new WholeMessage(opcode.binary, pieces, true)), utf8("abc"));
    const small = utf8("abc");
    assert.notEqual(joined(new WholeMessage(opcode.binary, small, true)), small);
    const large = new Uint8Array(copiedUpTo + 1);
    assert.equal(joined(new WholeMessage(opcode.binary, large, true)), large);
  });

  it("is uncompressed for a message prepared so", () => {
    assert.equal(new WholeMessage(opcode.text, prepare("x", { compress: false }), true).compress, false);
    assert.equal(new WholeMessage(opcode.text, prepare("x"), true).compress, true);
  });
});

describe("PartedMessage", () => {
  it("RFC 6455 5.6: any text, cut anywhere into parts, is the same UTF-8", () => {
    const units = fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\ud83d", "\ude00"), maxLength: 30 });
    fc.assert(
      fc.property(units, fc.array(fc.nat(40)), (text, cuts) => {
        const message = new PartedMessage(opcode.text, true);
        const at = [0, ...cuts.filter((cut) => cut < text.length).toSorted((a, b) => a - b), text.length];
        const parts = at.slice(1).map((end, i) => message.encode(text.slice(at[i], end), i === at.length - 2));
        assert.deepEqual(concat(...parts), utf8(text));
      }),
    );
  });

  it("half a character before bytes is replaced", () => {
    const message = new PartedMessage(opcode.text, true);
    const parts = [message.encode("a\ud83d", false), message.encode(utf8("b"), false), message.encode("c", true)];
    assert.deepEqual(concat(...parts), utf8("a\ufffdbc"));
  });

  it("comes after its parts", () => {
    const message = new PartedMessage(opcode.text, true);
    const part = new Part(utf8("a"), true);
    message.parts.push(part);
    assert.deepEqual(itemsOf(message), [part, message]);
  });
});

describe("Part", () => {
  it("is taken from the front, and kept in memory of its own", () => {
    const bytes = utf8("abcdef");
    const part = new Part(bytes, true);
    assert.deepEqual([part.take(2), part.size], [utf8("ab"), 4]);
    part.keep();
    bytes.fill(0);
    assert.deepEqual([part.take(4), part.size], [utf8("cdef"), 0]);
  });
});
