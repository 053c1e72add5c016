import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "../../src/net/crc32c.ts";

// RFC 3720 appendix B.4, and the check value of the algorithm.
for (const [name, bytes, sum] of [
  ["nothing", Buffer.alloc(0), 0],
  ["the digits", Buffer.from("123456789"), 0xe3069283],
  ["zeros", Buffer.alloc(32), 0x8a9136aa],
  ["ones", Buffer.alloc(32, 0xff), 0x62a8ab43],
  ["ascending", Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
] as const) {
  test(`the sum of ${name}`, () => assert.equal(crc32c(bytes), sum));
}

test("four bytes can count as zeros", () => {
  const bytes = Buffer.from("0102030405060708", "hex");
  assert.equal(crc32c(bytes, 2), crc32c(Buffer.from("0102000000000708", "hex")));
});
