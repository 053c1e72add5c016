import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, inflateRawSync } from "node:zlib";
import { closeFrame, maskedFrame, messageFrame, messageFrames, payload } from "../../../bench/load/frames.ts";

const unmasked = (frame: Buffer, headerSize: number): Buffer => {
  const key = frame.subarray(headerSize, headerSize + 4);
  return Buffer.from(frame.subarray(headerSize + 4).map((byte, i) => byte ^ key[i & 3]!));
};

describe("frames of a load", () => {
  it("have lengths in their shortest form, and are masked", () => {
    for (const [size, header] of [
      [1, 2],
      [125, 2],
      [126, 4],
      [0xffff, 4],
      [0x10000, 10],
    ] as const) {
      const data = Buffer.alloc(size, 7);
      const frame = maskedFrame(0x82, data);
      assert.equal(frame.length, header + 4 + size);
      assert.equal(frame[1]! & 0x80, 0x80);
      assert.deepEqual(unmasked(frame, header), data);
    }
  });

  it("have JSON texts of the size asked for, each different", () => {
    const form = { size: 477, text: true, deflate: false };
    const texts = Array.from({ length: 256 }, (_, i) => payload(form, i).toString());
    for (const text of texts) assert.equal(text.length, 477);
    assert.equal(new Set(texts).size, 256);
    for (const size of [64, 477, 16_384]) assert.ok(JSON.parse(payload({ ...form, size }, 3).toString()));
  });

  it("are compressed without context takeover", () => {
    const form = { size: 477, text: true, deflate: true };
    const frame = messageFrame(form, 5);
    assert.equal(frame[0], 0xc1);
    const data = Buffer.concat([unmasked(frame, frame[1] === 0xfe ? 4 : 2), Buffer.from([0, 0, 0xff, 0xff])]);
    assert.deepEqual(inflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }), payload(form, 5));
  });

  it("are compressed with context takeover, and refer to none before the first", () => {
    const form = { size: 477, text: true, deflate: "takeover" } as const;
    const frames = messageFrames(form, 100);
    const alone = messageFrames({ ...form, deflate: true }, 100);
    assert.deepEqual(frames[0], alone[0]);
    assert.ok(Buffer.concat(frames).length < Buffer.concat(alone).length);
    const data = frames.flatMap((frame) => [unmasked(frame, frame[1] === 0xfe ? 4 : 2), Buffer.from([0, 0, 255, 255])]);
    assert.deepEqual(
      inflateRawSync(Buffer.concat(data), { finishFlush: constants.Z_SYNC_FLUSH }),
      Buffer.concat(frames.map((_, number) => payload(form, number))),
    );
  });

  it("end a connection with 1000", () => assert.deepEqual(unmasked(closeFrame, 2), Buffer.from([0x03, 0xe8])));
});
