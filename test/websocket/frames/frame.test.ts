import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { finalBit, maxHeaderSize, opcode, writeHeader, type Opcode } from "../../../src/websocket/frames/frame.ts";

/** Writes a header into 0xee at 3, and returns it as hex; what is around it must stay. */
function header(code: Opcode, fin: boolean, length: number): string {
  const bytes = new Uint8Array(3 + maxHeaderSize).fill(0xee);
  const end = writeHeader(bytes, 3, (fin ? finalBit : 0) | code, length, false);
  assert.ok(bytes.subarray(0, 3).every((byte) => byte === 0xee));
  assert.ok(bytes.subarray(end).every((byte) => byte === 0xee));
  return Buffer.from(bytes.subarray(3, end)).toString("hex");
}

describe("RFC 6455 5.2: the header of a frame", () => {
  const lengths: [length: number, hex: string][] = [
    [0, "8200"],
    [1, "8201"],
    [125, "827d"],
    [126, "827e007e"],
    [127, "827e007f"],
    [256, "827e0100"],
    [65_535, "827effff"],
    [65_536, "827f0000000000010000"],
    [2 ** 31, "827f0000000080000000"],
    [2 ** 32 - 1, "827f00000000ffffffff"],
    [2 ** 32, "827f0000000100000000"],
    [2 ** 32 + 0x01020304, "827f0000000101020304"],
    [Number.MAX_SAFE_INTEGER, "827f001fffffffffffff"],
  ];
  for (const [length, hex] of lengths) {
    it(`the length ${length} in its shortest form`, () => assert.equal(header(opcode.binary, true, length), hex));
  }

  const firsts: [code: Opcode, fin: boolean, hex: string][] = [
    [opcode.continuation, false, "0005"],
    [opcode.continuation, true, "8005"],
    [opcode.text, false, "0105"],
    [opcode.text, true, "8105"],
    [opcode.binary, false, "0205"],
    [opcode.binary, true, "8205"],
    [opcode.close, true, "8805"],
    [opcode.ping, true, "8905"],
    [opcode.pong, true, "8a05"],
  ];
  for (const [code, fin, hex] of firsts) {
    it(`opcode ${code}${fin ? ", final" : ""}: no reserved bit, no mask`, () =>
      assert.equal(header(code, fin, 5), hex));
  }
});
