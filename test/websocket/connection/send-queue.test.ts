import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError } from "../../../src/core/index.ts";
import { finalBit, opcode } from "../../../src/websocket/frames/frame.ts";
import { prepare } from "../../../src/websocket/index.ts";
import type { Item } from "../../../src/websocket/connection/item.ts";
import { copiedUpTo } from "../../../src/websocket/protocol/frame-buffer.ts";
import { roles } from "../support/client-kit.ts";
import { describeFrame, utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { behindFill, Sending, textsIn } from "../support/sending.ts";
import { fc, runs } from "../../support/property.ts";
import { until, stepUntil } from "../../support/until.ts";

const { text, binary } = opcode;

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
            sending.send(text, data, false);
            sending.leaveAll();
            const sizes: number[] = [];
            for (let left = size; left > fragmentSize; left -= fragmentSize) sizes.push(fragmentSize);
            sizes.push(size - sizes.length * Math.min(fragmentSize, size));
            assert.deepEqual(
              sending.frames.map(({ payload }) => payload.length),
              sizes,
            );
            assert.deepEqual(textsIn(sending.frames), [[text, value]]);
          }
        }
      }
    });
  }

  it("no more is framed ahead than is about to leave, and controls go out in between", () => {
    const sending = new Sending({ fragmentSize: 20_000 });
    const { outgoing } = sending;
    sending.send(binary, new Uint8Array(1_000_000), false);
    const names: string[] = [];
    stepUntil(
      () => sending.queue.isEmpty,
      () => {
        assert.ok(outgoing.bufferedAmount <= 64 * 1024 + 20_010, `${outgoing.bufferedAmount} framed ahead`);
        outgoing.bytes(finalBit | opcode.ping, utf8("p"));
        sending.leave();
      },
    );
    sending.leaveAll();
    for (const { code } of sending.frames) names.push(code === opcode.ping ? "ping" : "data");
    assert.equal(names.filter((one) => one === "data").length, 50);
    const gaps = names
      .join(" ")
      .split("ping")
      .map((one) => one.trim().split(" ").length);
    assert.ok(Math.max(...gaps) <= 5, `${Math.max(...gaps)} fragments without a ping`);
    assert.equal(textsIn(sending.frames).length, 1);
  });

  it("`waiting` is what is not framed, of all that waits", () => {
    const sending = new Sending({ fragmentSize: 50_000 });
    const { outgoing } = sending;
    sending.send(binary, new Uint8Array(200_000), false);
    sending.send(binary, new Uint8Array(10), false);
    sending.send(text, "né", false);
    const parted = sending.begin(text, false);
    sending.part(parted, new Uint8Array(100), false);
    assert.equal(outgoing.bufferedAmount, 2 * 50_000 + 4 + 4);
    assert.equal(sending.queue.waiting, 100_000 + 10 + 3 + 100);
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
          const expected: [number, string][] = [];
          const open: { message: ReturnType<Sending["begin"]>; at: number }[] = [];
          let fill = 0;
          for (const { what, size } of steps) {
            const value = String.fromCharCode(0x21 + (fill++ % 90)).repeat(size);
            const bytes = utf8(value);
            if (what === "leave") sending.leave(size);
            else if (what === "begin") {
              open.push({ message: sending.begin(binary, false), at: expected.push([binary, ""]) - 1 });
            } else if (what === "part" || what === "last") {
              // Any of those that are open.
              const one = open[size % Math.max(1, open.length)];
              if (one === undefined) continue;
              sending.part(one.message, bytes, what === "last");
              expected[one.at][1] += value;
              if (what === "last") open.splice(open.indexOf(one), 1);
            } else {
              const data = { text: value, bytes, list: [bytes.subarray(0, size >> 1), bytes.subarray(size >> 1)] };
              sending.send(text, what === "prepared" ? prepare(value) : data[what], false);
              expected.push([text, value]);
            }
          }
          for (const { message } of open) sending.part(message, new Uint8Array(0), true);
          sending.leaveAll();
          assert.deepEqual(textsIn(sending.frames), expected);
          const payload = expected.reduce((sum, [, { length }]) => sum + length, 0);
          assert.deepEqual(
            [sending.outgoing.messages, sending.outgoing.payloadSize, sending.queue.waiting],
            [expected.length, payload, 0],
          );
        },
      ),
      { numRuns: runs(150) },
    );
  });
});

