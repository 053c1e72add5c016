import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { constants, deflateRawSync } from "node:zlib";
import type { Handler } from "../../../src/core/index.ts";
import { longestText } from "../../../src/core/text.ts";
import type { WebsocketCode } from "../../../src/websocket/frames/errors.ts";
import { Inflater } from "../../../src/websocket/deflate/deflate.ts";
import type { ReceivedPart } from "../../../src/websocket/index.ts";
import { Message } from "../../../src/websocket/operations/message.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, ended, pulled, uncaughtIn } from "../support/kit.ts";
import { until } from "../../support/until.ts";

describe("memory of the caller that changes while it waits", () => {
  const cases: [name: string, write: (write: (data: Uint8Array | Uint8Array[]) => void) => void, whole: boolean][] = [
    [
      "a list that is emptied is sent as it was",
      (write) => {
        const chunks = [new Uint8Array(20_000), new Uint8Array(20_000)];
        write(chunks);
        chunks.length = 0;
      },
      true,
    ],
    [
      "a buffer that is detached ends the connection",
      (write) => {
        const bytes = new Uint8Array(200_000);
        write(bytes);
        structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
      },
      false,
    ],
    [
      "one of a list that is detached too",
      (write) => {
        const chunks = [new Uint8Array(100_000), new Uint8Array(100_000)];
        write(chunks);
        structuredClone(chunks[1]!.buffer, { transfer: [chunks[1]!.buffer] });
      },
      false,
    ],
  ];
  for (const [name, act, whole] of cases) {
    it(`${name}; no exception is left uncaught`, async (t) => {
      const uncaught = uncaughtIn(t);
      const state = await pulled({}, { peerPair: { capacity: 1000 } });
      const { ws, peer } = state;
      peer.pause();
      void ws.write(new Uint8Array(150_000));
      let written: Promise<void> = Promise.resolve();
      act((data) => (written = ws.write(data)));
      await quiet();
      peer.resume();
      await until(async () => (await codeOf(written)) !== "pending");
      assert.equal(await codeOf(written), whole ? undefined : "core.invalid_argument");
      assert.deepEqual(uncaught, []);
      ws.terminate();
      await quiet();
    });
  }
});

it("text() of more than a string can have fails, and drops the rest", async () => {
  let count = 0;
  const part = new Uint8Array(64 * 1024 * 1024);
  const readSome = (handler: Handler<ReceivedPart>): void => {
    count++;
    queueMicrotask(() => handler(undefined, { bytes: part, kind: "text", done: false }));
  };
  const message = new Message({ bytes: part, kind: "text", done: false }, { readSome, cancelRead: () => false });
  assert.equal(await codeOf(message.text()), "websocket.message_too_big");
  assert.equal(count, Math.floor(longestText / part.length));
});

describe("RFC 7692: inflating", () => {
  it("in steps also where much input gives no output", async () => {
    const plain = new Uint8Array(deflateRawSync("end", { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4));
    const stored = Uint8Array.of(0x00, 0x00, 0x00, 0xff, 0xff);
    const payload = new Uint8Array(Buffer.concat([...Array.from({ length: 60_000 }, () => stored), plain]));
    const inflater = new Inflater({ windowBits: 15, takeover: true });
    let result: Uint8Array | WebsocketCode | undefined;
    let steps = 0;
    for (; result === undefined; steps++) result = inflater.inflate(payload, Infinity);
    assert.equal(Buffer.from(result as Uint8Array).toString(), "end");
    assert.ok(steps >= payload.length / (32 * 1024), `${steps} steps for ${payload.length} bytes`);
    inflater.close();
  });

  it("a message of which parts are wanted has the context: no other way goes past it", () => {
    const inflater = new Inflater({ windowBits: 15, takeover: false });
    const payload = new Uint8Array(
      deflateRawSync("RIGHT", { level: 0, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
    );
    const output = new Uint8Array(100);
    assert.equal(inflater.inflateSome(payload, 3, output, 0, false, 100), undefined);
    assert.equal(inflater.inflateAside(payload.subarray(3), 100), undefined);
    inflater.close();
  });
});

describe("a source that fails in the middle of its message", () => {
  it("a handler that is called for it can't begin another message inside", async () => {
    const state = await pulled();
    const { ws, peer } = state;
    const source = {
      async *[Symbol.asyncIterator]() {
        try {
          yield "abc";
          throw new Error("mine");
        } finally {
          ws.send("from its end");
        }
      },
    };
    const written = ws.write(source);
    const behind = ws.write("behind");
    behind.catch(() => void ws.send("from another's failure"));
    assert.equal(await codeOf(written), "websocket.source_failed");
    await quiet();
    assert.deepEqual(peer.frames, ["text (not final) abc", "close 1011"]);
    await ended(state);
  });
});

it("a message in parts whose first was dropped is dropped as a whole", async () => {
  const state = await pulled({ overflow: "drop", maxBufferedAmount: 10 }, { peerPair: { capacity: 10 } });
  const { ws, peer } = state;
  peer.pause();
  void ws.write("x".repeat(1000));
  const parts = [ws.writeSome("first", false), ws.writeSome("second", false), ws.writeSome("third", true)];
  for (const part of parts) assert.equal(await codeOf(part), "websocket.queue_overflow");
  peer.resume();
  await quiet();
  assert.equal(await codeOf(ws.writeSome("another", true)), undefined);
  await quiet();
  assert.deepEqual(peer.frames, [`text ${"x".repeat(1000)}`, "text another"]);
  assert.equal(ws.stats().messagesDropped, 1);
  await ended(state);
});

it("an invalid signal is refused at once, and leaves nothing pending", async () => {
  const { ws } = await pulled();
  for (const signal of [null, { aborted: false }, new AbortController()] as unknown as AbortSignal[]) {
    assert.equal(await codeOf(ws.read({ signal })), "core.invalid_argument");
    assert.equal(await codeOf(ws.write("x", { signal })), "core.invalid_argument");
  }
  assert.equal(await codeOf(ws.read()), "pending");
  ws.terminate();
});
