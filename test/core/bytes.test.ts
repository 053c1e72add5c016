import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { bytesOf, dropFront, copyInto, copyOf, takeFront } from "../../src/core/bytes.ts";
import { fc } from "../support/property.ts";

/** Newer than the types. */
interface Resizable {
  resize(size: number): void;
}

const list = fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 });

describe("copyInto and copyOf", () => {
  it("copy as much of a list as fits", () => {
    fc.assert(
      fc.property(list, fc.nat({ max: 100 }), (list, room) => {
        const all = Buffer.concat(list);
        const target = new Uint8Array(room);
        const copied = copyInto(target, list);
        assert.equal(copied, Math.min(room, all.length));
        assert.deepEqual(Buffer.from(target.subarray(0, copied)), all.subarray(0, copied));
        assert.ok(target.subarray(copied).every((byte) => byte === 0));
        assert.deepEqual(Buffer.from(copyOf(list, copied)), all.subarray(0, copied));
      }),
    );
  });

  it("copy a single buffer, which is then free", () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const whole = copyOf(bytes, 3);
    const part = copyOf(bytes, 2);
    bytes.fill(9);
    assert.deepEqual([...whole], [1, 2, 3]);
    assert.deepEqual([...part], [1, 2]);
  });
});

describe("bytesOf", () => {
  it("refuses detached memory", () => {
    const gone = new ArrayBuffer(4);
    const view = new DataView(gone, 1, 2);
    structuredClone(gone, { transfer: [gone] });
    const shrunk = Reflect.construct(ArrayBuffer, [4, { maxByteLength: 8 }]) as ArrayBuffer & Resizable;
    const outside = new DataView(shrunk, 2, 2);
    shrunk.resize(1);
    for (const bytes of [gone, view, outside]) {
      assert.throws(() => bytesOf(bytes), { code: "core.invalid_argument", message: /detached/ });
    }
  });

  it("takes every view of memory, and nothing else", () => {
    const memory = Uint8Array.of(1, 2, 3, 4);
    assert.equal(bytesOf(memory), memory);
    assert.deepEqual(bytesOf(new DataView(memory.buffer, 1, 2)), Uint8Array.of(2, 3));
    assert.deepEqual(bytesOf(new Uint16Array(memory.buffer, 2, 1)), Uint8Array.of(3, 4));
    assert.deepEqual(bytesOf(memory.buffer), memory);
    assert.deepEqual(bytesOf(new SharedArrayBuffer(2)), new Uint8Array(2));
    // Of another realm.
    assert.deepEqual(bytesOf(runInNewContext("Uint8Array.of(1, 2)")), Uint8Array.of(1, 2));
    assert.deepEqual(bytesOf(runInNewContext("Uint8Array.of(1, 2).buffer")), Uint8Array.of(1, 2));
    for (const other of ["text", 7, null, undefined, {}, [1, 2]]) assert.equal(bytesOf(other), undefined);
  });
});

describe("dropFront", () => {
  const list = [Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4, 5, 6)];
  for (const [size, left] of [
    [0, [[1, 2], [3], [4, 5, 6]]],
    [1, [[2], [3], [4, 5, 6]]],
    [2, [[3], [4, 5, 6]]],
    [5, [[6]]],
    [6, []],
    [9, []],
  ] as const) {
    it(`${size} bytes`, () => {
      assert.deepEqual(
        dropFront(list, size).map((bytes) => [...bytes]),
        left,
      );
      assert.equal(list.length, 3);
    });
  }
});

describe("takeFront", () => {
  it("and dropFront cut a list, and copy nothing", () => {
    fc.assert(
      fc.property(list, fc.nat({ max: 160 }), (list, at) => {
        const all = Buffer.concat(list);
        const size = Math.min(at, all.length);
        const front = takeFront(list, size) as Uint8Array[];
        assert.deepEqual(Buffer.concat(front), all.subarray(0, size));
        assert.deepEqual(Buffer.concat([...front, ...dropFront(list, size)]), all);
        assert.ok(front.every((bytes, index) => bytes.buffer === list[index]!.buffer));
      }),
    );
  });

  it("cuts a buffer", () => {
    assert.deepEqual(takeFront(Uint8Array.of(1, 2, 3), 2), Uint8Array.of(1, 2));
  });
});
