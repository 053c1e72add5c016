import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coreError, type Handler, type ServalError } from "../../../src/core/index.ts";
import { handled } from "../../../src/core/internal.ts";
import { Message } from "../../../src/websocket/operations/message.ts";
import type { ReceivedPart } from "../../../src/websocket/connection/delivery.ts";
import { utf8 } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, uncaughtIn } from "../support/kit.ts";

const part = (bytes: string | Uint8Array, done = false, kind: "text" | "binary" = "text"): ReceivedPart => ({
  bytes: typeof bytes === "string" ? utf8(bytes) : bytes,
  kind,
  done,
});

/** A message of parts that come when they are read, each behind a microtask; one read at a time. */
function message(first: ReceivedPart, ...rest: (ReceivedPart | ServalError)[]): { message: Message; reads: number } {
  let isReading = false;
  const state = {
    reads: 0,
    message: new Message(first, {
      readSome(handler: Handler<ReceivedPart>): void {
        if (isReading) throw coreError("core.operation_pending");
        isReading = true;
        state.reads++;
        const next = rest.shift() ?? assert.fail("read beyond the end");
        queueMicrotask(() => {
          isReading = false;
          if (next instanceof Error) handler(next as ServalError, undefined as unknown as ReceivedPart);
          else handler(undefined, next);
        });
      },
      cancelRead: () => false,
    }),
  };
  return state;
}

function all(parts: AsyncIterable<Uint8Array>): Promise<string[]> {
  const collect = async (): Promise<string[]> => {
    const seen: string[] = [];
    for await (const bytes of parts) seen.push(Buffer.from(bytes).toString());
    return seen;
  };
  return handled(collect());
}

const made: [name: string, parts: [ReceivedPart, ...ReceivedPart[]], expected: string[]][] = [
  ["one part", [part("a", true)], ["a"]],
  ["several", [part("a"), part("bc"), part("d", true)], ["a", "bc", "d"]],
  ["empty parts, which nobody sees", [part(""), part("a"), part(""), part("b"), part("", true)], ["a", "b"]],
  ["nothing", [part("", true)], []],
  ["nothing, in several parts", [part(""), part(""), part("", true)], []],
];

describe("Message", () => {
  for (const [name, [first, ...rest], expected] of made) {
    it(`${name}: as parts, as bytes, as text, and from the middle on`, async () => {
      assert.deepEqual(await all(message(first, ...rest).message), expected);
      assert.deepEqual(await message(first, ...rest).message.bytes(), utf8(expected.join("")));
      assert.equal(await message(first, ...rest).message.text(), expected.join(""));
      const half = message(first, ...rest).message;
      const begun = await half[Symbol.asyncIterator]().next();
      assert.equal(begun.done === true ? "" : Buffer.from(begun.value).toString(), expected[0] ?? "");
      assert.equal(await half.text(), expected.slice(1).join(""));
    });

    it(`${name}: after the end returns nothing, repeatedly, and reads nothing`, async () => {
      const state = message(first, ...rest);
      await all(state.message);
      assert.equal(state.reads, rest.length);
      assert.deepEqual(await all(state.message), []);
      assert.deepEqual(await state.message.bytes(), new Uint8Array(0));
      assert.equal(await state.message.text(), "");
      assert.equal(state.reads, rest.length);
    });
  }

  it("has its kind", () => {
    assert.equal(message(part("a", true)).message.kind, "text");
    assert.equal(message(part("a", true, "binary")).message.kind, "binary");
  });

  it("text cut inside characters is whole again", async () => {
    const bytes = utf8("né€😀");
    const parts = Array.from(bytes, (byte, i) => part(Uint8Array.of(byte), i === bytes.length - 1));
    assert.equal(await message(parts[0], ...parts.slice(1)).message.text(), "né€😀");
  });

  it("with handlers: once, and never inside the call", async () => {
    const seen: string[] = [];
    const bytes: Handler<Uint8Array> = (error, value) =>
      seen.push(`bytes ${error?.code ?? Buffer.from(value).toString()}`);
    const text: Handler<string> = (error, value) => seen.push(`text ${error?.code ?? value}`);
    message(part("a"), part("b", true)).message.bytes(bytes);
    message(part("a"), part("b", true)).message.text(text);
    message(part("c", true)).message.text(text);
    message(part("", true)).message.bytes(bytes);
    assert.deepEqual(seen, []);
    await quiet();
    assert.deepEqual(seen.toSorted(), ["bytes ", "bytes ab", "text ab", "text c"]);
  });

  it("fails as its reading does, in every way", async () => {
    const lost = coreError("core.connection_reset");
    const broken = (): Message => message(part("a"), part("b"), lost).message;
    assert.equal(await codeOf(all(broken())), "core.connection_reset");
    assert.equal(await codeOf(broken().bytes()), "core.connection_reset");
    assert.equal(await codeOf(broken().text()), "core.connection_reset");
  });

  it("dropped, it returns nothing more: websocket.message_in_progress, and nothing is read", async () => {
    for (const give of [
      (one: Message): void => one.leave(),
      (one: Message): unknown => one[Symbol.asyncIterator]().return!(),
    ]) {
      const state = message(part("a"), part("b", true));
      await give(state.message);
      for (const wish of [
        state.message.bytes(),
        state.message.text(),
        state.message[Symbol.asyncIterator]().next(),
        all(state.message),
      ]) {
        assert.equal(await codeOf(wish), "websocket.message_in_progress");
      }
      assert.throws(() => state.message.bytes(() => assert.fail("was called")), {
        code: "websocket.message_in_progress",
      });
      assert.equal(state.reads, 0);
    }
  });

  it("leaving the loop drops it", async () => {
    const { message: one } = message(part("a"), part("b"), part("c", true));
    for await (const bytes of one) {
      assert.deepEqual(bytes, utf8("a"));
      break;
    }
    assert.equal(await codeOf(one.bytes()), "websocket.message_in_progress");
  });

  it("that is abandoned while it is collected fails only that call", async (context) => {
    const uncaught = uncaughtIn(context);
    for (const collect of ["bytes", "text"] as const) {
      for (const parts of [[part("a")], [part("a"), part("b")]]) {
        const { message: one } = message(parts[0], ...parts.slice(1), part("z", true));
        const collected = one[collect]();
        if (parts.length === 2) await Promise.resolve();
        one.leave();
        assert.equal(await codeOf(collected), "websocket.message_in_progress");
      }
    }
    assert.deepEqual(uncaught, []);
  });

  it("that is read in two ways at once fails one of them, and nothing else", async (context) => {
    const uncaught = uncaughtIn(context);
    const { message: one } = message(part("a"), part("b"), part("c", true));
    const collected = one.bytes();
    const next = one[Symbol.asyncIterator]().next();
    assert.equal(await codeOf(collected), "core.operation_pending");
    assert.deepEqual(await next, { done: false, value: utf8("b") });
    assert.deepEqual(uncaught, []);
  });
});