describe("what is reported, and when", () => {
  it("small messages when less than highWaterMark waits after them, also those that had to wait themselves", async () => {
    const sending = new Sending({ highWaterMark: 1000 });
    sending.fill();
    const ahead = sending.outgoing.bufferedAmount;
    const told = [1, 2, 3].map(() => sending.told(sending.send(binary, new Uint8Array(500), false)));
    await until(
      () => sending.outgoing.bufferedAmount === 0,
      async () => {
        sending.leave(100);
        await Promise.resolve();
        const left = told.map((_, i) => ahead + 504 * (i + 1) - sending.left.length);
        assert.deepEqual(
          told.map(({ done }) => done),
          left.map((bytes) => bytes < 1000),
        );
      },
    );
  });

  it("small messages at once where there is room, though they can't be framed yet; large ones not", () => {
    const sending = new Sending({ highWaterMark: 2 ** 20, fragmentSize: 1000 });
    sending.fill();
    const parted = sending.begin(binary, false);
    for (const queued of [
      sending.send(binary, new Uint8Array(copiedUpTo), false),
      sending.send(text, "x".repeat(200_000), false),
      sending.send(binary, new Uint8Array(10), false, true),
      sending.part(parted, new Uint8Array(copiedUpTo), false),
    ]) {
      assert.equal(sending.told(queued).done, true);
    }
    assert.equal(sending.told(sending.send(binary, new Uint8Array(copiedUpTo + 1), false)).done, false);
    assert.equal(sending.told(sending.part(parted, new Uint8Array(copiedUpTo + 1), true)).done, false);
    sending.send(binary, new Uint8Array(2 ** 20), false);
    assert.equal(sending.told(sending.send(text, "no room", false)).done, false);
  });

  it("an item that is framed but not yet written is told when it is", async () => {
    const sending = new Sending({ fragmentSize: 50_000 });
    sending.fill();
    const item = sending.send(binary, new Uint8Array(60_000), false);
    assert.ok(typeof item !== "number");
    const told = sending.told(item);
    sending.leave();
    await quiet();
    assert.deepEqual([sending.queue.waiting === 0, told.done], [true, false]);
    sending.leaveAll();
    assert.equal(told.done, true);
  });
});

it("what is framed ahead keeps below highWaterMark, and a pong of that moment takes no room from it", () => {
  const sending = new Sending({ highWaterMark: 10, fragmentSize: 8 });
  const { outgoing } = sending;
  sending.send(binary, new Uint8Array(100), false);
  assert.equal(outgoing.bufferedAmount, 10);
  sending.leave();
  assert.equal(outgoing.bufferedAmount, 10);
  outgoing.bytes(finalBit | opcode.pong, new Uint8Array(8));
  assert.equal(sending.queue.next(0), undefined);
  assert.equal(outgoing.bufferedAmount, 20);
  outgoing.wrote(outgoing.take() === undefined ? 0 : 20);
  outgoing.bytes(finalBit | opcode.pong, new Uint8Array(8));
  assert.equal(sending.queue.next(10), undefined);
  assert.equal(outgoing.bufferedAmount, 20);
});

