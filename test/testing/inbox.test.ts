import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../../src/testing/inbox.ts";
import { fc } from "../support/property.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test("what is put comes out in order, in any portions, and is overwritten when dropped", () => {
  const steps = fc.array(fc.record({ put: fc.uint8Array({ maxLength: 3000 }), take: fc.nat(5000) }), { maxLength: 20 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const inbox = new Inbox();
      const model: number[] = [];
      for (const { put, take } of sequence) {
        if (put.length > 0) inbox.put(put, put.length);
        model.push(...put);
        assert.equal(inbox.size, model.length);
        const size = Math.min(take, model.length);
        if (size === 0) continue;
        const lent = inbox.first(size);
        assert.deepEqual([...lent], model.splice(0, size));
        inbox.drop(lent);
        assert.ok(lent.every((byte) => byte === 0xdb));
      }
    }),
  );
});

test("a list is taken up to the size that is given", () => {
  const inbox = new Inbox();
  assert.deepEqual([...inbox.put([bytes(1, 2), bytes(3, 4)], 3)], [1, 2, 3]);
  assert.equal(inbox.size, 3);
});

test("lent bytes stay as they are while others come, move, or are dropped", () => {
  const inbox = new Inbox();
  inbox.put(bytes(1, 2, 3), 3);
  const lent = inbox.first(2);
  inbox.put(new Uint8Array(10_000).fill(9), 10_000);
  assert.deepEqual([...lent], [1, 2]);
  inbox.drop(lent);
  assert.deepEqual([...inbox.first(2)], [3, 9]);

  const other = new Inbox();
  other.put(bytes(1), 1);
  const kept = other.first(1);
  other.clear();
  const next = new Inbox();
  next.put(bytes(7), 1);
  assert.deepEqual([...kept], [1]);
  other.drop(kept);
  assert.deepEqual([...next.first(1)], [7]);
  assert.equal(other.size, 0);
});
