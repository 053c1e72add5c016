import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { coreError, type Handler, type Role } from "../../src/core/index.ts";
import { inlineUpTo, type Deflater } from "../../src/websocket/deflate.ts";
import { finalBit, opcode } from "../../src/websocket/frame.ts";
import { prepare } from "../../src/websocket/index.ts";
import type { Item } from "../../src/websocket/item.ts";
import { copiedUpTo, Outgoing } from "../../src/websocket/outgoing.ts";
import { Sender, type SenderOptions } from "../../src/websocket/sender.ts";
import { roles } from "./client-kit.ts";
import { concat, describeFrame, framesIn, utf8, type SentFrame } from "./frames.ts";
import { quiet } from "./kit.ts";

const { text, binary } = opcode;

/** A sender, and what leaves of what it frames. */
class Sending {
  readonly role: Role;
  readonly outgoing: Outgoing;
  readonly sender: Sender;
  readonly cut: Item[] = [];
  framed = 0;
  left: Uint8Array = new Uint8Array(0);
  readonly #waiters: [position: number, handler: Handler][] = [];

  constructor(options: Partial<SenderOptions> = {}, role: Role = "server") {
    this.role = role;
    this.outgoing = new Outgoing(role);
    const given = { deflater: undefined, threshold: 0, fragmentSize: Infinity, highWaterMark: 64 * 1024, ...options };
    this.sender = new Sender(this.outgoing, given, {
      waitWritten: (position, handler) => void this.#waiters.push([position, handler]),
      hasWritten: (position) => position <= this.outgoing.written,
      framed: () => void this.framed++,
      cut: (item) => void this.cut.push(item),
    });
  }

  /** What waits leaves, at most `count` bytes of it, and there is room for more. */
  leave(count = Infinity): void {
    const taken = this.outgoing.take();
    if (taken !== undefined) {
      const bytes = concat(...(taken instanceof Uint8Array ? [taken] : taken)).subarray(0, count);
      this.left = concat(this.left, bytes);
      this.outgoing.wrote(bytes.length);
    }
    for (const [position, handler] of this.#waiters.splice(0)) {
      if (position <= this.outgoing.written) handler(undefined);
      else this.#waiters.push([position, handler]);
    }
    this.sender.pump();
  }

  leaveAll(): void {
    while (this.outgoing.bufferedAmount > 0) this.leave();
  }

  get frames(): SentFrame[] {
    return framesIn(this.left, this.role);
  }

  get texts(): string[] {
    return this.frames.map(describeFrame);
  }

  /** Fills what may be framed ahead, so that all else has to wait. */
  fill(): void {
    while (this.outgoing.bufferedAmount < 64 * 1024) this.outgoing.bytes(finalBit | binary, new Uint8Array(8188));
  }

  /** Sends, and tells what comes of it: whether it is done, and whether that was a failure. */
  told(queued: number | Item): { done: boolean; code: string | undefined } {
    const state = { done: false, code: undefined as string | undefined };
    const handler: Handler = (error) => {
      assert.equal(state.done, false, "told twice");
      Object.assign(state, { done: true, code: error?.code });
    };
    if (typeof queued !== "number") queued.handler = handler;
    else if (queued <= this.outgoing.written) state.done = true;
    else this.#waiters.push([queued, handler]);
    return state;
  }
}

/** The frames of whole messages behind `fill`. */
const behindFill = (frames: SentFrame[]): SentFrame[] => frames.slice(8);

/** Frames to messages; a frame inside of another's message fails the test. */
function messagesIn(frames: SentFrame[]): [code: number, payload: string][] {
  const messages: [number, string][] = [];
  let open: { code: number; parts: Uint8Array[] } | undefined;
  for (const { code, fin, payload } of frames) {
    if (code >= opcode.close) continue;
    assert.equal(code === opcode.continuation, open !== undefined);
    open ??= { code, parts: [] };
    open.parts.push(payload);
    if (!fin) continue;
    messages.push([open.code, Buffer.concat(open.parts).toString("latin1")]);
    open = undefined;
  }
  assert.equal(open, undefined, "half a message");
  return messages;
}

