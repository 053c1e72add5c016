import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InFlight } from "../../../src/cli/bench/in-flight.ts";
import { fc } from "../../support/property.ts";

describe("InFlight", () => {
  it("is a queue whose numbers begin again", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.constantFrom(8, 16, 256),
        fc.array(fc.boolean(), { maxLength: 100 }),
        (atMost, numbers, steps) => {
          const out = new InFlight(atMost, numbers);
          const model: { number: number; time: number }[] = [];
          let sent = 0;
          for (const adds of steps) {
            if (adds && model.length < atMost) {
              assert.equal(out.next, sent % numbers);
              model.push({ number: sent++ % numbers, time: sent * 1.5 });
              out.add(sent * 1.5);
            } else if (model.length > 0) {
              assert.equal(out.take(), model.shift()!.time);
            }
            assert.equal(out.count, model.length);
            for (let number = 0; number < numbers; number++) {
              assert.equal(
                out.before(number),
                model.findIndex((one) => one.number === number),
              );
            }
          }
        },
      ),
    );
  });

  it("matches any answer with the oldest message if there are no numbers", () => {
    const out = new InFlight(2, 1);
    assert.equal(out.before(0), -1);
    out.add(1);
    out.add(2);
    assert.equal(out.before(0), 0);
    assert.equal(out.take(), 1);
  });
});
