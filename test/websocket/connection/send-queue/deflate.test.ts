import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type Role } from "../../../../src/core/index.ts";
import { inlineUpTo, type Deflater } from "../../../../src/websocket/deflate/deflate.ts";
import { finalBit, opcode } from "../../../../src/websocket/frames/frame.ts";
import { prepare } from "../../../../src/websocket/index.ts";
import type { Item } from "../../../../src/websocket/connection/item.ts";
import { copiedUpTo } from "../../../../src/websocket/protocol/frame-buffer.ts";
import { roles } from "../../support/client-kit.ts";
import { describeFrame, utf8 } from "../../support/frames.ts";
import { quiet } from "../../../support/quiet.ts";
import { Sending, textsIn, type SendingOptions } from "../../support/sending.ts";

const { text, binary } = opcode;

/**
 * "Deflates" in a way that is easy to see: messages are reversed, parts are as they were, all in memory that the next call uses
 * again. What it does elsewhere is done when the test says so.
 */
class Backwards {
  readonly windowBits: number = 15;
  readonly takeover: boolean;
  inflatedPayload = 0;
  deflatedPayload = 0;
  readonly calls: string[] = [];
  readonly later: (() => void)[] = [];
  closed = 0;
  readonly #memory: Uint8Array = new Uint8Array(4 * inlineUpTo);

  constructor(takeover = true) {
    this.takeover = takeover;
  }

  alike(): Backwards {
    return this;
  }

  deflate(bytes: Uint8Array): Uint8Array {
    this.calls.push(`${bytes.length}`);
    this.#memory.set(bytes.toReversed());
    return this.#memory.subarray(0, bytes.length);
  }

  deflateSome(bytes: Uint8Array, isLast: boolean): Uint8Array {
    this.calls.push(`${bytes.length}${isLast ? " last" : ""}`);
    this.#memory.set(bytes);
    return this.#memory.subarray(0, bytes.length);
  }

  deflateLater(bytes: Uint8Array, handler: (payload: Uint8Array) => void): void {
    this.calls.push(`${bytes.length} later`);
    this.later.push(() => handler(bytes.toReversed()));
  }

  close(): void {
    this.closed++;
  }
}

/** A sender that deflates. */
function deflating(
  options: Partial<SendingOptions> & { takeover?: boolean } = {},
  role: Role = "server",
): Sending & { deflater: Backwards } {
  const deflater = new Backwards(options.takeover);
  const sending = new Sending({ ...options, deflater: deflater as unknown as Deflater }, role);
  return Object.assign(sending, { deflater });
}