describe("RFC 6455 5.4: fragments", () => {
  for (const role of roles) {
    it(`as a ${role}, every size in every size of fragment: full ones, and what is left`, () => {
      for (const fragmentSize of [8, 9, 100, Infinity]) {
        for (const size of [0, 1, 7, 8, 9, 15, 16, 17, 80, 99, 100, 101, 200, 201]) {
          const value = "0123456789".repeat(21).slice(0, size);
          const half = size >> 1;
          const list = [utf8(value.slice(0, half)), new Uint8Array(0), utf8(value.slice(half))];
          for (const data of [value, utf8(value), list, prepare(value)]) {
            const sending = new Sending({ fragmentSize }, role);
            sending.sender.send(text, data, false);
            sending.leaveAll();
            const sizes: number[] = [];
            for (let left = size; left > fragmentSize; left -= fragmentSize) sizes.push(fragmentSize);
            sizes.push(size - sizes.length * Math.min(fragmentSize, size));
            assert.deepEqual(
              sending.frames.map(({ payload }) => payload.length),
              sizes,
            );
            assert.deepEqual(messagesIn(sending.frames), [[text, value]]);
          }
        }
      }
    });
  }

  it("no more is framed ahead than is about to leave, and controls go out in between", () => {
    const sending = new Sending({ fragmentSize: 20_000 });
    const { sender, outgoing } = sending;
    sender.send(binary, new Uint8Array(1_000_000), false);
    const names: string[] = [];
    while (outgoing.bufferedAmount > 0) {
      assert.ok(outgoing.bufferedAmount <= 64 * 1024 + 20_010, `${outgoing.bufferedAmount} framed ahead`);
      outgoing.bytes(finalBit | opcode.ping, utf8("p"));
      sending.leave();
    }
    for (const { code } of sending.frames) names.push(code === opcode.ping ? "ping" : "data");
    assert.equal(names.filter((one) => one === "data").length, 50);
    const gaps = names
      .join(" ")
      .split("ping")
      .map((one) => one.trim().split(" ").length);
    assert.ok(Math.max(...gaps) <= 5, `${Math.max(...gaps)} fragments without a ping`);
    assert.equal(messagesIn(sending.frames).length, 1);
  });

  it("`waiting` is what is not framed, of all that waits", () => {
    const { sender, outgoing, ...sending } = new Sending({ fragmentSize: 50_000 });
    assert.equal(sending.framed, 0);
    sender.send(binary, new Uint8Array(200_000), false);
    sender.send(binary, new Uint8Array(10), false);
    sender.send(text, "né", false);
    const parted = sender.begin(text, false);
    sender.part(parted, new Uint8Array(100), false);
    assert.equal(outgoing.bufferedAmount, 2 * 50_000 + 4 + 4);
    assert.equal(sender.waiting, 100_000 + 10 + 3 + 100);
    assert.equal(sender.isIdle, false);
  });
});

