import assert from "node:assert/strict";
import { it } from "node:test";
import { parseRange, type ByteRange } from "../../../src/http/index.ts";
import { fc, runs } from "../../support/property.ts";

const short = (ranges: ByteRange[] | undefined): string | undefined =>
  ranges?.map(({ start, end }) => `${start}-${end}`).join();

it("finds the existing ranges, in the order requested", () => {
  for (const [value, expected] of [
    ["bytes=0-0", "0-0"],
    ["bytes=0-9", "0-9"],
    ["BYTES=2-5", "2-5"],
    ["bytes=2-", "2-9"],
    ["bytes=-3", "7-9"],
    ["bytes=-10", "0-9"],
    ["bytes=-99", "0-9"],
    ["bytes=5-99", "5-9"],
    ["bytes=09-010", "9-9"],
    [`bytes=0-${"9".repeat(400)}`, "0-9"],
    ["bytes=5-6,0-1", "5-6,0-1"],
    ["bytes= 0-0 ,\t,-1,", "0-0,9-9"],
    ["bytes=20-30,1-2", "1-2"],
  ] as const) {
    assert.equal(short(parseRange(value, 10)), expected, value);
  }
});

it("finds none if none exists", () => {
  for (const value of ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99-,50-60", `bytes=${"9".repeat(400)}-`]) {
    assert.deepEqual(parseRange(value, 10), [], value);
  }
  for (const value of ["bytes=0-", "bytes=0-0", "bytes=-5"]) assert.deepEqual(parseRange(value, 0), [], value);
});

it("ignores malformed, other units, or too many ranges", () => {
  const bad = [
    "",
    "bytes",
    "bytes=",
    "bytes=,",
    "bytes=-",
    "bytes=1",
    "bytes=a-b",
    "bytes=5-4",
    "bytes=--1",
    "bytes=1-2-3",
  ];
  for (const value of [
    ...bad,
    "bytes=0-1,x",
    "bytes=0-1,3-2",
    "bytes=+0-1",
    "bytes=0x0-1",
    "bytes=0 - 1",
    "bytes =0-1",
    "lines=0-1",
    " bytes=0-1",
    "xbytes=0-1",
    "bytes=0-\n1",
    "bytes=\u0661-",
  ]) {
    assert.equal(parseRange(value, 10), undefined, value);
  }
  const many = (count: number): string => `bytes=${Array.from({ length: count }, () => "0-0").join()}`;
  assert.equal(parseRange(many(16), 10)?.length, 16);
  assert.equal(parseRange(many(17), 10), undefined);
});

it("never finds a byte that does not exist", () => {
  const spec = fc.oneof(fc.stringMatching(/^\d{0,3}-\d{0,3}$/), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(spec, { maxLength: 4 }), fc.nat(200), (specs, size) => {
      for (const { start, end } of parseRange(`bytes=${specs.join()}`, size) ?? []) {
        assert.ok(Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start <= end && end < size);
      }
    }),
    { numRuns: runs(2000) },
  );
});