describe("RFC 7692: deflated messages", () => {
  for (const role of roles) {
    it(`as a ${role}: RSV1, unless they are too small, or are not to be compressed`, () => {
      const sending = deflating({ threshold: 3 }, role);
      sending.send(text, "abc", true);
      sending.send(text, "ab", true);
      sending.send(text, "abc", false);
      sending.send(binary, utf8("abc"), true);
      sending.send(binary, utf8("ab"), true);
      sending.send(binary, utf8("abc"), false);
      sending.send(binary, [utf8("ab"), utf8("c")], true);
      sending.send(binary, [utf8("a"), utf8("b")], true);
      sending.send(binary, [utf8("ab"), utf8("c")], false);
      sending.leaveAll();
      const bytes = ["binary (rsv 4) 636261", "binary 6162", "binary 616263"];
      assert.deepEqual(sending.texts, ["text (rsv 4) 636261", "text ab", "text abc", ...bytes, ...bytes]);
      assert.deepEqual([sending.outgoing.messages, sending.outgoing.payloadSize], [9, 24]);
      assert.deepEqual([sending.outgoing.inflatedPayload, sending.outgoing.deflatedPayload], [9, 9]);
    });

    for (const takeover of [true, false]) {
      it(`as a ${role}, takeover ${takeover}: prepared ones too, and not those that were prepared not to be`, () => {
        const sending = deflating({ threshold: 3, takeover }, role);
        for (let i = 0; i < 2; i++) {
          sending.send(text, prepare("abc"), true);
          sending.send(text, prepare("ab"), true);
          sending.send(text, prepare("abc"), false);
          sending.send(text, prepare("abc", { compress: false }), true);
          // The second time behind others.
          if (i === 0) sending.fill();
        }
        sending.leaveAll();
        // Here it gets no smaller by that, which counts only without takeover.
        const expected = [takeover ? "text (rsv 4) 636261" : "text abc", "text ab", "text abc", "text abc"];
        assert.deepEqual(
          sending.texts.filter((one) => one.startsWith("text")),
          [...expected, ...expected],
        );
        assert.deepEqual(
          [sending.outgoing.messages, sending.outgoing.payloadSize, sending.outgoing.inflatedPayload],
          [8, 22, takeover ? 6 : 0],
        );
      });
    }
  }

  it("the deflater's memory is not what is sent: the next message uses it again, at any size", () => {
    for (const size of [10, copiedUpTo, copiedUpTo + 1, inlineUpTo]) {
      for (const ahead of [0, 100_000]) {
        const sending = deflating();
        if (ahead > 0) sending.outgoing.bytes(finalBit | binary, new Uint8Array(ahead));
        const values = ["1", "2", "3"].map((digit) => digit.repeat(size));
        for (const value of values) sending.send(text, value, true);
        for (const value of values) sending.send(binary, utf8(value), true);
        const parted = sending.begin(text, true);
        for (const value of values) sending.part(parted, utf8(value), value === values[2]);
        for (const later of sending.deflater.later) later();
        sending.leaveAll();
        const all = textsIn(sending.frames.slice(ahead > 0 ? 1 : 0)).map(([, value]) => value);
        assert.deepEqual(all, [...values, ...values, values.join("")]);
      }
    }
  });

  it("long ones are deflated elsewhere: nothing overtakes them but controls, and then they leave in fragments", () => {
    const long = "ab".repeat(inlineUpTo);
    for (const data of [long, utf8(long), [utf8(long.slice(0, 99)), utf8(long.slice(99))], prepare(long)]) {
      const sending = deflating({ fragmentSize: inlineUpTo, takeover: true });
      const { outgoing, deflater } = sending;
      const item = sending.send(text, data, true) as Item;
      sending.send(text, "behind", false);
      outgoing.bytes(finalBit | opcode.ping, utf8("p"));
      sending.leave();
      assert.deepEqual([sending.texts, deflater.calls], [["ping 70"], [`${long.length} later`]]);
      assert.equal(sending.connection.withdraw(item), false, "the deflater's context may have it already");
      assert.equal(sending.queue.waiting, long.length + 6);
      deflater.later[0]();
      sending.leaveAll();
      const [, first, second, last] = sending.frames;
      assert.deepEqual([first.rsv, first.fin, second.rsv, second.fin], [4, false, 0, true]);
      assert.equal(Buffer.concat([first.payload, second.payload]).toString(), long.split("").toReversed().join(""));
      assert.equal(describeFrame(last), "text behind");
      assert.deepEqual(
        [sending.outgoing.inflatedPayload, sending.outgoing.payloadSize, sending.queue.waiting],
        [long.length, long.length + 6, 0],
      );
    }
  });

  it("what of the caller's is being deflated elsewhere may be the caller's again when it is told, and not before", async () => {
    const bytes = new Uint8Array(inlineUpTo + 1).fill(1);
    const sending = deflating();
    const told = sending.told(sending.send(binary, bytes, true));
    sending.leave();
    await quiet();
    assert.equal(told.done, false);
    sending.deflater.later[0]();
    sending.leaveAll();
    await quiet();
    assert.equal(told.done, true);
  });

  it("of a message in parts each is deflated as it comes, RSV1 on the first alone, the last one as such", () => {
    const sending = deflating({ threshold: 1000, fragmentSize: 4 });
    const parted = sending.begin(text, true);
    for (const value of ["ab", "", "cdefgh"]) sending.part(parted, utf8(value), false);
    sending.part(parted, utf8("z"), true);
    sending.leaveAll();
    assert.deepEqual(sending.texts, [
      "text (not final) (rsv 4) 6162",
      "continuation (not final)",
      "continuation (not final) 63646566",
      "continuation (not final) 6768",
      "continuation 7a",
    ]);
    assert.deepEqual(sending.deflater.calls, ["2", "0", "4", "2", "1 last"]);
    assert.deepEqual([sending.outgoing.inflatedPayload, sending.outgoing.messages], [9, 1]);
  });

  it("after the end nothing comes of what is deflated elsewhere, and the deflater is closed", async () => {
    const sending = deflating();
    const told = sending.told(sending.send(binary, new Uint8Array(inlineUpTo + 1), true));
    sending.connection.lost(coreError("core.connection_reset"));
    await quiet();
    sending.deflater.later[0]();
    sending.leave();
    assert.deepEqual([told.code, sending.left.length], ["core.connection_reset", 0]);
    assert.ok(sending.deflater.closed > 0);
  });

  it("what has been deflated is not taken back: with takeover the next messages refer to it", () => {
    const sending = deflating({ takeover: true });
    const item = sending.send(binary, new Uint8Array(inlineUpTo + 1).fill(7), true) as Item;
    sending.fill();
    sending.deflater.later[0]();
    assert.equal(item.position, undefined, "it is framed");
    assert.equal(sending.connection.withdraw(item), false);
  });

  it("what was detached while it was deflated elsewhere is not sent as what is left of it", async () => {
    const sending = deflating({ takeover: false });
    const bytes = new Uint8Array(inlineUpTo + 1).fill(7);
    // The deflater of this test could not read it then either: two pieces are joined for it.
    sending.send(binary, [bytes, Uint8Array.of(7)], true);
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
    sending.deflater.later[0]();
    await quiet();
    assert.deepEqual([sending.errors, sending.left.length], [["core.invalid_argument"], 0]);
  });

  it("close waits for what is deflated elsewhere", () => {
    const sending = deflating();
    sending.send(binary, new Uint8Array(inlineUpTo + 1), true);
    sending.close();
    sending.leave();
    assert.equal(sending.left.length, 0);
    sending.deflater.later[0]();
    sending.leaveAll();
    assert.deepEqual(
      sending.frames.map(({ code }) => code),
      [binary, opcode.close],
    );
  });
});