describe("withdraw", () => {
  it("withdraws any message that has not begun, without a trace", () => {
    const kinds: ((sender: Sending) => Item)[] = [
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
      sending.fill();
      sending.send(text, "before", false, true);
      const item = kind(sending);
      const told = sending.told(item);
      sending.send(text, "behind", false);
      assert.equal(sending.connection.withdraw(item), true);
      assert.equal(sending.connection.withdraw(item), false);
      assert.equal(sending.queue.waiting, 12);
      sending.leaveAll();
      assert.deepEqual(behindFill(sending.frames).map(describeFrame), ["text before", "text behind"]);
      assert.deepEqual([told.done, sending.outgoing.messages, sending.queue.waiting], [false, 2, 0]);
    }
  });

  it("of a message that has begun, or is through, is too late: it leaves whole", () => {
    for (const size of [10, 200_000]) {
      const sending = new Sending({ fragmentSize: 50_000 });
      const item = sending.send(binary, [new Uint8Array(size)], false);
      if (typeof item !== "number") assert.equal(sending.connection.withdraw(item), false);
      sending.leaveAll();
      if (typeof item !== "number") assert.equal(sending.connection.withdraw(item), false);
      assert.equal(textsIn(sending.frames)[0][1].length, size);
    }
    const sending = new Sending();
    const parted = sending.begin(text, false);
    sending.part(parted, utf8("a"), false);
    assert.equal(sending.connection.withdraw(parted), false);
  });

  it("lets those after it go, and tells its source", () => {
    const sending = new Sending();
    const parted = sending.begin(undefined, false);
    let cancelled = 0;
    parted.cancel = () => cancelled++;
    sending.send(text, "behind", false);
    sending.leave();
    assert.equal(sending.left.length, 0);
    assert.equal(sending.connection.withdraw(parted), true);
    sending.leave();
    assert.deepEqual([sending.texts, cancelled], [["text behind"], 1]);
  });

  it("a patient message waits for what was ahead of it, and not for controls that come later", () => {
    const sending = new Sending();
    const { outgoing } = sending;
    const ping = (): void => outgoing.bytes(finalBit | opcode.ping, utf8("p"));
    sending.send(text, "1", false);
    for (const value of ["2", "3"]) sending.send(text, value, false, true);
    sending.send(text, "4", false);
    // A peer that keeps us busy with something all the time.
    for (let i = 0; i < 10; i++) {
      const { bufferedAmount } = outgoing;
      ping();
      sending.leave(bufferedAmount);
    }
    assert.deepEqual(
      sending.texts.filter((one) => one.startsWith("text")),
      ["text 1", "text 2", "text 3", "text 4"],
    );
  });

  it("a patient message is not framed while others wait to leave, however few", () => {
    const sending = new Sending({ highWaterMark: 1 });
    sending.send(text, "1", false);
    const patient = ["2", "3", "4"].map((value) => sending.send(text, value, false, true));
    sending.send(text, "5", false);
    assert.ok(patient.every((queued) => typeof queued !== "number"));
    assert.equal(sending.connection.withdraw(patient[1] as Item), true);
    sending.leave();
    assert.deepEqual(sending.texts, ["text 1"]);
    assert.equal(sending.connection.withdraw(patient[2] as Item), true, "it was framed before it could leave");
    sending.leaveAll();
    assert.deepEqual(sending.texts, ["text 1", "text 2", "text 5"]);
  });
});

describe("close", () => {
  it("comes after what is queued, at once where nothing is", async () => {
    const idle = new Sending();
    idle.close();
    idle.leave();
    assert.deepEqual(idle.texts, ["close"]);
    const sending = new Sending({ fragmentSize: 50_000 });
    sending.send(binary, new Uint8Array(500_000), false);
    const last = sending.told(sending.send(text, "last", false));
    sending.close();
    sending.leave();
    assert.equal(sending.connection.protocol.state, "open");
    sending.leaveAll();
    await quiet();
    assert.deepEqual(sending.texts.slice(-2), ["text last", "close"]);
    assert.deepEqual(last, { done: true, code: undefined });
  });

  it("cuts a message that nobody will finish, after what is there of it, and with it those after it", async () => {
    const sending = new Sending();
    sending.fill();
    const parted = sending.begin(text, false);
    let cancelled = 0;
    parted.cancel = () => cancelled++;
    sending.part(parted, utf8("a"), false);
    sending.part(parted, utf8("b"), false);
    const after = sending.queue.add(text, "never", false, false);
    const other = sending.begin(text, false);
    const part = sending.queue.part(other, utf8("never"), true);
    const told = [parted, after, part, other].map((item) => sending.told(item));
    sending.close();
    assert.equal(cancelled, 0);
    sending.leaveAll();
    assert.deepEqual(behindFill(sending.frames).map(describeFrame), [
      "text (not final) a",
      "continuation (not final) 62",
      "close",
    ]);
    await quiet();
    assert.deepEqual(
      told.map(({ code }) => code),
      Array(4).fill("websocket.closed"),
    );
    assert.deepEqual([cancelled, sending.queue.waiting, sending.queue.isEmpty], [1, 0, true]);
  });

  it("drops a message that has not begun, and sends those after it", async () => {
    const sending = new Sending();
    const parted = [sending.begin(undefined, false), sending.begin(undefined, false)];
    const after = sending.told(sending.queue.add(text, "after", false, false));
    const begun = sending.begin(text, false);
    sending.part(begun, utf8("a"), false);
    const never = sending.queue.add(text, "never", false, false);
    const told = [...parted, begun, never].map((item) => sending.told(item));
    sending.close();
    sending.leaveAll();
    await quiet();
    assert.deepEqual(sending.texts, ["text after", "text (not final) a", "close"]);
    assert.deepEqual(
      told.map(({ code }) => code),
      Array(4).fill("websocket.closed"),
    );
    assert.deepEqual([after, sending.queue.waiting], [{ done: true, code: undefined }, 0]);
  });

  it("waits for a message whose last part has come", () => {
    const sending = new Sending({ fragmentSize: 30_000 });
    const parted = sending.begin(binary, false);
    sending.part(parted, new Uint8Array(200_000), true);
    const told = sending.told(parted);
    sending.close();
    sending.leaveAll();
    assert.equal(textsIn(sending.frames)[0][1].length, 200_000);
    assert.deepEqual([sending.texts.at(-1), told.code], ["close", undefined]);
  });
});

