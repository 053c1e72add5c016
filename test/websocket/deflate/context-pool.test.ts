import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compressorPool, ContextPool, decompressorPool } from "../../../src/websocket/deflate/context-pool.ts";
import { decompressor, flush, liveContexts } from "../../../src/websocket/deflate/zlib.ts";
import { unhex } from "../support/deflated.ts";

describe("ContextPool", () => {
  it("lends a context to one user at a time, and keeps four", () => {
    const before = liveContexts();
    const pool = new ContextPool(() => decompressor(15));
    const taken = Array.from({ length: 6 }, () => pool.take());
    assert.equal(new Set(taken).size, 6);
    for (const context of taken) pool.give(context);
    assert.equal(liveContexts() - before, 4);
    const again = Array.from({ length: 5 }, () => pool.take());
    assert.equal(again.filter((context) => taken.includes(context)).length, 4);
    for (const context of again) context.close();
    assert.equal(liveContexts(), before);
  });

  it("a context keeps nothing of its previous user, also after a failure", () => {
    const pool = new ContextPool(() => decompressor(15));
    const output = new Uint8Array(100);
    const run = (context: ReturnType<ContextPool["take"]>, payload: string): number | undefined => {
      const bytes = unhex(payload);
      return context.run(flush.sync, bytes, 0, bytes.length, output, 0, 100) ? context.produced : undefined;
    };
    const first = pool.take();
    assert.equal(run(first, "f2 48 cd c9 c9 07 00 00 00 ff ff"), 5);
    assert.equal(run(first, "f2 00 11 00 00 00 00 ff ff"), 5);
    pool.give(first);
    const second = pool.take();
    assert.equal(second, first);
    assert.equal(run(second, "f2 00 11 00 00 00 00 ff ff"), undefined);
    pool.give(second);
    const third = pool.take();
    assert.equal(run(third, "f2 48 cd c9 c9 07 00 00 00 ff ff"), 5);
    third.close();
  });

  it("there is one for each way to compress, and one to decompress", () => {
    const pool = compressorPool({ windowBits: 15, level: 6, memLevel: 8 });
    assert.equal(compressorPool({ windowBits: 15, level: 6, memLevel: 8 }), pool);
    const all = [pool, decompressorPool];
    for (const other of [
      { windowBits: 14, level: 6, memLevel: 8 },
      { windowBits: 15, level: 5, memLevel: 8 },
      { windowBits: 15, level: 6, memLevel: 9 },
    ]) {
      all.push(compressorPool(other));
    }
    assert.equal(new Set(all).size, 5);
  });
});
