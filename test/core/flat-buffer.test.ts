import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FlatBuffer, ServalError } from "../../src/core/index.ts";
import { fc } from "../support/property.ts";
import { pattern } from "./support/stream-operations.ts";

function isOverflow(error: unknown): boolean {
  return error instanceof ServalError && error.code === "core.buffer_overflow";
}

/** The same operations on a plain array, which cannot go wrong. */
interface Model {
  bytes: number[];
  written: number;
}

/** One operation on both, with a check that they agree. */
type Step = (model: Model, buffer: FlatBuffer) => void;

const append = fc.integer({ min: 0, max: 1500 }).map((size): Step => (model, buffer) => {
  const bytes = pattern(size, ++model.written);
  if (model.bytes.length + size > buffer.maxSize) {
    assert.throws(() => buffer.append(bytes), isOverflow);
  } else {
    buffer.append(bytes);
    model.bytes.push(...bytes);
  }
});
const prepareAndCommit = fc
  .tuple(fc.integer({ min: 0, max: 1500 }), fc.integer({ min: 0, max: 1500 }))
  .map(([room, size]): Step => (model, buffer) => {
    if (model.bytes.length + room > buffer.maxSize) {
      assert.throws(() => buffer.prepare(room), isOverflow);
      return;
    }
    const place = buffer.prepare(room);
    assert.equal(place.length, room);
    const bytes = pattern(Math.min(room, size), ++model.written);
    place.set(bytes);
    buffer.commit(bytes.length);
    model.bytes.push(...bytes);
  });
const consume = fc.integer({ min: 0, max: 2000 }).map((size): Step => (model, buffer) => {
  buffer.consume(size);
  model.bytes.splice(0, size);
});
const clear = fc.constant<Step>((model, buffer) => {
  buffer.clear();
  model.bytes = [];
});

describe("FlatBuffer", () => {
  it("holds what a plain array would hold, after any operations", () => {
    const steps = fc.array(fc.oneof(append, prepareAndCommit, consume, clear), { maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.constantFrom(0, 100, 600, 4000, Infinity), (steps, maxSize) => {
        const model: Model = { bytes: [], written: 0 };
        const buffer = new FlatBuffer({ maxSize });
        for (const step of steps) {
          step(model, buffer);
          assert.equal(buffer.size, model.bytes.length);
          assert.deepEqual(Buffer.from(buffer.data()), Buffer.from(model.bytes));
          assert.ok(buffer.size <= buffer.capacity && buffer.capacity <= Math.max(maxSize, 0));
        }
      }),
    );
  });

  it("keeps a view valid until the next prepare, even if it is emptied meanwhile", () => {
    const buffer = new FlatBuffer();
    buffer.append(Buffer.from("first"));
    const view = buffer.data();
    buffer.consume(5);
    buffer.append(Buffer.from("other"));
    assert.equal(String(Buffer.from(view)), "first");
  });

  it("owns no memory when it is empty", () => {
    const buffer = new FlatBuffer();
    assert.equal(buffer.capacity, 0);
    buffer.append(Buffer.from("bytes"));
    assert.ok(buffer.capacity >= 5);
    buffer.consume(2);
    assert.ok(buffer.capacity >= 3);
    buffer.consume(3);
    assert.equal(buffer.capacity, 0);
  });

  it("moves its bytes before it grows", () => {
    const buffer = new FlatBuffer();
    buffer.append(pattern(500));
    const { capacity } = buffer;
    buffer.consume(400);
    buffer.append(pattern(200, 2));
    assert.equal(buffer.capacity, capacity);
    assert.deepEqual(Buffer.from(buffer.data()), Buffer.concat([pattern(500).subarray(400), pattern(200, 2)]));
  });

  it("takes exactly its maximum, and loses nothing when it refuses more", () => {
    const buffer = new FlatBuffer({ maxSize: 10 });
    buffer.append(pattern(10));
    assert.throws(() => buffer.append(pattern(1)), isOverflow);
    assert.deepEqual(Buffer.from(buffer.data()), pattern(10));
    buffer.consume(1);
    buffer.append(pattern(1));
    assert.equal(buffer.size, 10);
  });
});