describe("the end", () => {
  it("is reported to every waiting writer and to sources; nothing more is framed", async () => {
    const sending = new Sending({ fragmentSize: 50_000 });
    const { outgoing } = sending;
    const items = [sending.send(binary, new Uint8Array(500_000), false), sending.send(text, "a", false)] as Item[];
    const parted = sending.begin(text, false);
    let cancelled = 0;
    parted.cancel = () => cancelled++;
    items.push(sending.part(parted, utf8("b"), false) as Item, parted);
    const told = items.map((item) => sending.told(item));
    sending.connection.lost(coreError("core.connection_reset"));
    assert.deepEqual(
      told.map(({ done }) => done),
      Array(4).fill(false),
      "inside the call",
    );
    await quiet();
    assert.deepEqual(
      told.map(({ code }) => code),
      Array(4).fill("core.connection_reset"),
    );
    sending.leave();
    assert.deepEqual([cancelled, outgoing.bufferedAmount, sending.queue.waiting, sending.left.length], [1, 0, 0, 0]);
  });
});

describe("what waits", () => {
  it("counts for maxBufferedAmount also if it has no payload: a message that can't leave must not let others pile up", async () => {
    for (const what of ["messages", "parts"] as const) {
      const sending = new Sending({ fragmentSize: 1000, highWaterMark: 1000, maxBufferedAmount: 100_000 });
      sending.send(binary, new Uint8Array(5000), false);
      const parted = sending.begin(text, false);
      let count = 0;
      while (count < 1_000_000 && sending.errors.length === 0) {
        if (what === "messages") sending.connection.send(text, "", false);
        else if (sending.connection.refusal("part") === undefined) sending.part(parted, new Uint8Array(0), false);
        if (++count % 100 === 0) await quiet();
      }
      assert.deepEqual(sending.errors, ["websocket.queue_overflow"]);
      assert.ok(count < 1000, `${count} ${what} wait`);
    }
  });

  it("takes as long for each of many as for a few, withdrawn or sent", () => {
    const sending = new Sending({ fragmentSize: 100_000 });
    const { queue } = sending;
    sending.fill();
    const items = Array.from({ length: 200_000 }, (_, i) => queue.add(text, `${i}`, false, false));
    // Every other one; with a search for each, and a shift of all that are left, it takes minutes.
    for (const [i, item] of items.entries()) if (i % 2 === 0) assert.equal(sending.connection.withdraw(item), true);
    assert.equal(sending.connection.withdraw(items[0]), false);
    sending.leaveAll();
    const texts = textsIn(behindFill(sending.frames)).map(([, value]) => value);
    assert.deepEqual([texts.length, texts[0], texts.at(-1)], [100_000, "1", "199999"]);
    assert.deepEqual([queue.size, queue.sizeInMemory, queue.isEmpty], [0, 0, true]);
  });
});