describe("the order", () => {
  it("nothing overtakes: any messages leave in the order of the calls, each in one piece", () => {
    const step = fc.record({
      what: fc.constantFrom("text", "bytes", "list", "prepared", "begin", "part", "last", "leave"),
      size: fc.oneof(fc.nat(50), fc.constantFrom(copiedUpTo, copiedUpTo + 1), fc.nat(100_000)),
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.constantFrom(100, 5000, 30_000, Infinity),
        fc.constantFrom(...roles),
        (steps, fragmentSize, role) => {
          const sending = new Sending({ fragmentSize }, role);
          const { sender } = sending;
          const expected: [number, string][] = [];
          const open: { message: ReturnType<Sender["begin"]>; at: number }[] = [];
          let fill = 0;
          for (const { what, size } of steps) {
            const value = String.fromCharCode(0x21 + (fill++ % 90)).repeat(size);
            const bytes = utf8(value);
            if (what === "leave") sending.leave(size);
            else if (what === "begin") {
              open.push({ message: sender.begin(binary, false), at: expected.push([binary, ""]) - 1 });
            } else if (what === "part" || what === "last") {
              // Any of those that are open.
              const one = open[size % Math.max(1, open.length)];
              if (one === undefined) continue;
              sender.part(one.message, bytes, what === "last");
              expected[one.at][1] += value;
              if (what === "last") open.splice(open.indexOf(one), 1);
            } else {
              const data = { text: value, bytes, list: [bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)] };
              sender.send(text, what === "prepared" ? prepare(value) : data[what], false);
              expected.push([text, value]);
            }
          }
          for (const { message } of open) sender.part(message, new Uint8Array(0), true);
          sending.leaveAll();
          assert.deepEqual(messagesIn(sending.frames), expected);
          const payload = expected.reduce((sum, [, { length }]) => sum + length, 0);
          assert.deepEqual([sender.messages, sender.payload, sender.waiting], [expected.length, payload, 0]);
          assert.equal(sender.isIdle, true);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe("whose bytes they are", () => {
  /** Everything that a message may be, of a size, in memory that the test changes afterwards. */
  const ways: [name: string, send: (sender: Sender, bytes: Uint8Array) => (number | Item)[]][] = [
    ["bytes", (sender, bytes) => [sender.send(binary, bytes, false)]],
    ["patient bytes", (sender, bytes) => [sender.send(binary, bytes, false, true)]],
    ["a list", (sender, bytes) => [sender.send(binary, [bytes.subarray(0, 10), bytes.subarray(10)], false)]],
    ["a part", (sender, bytes) => [sender.part(sender.begin(binary, false), bytes, true)]],
    [
      "two parts",
      (sender, bytes) => {
        const message = sender.begin(binary, false);
        return [sender.part(message, bytes, false), sender.part(message, bytes.slice(0, 1), true)];
      },
    ],
  ];
  for (const role of roles) {
    for (const [name, send] of ways) {
      for (const fragmentSize of [1000, copiedUpTo - 10, 20_000, Infinity]) {
        it(`as a ${role}, up to 16 KiB are copied at the call: ${name}, in frames of ${fragmentSize}`, () => {
          for (const ahead of [0, 30_000, 60_000, 64_000, 100_000]) {
            const sending = new Sending({ fragmentSize, highWaterMark: 2 ** 20 }, role);
            if (ahead > 0) sending.outgoing.bytes(finalBit | binary, new Uint8Array(ahead).fill(2));
            const bytes = new Uint8Array(copiedUpTo).fill(1);
            send(sending.sender, bytes);
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
          for (const size of [copiedUpTo + 1, 20_010, 40_010, 130_000]) {
            const sending = new Sending({ fragmentSize, highWaterMark: 2 ** 20 }, role);
            sending.outgoing.bytes(finalBit | binary, new Uint8Array(10));
            const bytes = new Uint8Array(size).fill(1);
            const told = send(sending.sender, bytes).map((queued) => sending.told(queued));
            while (sending.outgoing.bufferedAmount > 0) {
              if (told[0].done) bytes.fill(9);
              sending.leave(5000);
              // Whoever waits is told from a microtask.
              await Promise.resolve();
            }
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
    sending.sender.send(binary, bytes, false);
    sending.sender.send(binary, list, false);
    const taken = sending.outgoing.take() as readonly Uint8Array[];
    for (const one of [bytes, ...list]) assert.ok(taken.includes(one));
  });
});

describe("what is told, and when", () => {
  it("small messages when less than highWaterMark waits behind them, also those that had to wait themselves", async () => {
    const sending = new Sending({ highWaterMark: 1000 });
    sending.fill();
    const ahead = sending.outgoing.bufferedAmount;
    const told = [1, 2, 3].map(() => sending.told(sending.sender.send(binary, new Uint8Array(500), false)));
    while (sending.outgoing.bufferedAmount > 0) {
      sending.leave(100);
      await Promise.resolve();
      const left = told.map((_, i) => ahead + 504 * (i + 1) - sending.left.length);
      assert.deepEqual(
        told.map(({ done }) => done),
        left.map((bytes) => bytes < 1000),
      );
    }
  });

  it("small messages at once where there is room, though they can't be framed yet; large ones not", () => {
    const sending = new Sending({ highWaterMark: 2 ** 20, fragmentSize: 1000 });
    sending.fill();
    const { sender } = sending;
    const parted = sender.begin(binary, false);
    for (const queued of [
      sender.send(binary, new Uint8Array(copiedUpTo), false),
      sender.send(text, "x".repeat(200_000), false),
      sender.send(binary, new Uint8Array(10), false, true),
      sender.part(parted, new Uint8Array(copiedUpTo), false),
    ]) {
      assert.equal(sending.told(queued).done, true);
    }
    assert.equal(sending.told(sender.send(binary, new Uint8Array(copiedUpTo + 1), false)).done, false);
    assert.equal(sending.told(sender.part(parted, new Uint8Array(copiedUpTo + 1), true)).done, false);
    sender.send(binary, new Uint8Array(2 ** 20), false);
    assert.equal(sending.told(sender.send(text, "no room", false)).done, false);
  });

  it("an item that is framed but not yet written is told when it is", async () => {
    const sending = new Sending({ fragmentSize: 50_000 });
    sending.fill();
    const item = sending.sender.send(binary, new Uint8Array(60_000), false);
    assert.ok(typeof item !== "number");
    const told = sending.told(item);
    sending.leave();
    await quiet();
    assert.deepEqual([sending.sender.isIdle, told.done], [true, false]);
    sending.leaveAll();
    assert.equal(told.done, true);
  });
});

describe("withdraw", () => {
  it("takes back what has not begun, whatever it is, and nobody hears of it again", () => {
    const kinds: ((sender: Sender) => Item)[] = [
      (sender) => sender.send(text, "not this", false) as Item,
      (sender) => sender.send(binary, new Uint8Array(100_000), false) as Item,
      (sender) => sender.send(binary, [utf8("not"), utf8("this")], false) as Item,
      (sender) => {
        const message = sender.begin(text, false);
        sender.part(message, utf8("not this"), false);
        return message;
      },
    ];
    for (const kind of kinds) {
      const sending = new Sending();
      const { sender } = sending;
      sending.fill();
      sender.send(text, "before", false, true);
      const item = kind(sender);
      const told = sending.told(item);
      sender.send(text, "behind", false);
      assert.equal(sender.withdraw(item), true);
      assert.equal(sender.withdraw(item), false);
      assert.equal(sender.waiting, 12);
      sending.leaveAll();
      assert.deepEqual(behindFill(sending.frames).map(describeFrame), ["text before", "text behind"]);
      assert.deepEqual([told.done, sender.messages, sender.isIdle], [false, 2, true]);
    }
  });

  it("of a message that has begun, or is through, is too late: it leaves whole", () => {
    for (const size of [10, 200_000]) {
      const sending = new Sending({ fragmentSize: 50_000 });
      const item = sending.sender.send(binary, [new Uint8Array(size)], false);
      if (typeof item !== "number") assert.equal(sending.sender.withdraw(item), false);
      sending.leaveAll();
      if (typeof item !== "number") assert.equal(sending.sender.withdraw(item), false);
      assert.equal(messagesIn(sending.frames)[0][1].length, size);
    }
    const sending = new Sending();
    const parted = sending.sender.begin(text, false);
    sending.sender.part(parted, utf8("a"), false);
    assert.equal(sending.sender.withdraw(parted), false);
  });

  it("lets those behind it go, and tells its source", () => {
    const sending = new Sending();
    const parted = sending.sender.begin(undefined, false);
    let cancelled = 0;
    parted.cancel = () => cancelled++;
    sending.sender.send(text, "behind", false);
    sending.leave();
    assert.equal(sending.left.length, 0);
    assert.equal(sending.sender.withdraw(parted), true);
    sending.sender.pump();
    sending.leave();
    assert.deepEqual([sending.texts, cancelled], [["text behind"], 1]);
  });

  it("a patient message is not framed while others wait to leave, however few", () => {
    const sending = new Sending({ highWaterMark: 1 });
    const { sender } = sending;
    sender.send(text, "1", false);
    const patient = ["2", "3", "4"].map((value) => sender.send(text, value, false, true));
    sender.send(text, "5", false);
    assert.ok(patient.every((queued) => typeof queued !== "number"));
    assert.equal(sender.withdraw(patient[1] as Item), true);
    sending.leave();
    assert.deepEqual(sending.texts, ["text 1"]);
    assert.equal(sender.withdraw(patient[2] as Item), true, "it was framed before it could leave");
    sending.leaveAll();
    assert.deepEqual(sending.texts, ["text 1", "text 2", "text 5"]);
  });
});

describe("close", () => {
  it("comes behind what is queued, at once where nothing is", () => {
    const sending = new Sending({ fragmentSize: 50_000 });
    let closed = 0;
    sending.sender.close(() => closed++);
    assert.equal(closed, 1);
    sending.sender.send(binary, new Uint8Array(500_000), false);
    sending.sender.send(text, "last", false);
    sending.sender.close(() => {
      closed++;
      sending.outgoing.bytes(finalBit | opcode.close, new Uint8Array(0));
    });
    assert.equal(closed, 1);
    sending.leaveAll();
    assert.deepEqual([closed, sending.texts.slice(-2)], [2, ["text last", "close"]]);
    assert.deepEqual(sending.cut, []);
  });

  it("cuts a message that nobody will finish, behind what is there of it, and with it those behind", () => {
    const sending = new Sending();
    const { sender } = sending;
    sending.fill();
    const parted = sender.begin(text, false);
    let cancelled = 0;
    parted.cancel = () => cancelled++;
    sender.part(parted, utf8("a"), false);
    sender.part(parted, utf8("b"), false);
    const behind = sender.send(text, "never", false) as Item;
    const other = sender.begin(text, false);
    const part = sender.part(other, utf8("never"), true) as Item;
    sender.close(() => sending.outgoing.bytes(finalBit | opcode.close, new Uint8Array(0)));
    assert.equal(cancelled, 0);
    sending.leaveAll();
    assert.deepEqual(behindFill(sending.frames).map(describeFrame), [
      "text (not final) a",
      "continuation (not final) 62",
      "close",
    ]);
    assert.deepEqual([sending.cut, cancelled], [[parted, behind, part, other], 1]);
    assert.deepEqual([sender.waiting, sender.isIdle], [0, true]);
  });

  it("drops one that has not begun, and sends what is behind it", () => {
    const sending = new Sending();
    const { sender } = sending;
    const parted = [sender.begin(undefined, false), sender.begin(undefined, false)];
    sender.send(text, "behind", false);
    const begun = sender.begin(text, false);
    sender.part(begun, utf8("a"), false);
    sender.send(text, "never", false);
    sender.close(() => sending.outgoing.bytes(finalBit | opcode.close, new Uint8Array(0)));
    sending.leaveAll();
    assert.deepEqual(sending.texts, ["text behind", "text (not final) a", "close"]);
    assert.deepEqual(sending.cut.slice(0, 3), [...parted, begun]);
    assert.deepEqual([sending.cut.length, sender.waiting, sender.isIdle], [4, 0, true]);
  });

  it("waits for a message whose last part has come", () => {
    const sending = new Sending({ fragmentSize: 30_000 });
    const parted = sending.sender.begin(binary, false);
    sending.sender.part(parted, new Uint8Array(200_000), true);
    sending.sender.close(() => sending.outgoing.bytes(finalBit | opcode.close, new Uint8Array(0)));
    sending.leaveAll();
    assert.equal(messagesIn(sending.frames)[0][1].length, 200_000);
    assert.deepEqual([sending.texts.at(-1), sending.cut], ["close", []]);
  });
});

describe("end", () => {
  it("tells everyone who waits, sources too, and nothing is framed any more", () => {
    const sending = new Sending({ fragmentSize: 50_000 });
    const { sender, outgoing } = sending;
    const items = [sender.send(binary, new Uint8Array(500_000), false), sender.send(text, "a", false)] as Item[];
    const parted = sender.begin(text, false);
    let cancelled = 0;
    parted.cancel = () => cancelled++;
    items.push(sender.part(parted, utf8("b"), false) as Item, parted);
    const told = items.map((item) => sending.told(item));
    const before = outgoing.queued;
    sender.end(() => coreError("core.connection_reset"));
    assert.deepEqual(
      told.map(({ code }) => code),
      Array(4).fill("core.connection_reset"),
    );
    sender.pump();
    sender.end(() => assert.fail("there is nobody left"));
    assert.deepEqual([cancelled, outgoing.queued, sender.waiting, sender.isIdle], [1, before, 0, true]);
  });
});

/**
 * "Deflates" in a way that is easy to see: messages are reversed, parts are as they were, all in memory that the next call uses
 * again. What it does elsewhere is done when the test says so.
 */
class Backwards {
  readonly windowBits: number = 15;
  readonly takeover: boolean;
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
  options: Partial<SenderOptions> & { takeover?: boolean } = {},
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
      const { sender } = sending;
      sender.send(text, "abc", true);
      sender.send(text, "ab", true);
      sender.send(text, "abc", false);
      sender.send(binary, utf8("abc"), true);
      sender.send(binary, utf8("ab"), true);
      sender.send(binary, utf8("abc"), false);
      sender.send(binary, [utf8("ab"), utf8("c")], true);
      sender.send(binary, [utf8("a"), utf8("b")], true);
      sender.send(binary, [utf8("ab"), utf8("c")], false);
      sending.leaveAll();
      const bytes = ["binary (rsv 4) 636261", "binary 6162", "binary 616263"];
      assert.deepEqual(sending.texts, ["text (rsv 4) 636261", "text ab", "text abc", ...bytes, ...bytes]);
      assert.deepEqual([sender.messages, sender.payload], [9, 24]);
      assert.deepEqual([sender.inflatedPayload, sender.deflatedPayload], [9, 9]);
    });

    for (const takeover of [true, false]) {
      it(`as a ${role}, takeover ${takeover}: prepared ones too, and not those that were prepared not to be`, () => {
        const sending = deflating({ threshold: 3, takeover }, role);
        const { sender } = sending;
        for (let i = 0; i < 2; i++) {
          sender.send(text, prepare("abc"), true);
          sender.send(text, prepare("ab"), true);
          sender.send(text, prepare("abc"), false);
          sender.send(text, prepare("abc", { compress: false }), true);
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
        assert.deepEqual([sender.messages, sender.payload, sender.inflatedPayload], [8, 22, takeover ? 6 : 0]);
      });
    }
  }

  it("the deflater's memory is not what is sent: the next message uses it again, at any size", () => {
    for (const size of [10, copiedUpTo, copiedUpTo + 1, inlineUpTo]) {
      for (const ahead of [0, 100_000]) {
        const sending = deflating();
        if (ahead > 0) sending.outgoing.bytes(finalBit | binary, new Uint8Array(ahead));
        const values = ["1", "2", "3"].map((digit) => digit.repeat(size));
        for (const value of values) sending.sender.send(text, value, true);
        for (const value of values) sending.sender.send(binary, utf8(value), true);
        const parted = sending.sender.begin(text, true);
        for (const value of values) sending.sender.part(parted, utf8(value), value === values[2]);
        for (const later of sending.deflater.later) later();
        sending.leaveAll();
        const all = messagesIn(sending.frames.slice(ahead > 0 ? 1 : 0)).map(([, value]) => value);
        assert.deepEqual(all, [...values, ...values, values.join("")]);
      }
    }
  });

  it("long ones are deflated elsewhere: nothing overtakes them but controls, and then they leave in fragments", () => {
    const long = "ab".repeat(inlineUpTo);
    for (const data of [long, utf8(long), [utf8(long.slice(0, 99)), utf8(long.slice(99))], prepare(long)]) {
      const sending = deflating({ fragmentSize: inlineUpTo, takeover: true });
      const { sender, outgoing, deflater } = sending;
      const item = sender.send(text, data, true) as Item;
      sender.send(text, "behind", false);
      outgoing.bytes(finalBit | opcode.ping, utf8("p"));
      sending.leave();
      assert.deepEqual([sending.texts, deflater.calls], [["ping 70"], [`${long.length} later`]]);
      assert.equal(sender.withdraw(item), false, "the deflater's context may have it already");
      assert.equal(sender.waiting, long.length + 6);
      deflater.later[0]();
      assert.equal(sending.framed, 1);
      sending.leaveAll();
      const [, first, second, last] = sending.frames;
      assert.deepEqual([first.rsv, first.fin, second.rsv, second.fin], [4, false, 0, true]);
      assert.equal(Buffer.concat([first.payload, second.payload]).toString(), long.split("").toReversed().join(""));
      assert.equal(describeFrame(last), "text behind");
      assert.deepEqual([sender.inflatedPayload, sender.payload, sender.waiting], [long.length, long.length + 6, 0]);
    }
  });

  it("what of the caller's is being deflated elsewhere may be the caller's again when it is told, and not before", async () => {
    const bytes = new Uint8Array(inlineUpTo + 1).fill(1);
    const sending = deflating();
    const told = sending.told(sending.sender.send(binary, bytes, true));
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
    const parted = sending.sender.begin(text, true);
    for (const value of ["ab", "", "cdefgh"]) sending.sender.part(parted, utf8(value), false);
    sending.sender.part(parted, utf8("z"), true);
    sending.leaveAll();
    assert.deepEqual(sending.texts, [
      "text (not final) (rsv 4) 6162",
      "continuation (not final)",
      "continuation (not final) 63646566",
      "continuation (not final) 6768",
      "continuation 7a",
    ]);
    assert.deepEqual(sending.deflater.calls, ["2", "0", "4", "2", "1 last"]);
    assert.deepEqual([sending.sender.inflatedPayload, sending.sender.messages], [9, 1]);
  });

  it("after the end nothing comes of what is deflated elsewhere, and the deflater is closed", () => {
    const sending = deflating();
    const told = sending.told(sending.sender.send(binary, new Uint8Array(inlineUpTo + 1), true));
    sending.sender.end(() => coreError("core.connection_reset"));
    sending.deflater.later[0]();
    sending.leaveAll();
    assert.deepEqual([told.code, sending.left.length, sending.framed], ["core.connection_reset", 0, 0]);
    assert.ok(sending.deflater.closed > 0);
  });

  it("close waits for what is deflated elsewhere", () => {
    const sending = deflating();
    sending.sender.send(binary, new Uint8Array(inlineUpTo + 1), true);
    sending.sender.close(() => sending.outgoing.bytes(finalBit | opcode.close, new Uint8Array(0)));
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
