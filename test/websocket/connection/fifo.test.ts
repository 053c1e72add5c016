import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Fifo } from "../../../src/websocket/connection/fifo.ts";
import { fc } from "../../support/property.ts";

describe("Fifo", () => {
  it("is an array that is pushed to and shifted, whatever the order of that", () => {
    const step = fc.oneof(fc.constantFrom("push", "push", "push", "shift", "shift"), fc.nat(3));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const fifo = new Fifo<number>();
        let model: number[] = [];
        for (const [i, what] of steps.entries()) {
          if (what === "push") {
            fifo.push(i);
            model.push(i);
          } else if (what === "shift") {
            fifo.shift();
            model.shift();
          } else {
            const keep = Math.min(what as number, model.length);
            assert.deepEqual(fifo.takeAllBut(keep), model.slice(0, model.length - keep));
            model = model.slice(model.length - keep);
          }
          assert.deepEqual(
            [[...fifo], fifo.length, fifo.first, fifo.last],
            [model, model.length, model[0], model.at(-1)],
          );
        }
      }),
    );
  });

  it("moves each item about once, however many there are", () => {
    const fifo = new Fifo<number>();
    for (let i = 0; i < 400_000; i++) fifo.push(i);
    // With an array this takes minutes.
    for (let i = 0; i < 400_000; i++) {
      assert.equal(fifo.first, i);
      fifo.shift();
    }
    assert.equal(fifo.length, 0);
  });
});
