import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { markRead, takeQueued } from "../../../src/http/server/stream-state.ts";

/** A stream of bytes with these pieces, closed or not. */
function bytes(pieces: readonly string[], isClosed: boolean): ReadableStream {
  return new ReadableStream({
    type: "bytes",
    start(controller) {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      if (isClosed) controller.close();
    },
  });
}

const text = (taken: Uint8Array | undefined): string | undefined =>
  taken === undefined ? undefined : new TextDecoder().decode(taken);

describe("what a stream has queued", () => {
  for (const pieces of [["text"], []]) {
    it(`is taken if it is closed, with ${pieces.length} pieces; then it was read`, () => {
      const stream = bytes(pieces, true);
      assert.equal(text(takeQueued(stream)), pieces.join(""));
      assert.equal(takeQueued(stream), undefined);
      assert.throws(() => new Response(stream), TypeError);
    });
  }

  for (const [what, make] of [
    ["it is open", () => bytes(["text"], false)],
    ["it is in two pieces", () => bytes(["a", "b"], true)],
    ["it is no stream of bytes", () => new ReadableStream({ start: (controller) => controller.close() })],
    ["it has failed", () => new ReadableStream({ type: "bytes", start: (controller) => controller.error("mine") })],
  ] as const) {
    it(`is not taken if ${what}; then nothing has changed`, () => {
      const stream = make();
      assert.equal(takeQueued(stream), undefined);
      assert.equal(new Response(stream).bodyUsed, false);
    });
  }

  it("is not taken from one that is being read, or was", async () => {
    const stream = bytes(["text"], true);
    const reader = stream.getReader();
    assert.equal(takeQueued(stream), undefined);
    assert.equal(text((await reader.read()).value as Uint8Array), "text");
    reader.releaseLock();
    assert.equal(takeQueued(stream), undefined);
  });
});

it("a stream is marked once, unless it is locked or was read", async () => {
  const marked = bytes([], false);
  assert.equal(markRead(marked), true);
  assert.throws(() => new Response(marked), TypeError);
  assert.equal(markRead(marked), false);
  const locked = bytes([], false);
  locked.getReader();
  assert.equal(markRead(locked), false);
  const read = bytes([], false);
  await read.cancel();
  assert.equal(markRead(read), false);
});
