import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { filler, numbersIn, readStamp, stampSize, writeStamp } from "../../../src/cli/bench/stamp.ts";
import { fc } from "../../support/property.ts";

const number = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function stamped(size: number, of: number, connection: number): Uint8Array {
  const message = filler(size);
  writeStamp(message, of, connection);
  return message;
}

describe("a stamp", () => {
  it("has the message's number, in as many digits as fit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40 }), number, number, (size, of, connection) => {
        assert.equal(readStamp(stamped(size, of, connection), connection), of % numbersIn(size));
      }),
    );
  });

  it("belongs to one connection", () => {
    fc.assert(
      fc.property(number, number, number, (of, connection, other) => {
        fc.pre(connection !== other);
        assert.equal(readStamp(stamped(stampSize, of, connection), other), -1);
      }),
    );
  });

  it("is rejected if a byte is not a digit", () => {
    fc.assert(
      fc.property(number, number, fc.nat(stampSize - 1), fc.nat(255), (of, connection, at, byte) => {
        fc.pre(!"0123456789abcdef".includes(String.fromCharCode(byte)));
        const message = stamped(64, of, connection);
        message[at] = byte;
        assert.equal(readStamp(message, connection), -1);
      }),
    );
  });

  it("is letters and digits, like the content around it", () => {
    for (const size of [0, 1, 16, 17, 1000]) {
      const message = stamped(size, 0xdeadbeef, 12);
      assert.equal(message.length, size);
      assert.match(Buffer.from(message).toString("latin1"), /^[a-z0-9 ]*$/);
    }
  });
});
