import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Input } from "../../../src/websocket/protocol/input.ts";

/** An input whose bytes are used as a frame's header is: by moving on. */
class Used extends Input {
  use(count: number): number[] {
    const bytes = [...this.input.subarray(this.at, this.at + count)];
    this.at += count;
    return bytes;
  }

  get memory(): number {
    return this.input.length;
  }

  copy(length: number, key: number): Uint8Array {
    return this.copyAt(this.at, length, key);
  }
}

const counted = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i);

describe("Input", () => {
  it("lends what it received, and keeps the unused rest when the loan ends", () => {
    const input = new Used(false);
    const lent = counted(10);
    input.receive(lent);
    assert.deepEqual(input.use(4), [0, 1, 2, 3]);
    assert.equal(input.available, 6);
    input.retain();
    lent.fill(0xdb);
    assert.equal(input.available, 6);
    assert.deepEqual(input.use(2), [4, 5]);
    input.receive(Uint8Array.of(10, 11));
    assert.equal(input.available, 6);
    assert.deepEqual(input.use(6), [6, 7, 8, 9, 10, 11]);
    assert.equal(input.received, 12);
  });

  it("holds no memory once all is used, and little more than the rest before", () => {
    const input = new Used(false);
    input.receive(counted(1000));
    input.use(990);
    input.retain();
    assert.equal(input.memory, 10);
    input.use(10);
    input.retain();
    assert.equal(input.memory, 0);
  });

  it("copies with the key or without one, as its frames are masked or not", () => {
    const [masked, plain] = [new Used(true), new Used(false)];
    for (const input of [masked, plain]) input.receive(counted(8));
    assert.deepEqual([...masked.copy(5, 0x04030201)], [0 ^ 1, 1 ^ 2, 2 ^ 3, 3 ^ 4, 4 ^ 1]);
    assert.deepEqual([...plain.copy(5, 0)], [0, 1, 2, 3, 4]);
  });
});
