import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { piecesOf } from "../../src/core/blob.ts";

describe("the pieces of a Blob", () => {
  for (const sizes of [[], [1], [65_536], [65_537], [100_000, 3, 200_000]]) {
    it(`of ${sizes.join(" and ") || "no"} bytes are small, and complete`, async () => {
      const parts = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
      const pieces: Uint8Array[] = [];
      for await (const piece of piecesOf(new Blob(parts))) pieces.push(piece);
      assert.deepEqual(Buffer.concat(pieces), Buffer.concat(parts));
      assert.ok(pieces.every(({ length }) => length > 0 && length <= 65_536));
    });
  }

  it("are read on demand, and not after the reader stops", async () => {
    const blob = new Blob([new Uint8Array(200_000)]);
    let read = 0;
    const slice = blob.slice.bind(blob);
    blob.slice = (start, end) => (read++, slice(start, end));
    const pieces = piecesOf(blob);
    assert.equal(read, 0);
    assert.equal((await pieces.next()).value!.length, 65_536);
    assert.equal(read, 1);
    await pieces.return(undefined);
    assert.deepEqual([(await pieces.next()).done, read], [true, 1]);
  });
});
