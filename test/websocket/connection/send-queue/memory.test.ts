import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Deflater } from "../../../../src/websocket/deflate/deflate.ts";
import { finalBit, opcode } from "../../../../src/websocket/frames/frame.ts";
import type { Item } from "../../../../src/websocket/connection/item.ts";
import { copiedUpTo } from "../../../../src/websocket/protocol/frame-buffer.ts";
import { roles } from "../../support/client-kit.ts";
import { concat } from "../../support/frames.ts";
import { Sending } from "../../support/sending.ts";
import { until } from "../../../support/until.ts";

const { binary } = opcode;

/** A deflater that makes no message smaller, so that each is sent as it is; parts have no choice. */
const useless = {
  windowBits: 15,
  takeover: false,
  deflate: (bytes: Uint8Array) => new Uint8Array(bytes.length + 1),
  deflateSome: (bytes: Uint8Array) => bytes.slice(),
  deflateLater: (bytes: Uint8Array, handler: (payload: Uint8Array) => void) =>
    queueMicrotask(() => handler(new Uint8Array(bytes.length + 1))),
} as unknown as Deflater;

/** Sizes, each without a deflater and with that one. */
const each = (sizes: number[]): [size: number, deflater: Deflater | undefined][] =>
  sizes.flatMap((size): [number, Deflater | undefined][] => [
    [size, undefined],
    [size, useless],
  ]);

describe("ownership of bytes", () => {
  /** Everything that a message may be, of a size, in memory that the test changes afterwards. */
  const ways: [name: string, send: (sender: Sending, bytes: Uint8Array) => (number | Item)[]][] = [
    ["bytes", (sender, bytes) => [sender.send(binary, bytes, true)]],
    ["patient bytes", (sender, bytes) => [sender.send(binary, bytes, true, true)]],
    ["a list", (sender, bytes) => [sender.send(binary, [bytes.subarray(0, 10), bytes.subarray(10)], true)]],
    ["a part", (sender, bytes) => [sender.part(sender.begin(binary, true), bytes, true)]],
    [
      "two parts",
      (sender, bytes) => {
        const message = sender.begin(binary, true);
        return [sender.part(message, bytes, false), sender.part(message, bytes.slice(0, 1), true)];
      },
    ],
  ];
  for (const role of roles) {
    for (const [name, send] of ways) {
      for (const fragmentSize of [1000, copiedUpTo - 10, 20_000, Infinity]) {
        it(`as a ${role}, up to 16 KiB are copied at the call: ${name}, in frames of ${fragmentSize}`, () => {
          for (const [ahead, deflater] of each([0, 30_000, 60_000, 64_000, 100_000])) {
            const sending = new Sending({ fragmentSize, highWaterMark: 2 ** 20, deflater }, role);
            if (ahead > 0) sending.outgoing.bytes(finalBit | binary, new Uint8Array(ahead).fill(2));
            const bytes = new Uint8Array(copiedUpTo).fill(1);
            send(sending, bytes);
            bytes.fill(9);
            sending.leaveAll();
            const payload = concat(...sending.frames.slice(ahead > 0 ? 1 : 0).map((one) => one.payload));
            assert.ok(
              payload.subarray(0, copiedUpTo).every((byte) => byte === 1),
              `behind ${ahead} bytes the caller's memory was sent`,
            );
          }
        });

        it(`as a ${role}, more are the caller's again once all have left: ${name}, in frames of ${fragmentSize}`, async () => {
          for (const [size, deflater] of each([copiedUpTo + 1, 20_010, 40_010, 130_000])) {
            const sending = new Sending({ fragmentSize, highWaterMark: 2 ** 20, deflater }, role);
            sending.outgoing.bytes(finalBit | binary, new Uint8Array(10));
            const bytes = new Uint8Array(size).fill(1);
            const told = send(sending, bytes).map((queued) => sending.told(queued));
            await until(
              () => sending.outgoing.bufferedAmount === 0 && sending.queue.waiting === 0,
              async () => {
                if (told[0].done) bytes.fill(9);
                sending.leave(5000);
                // Whoever waits is told from a microtask.
                await Promise.resolve();
              },
            );
            assert.ok(told.every((one) => one.done));
            const payload = concat(...sending.frames.slice(1).map((one) => one.payload));
            assert.ok(
              payload.subarray(0, size).every((byte) => byte === 1),
              `of ${size} bytes some were looked at after the write had settled`,
            );
          }
        });
      }
    }
  }

  it("more than 16 KiB are not copied where nothing is masked", () => {
    const sending = new Sending();
    const bytes = new Uint8Array(copiedUpTo + 1);
    const list = [new Uint8Array(copiedUpTo + 1), new Uint8Array(copiedUpTo + 2)];
    sending.send(binary, bytes, false);
    sending.send(binary, list, false);
    const taken = sending.outgoing.take() as readonly Uint8Array[];
    for (const one of [bytes, ...list]) assert.ok(taken.includes(one));
  });
});
