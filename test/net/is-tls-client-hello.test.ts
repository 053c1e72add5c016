import assert from "node:assert/strict";
import { test } from "node:test";
import { isTlsClientHello } from "../../src/net/index.ts";

/** The first bytes of a ClientHello, with some of them changed. */
function hello(changes: Readonly<Record<number, number>> = {}): Uint8Array {
  const bytes = Uint8Array.of(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3);
  for (const [index, value] of Object.entries(changes)) bytes[Number(index)] = value;
  return bytes;
}

/** What is known after one byte, two, and so on. */
const answers = (bytes: Uint8Array): (boolean | undefined)[] =>
  Array.from({ length: bytes.length + 1 }, (_, size) => isTlsClientHello(bytes.subarray(0, size)));

/** Undefined up to a size, then the answer. */
const known = (size: number, answer: boolean): (boolean | undefined)[] =>
  Array.from({ length: 12 }, (_, index) => (index < size ? undefined : answer));

test("nine bytes make a ClientHello, and fewer never do", () => {
  assert.deepEqual(answers(hello()), known(9, true));
});

test("any version is accepted", () => {
  assert.deepEqual(answers(hello({ 1: 3, 2: 4 })), known(9, true));
});

test("the first wrong byte decides", () => {
  assert.deepEqual(answers(hello({ 0: 0x17 })), known(1, false));
  assert.deepEqual(answers(hello({ 0: 0x47 })), known(1, false));
  assert.deepEqual(answers(hello({ 5: 2 })), known(6, false));
});

test("a record holds at least the version and the random bytes", () => {
  assert.deepEqual(answers(hello({ 4: 33 })), known(5, false));
  assert.deepEqual(answers(hello({ 4: 34, 8: 30 })), known(9, true));
  assert.deepEqual(answers(hello({ 3: 1, 4: 0 })), known(9, true));
});

test("a message fits into its record", () => {
  assert.deepEqual(answers(hello({ 8: 197 })), known(9, false));
  assert.deepEqual(answers(hello({ 7: 1 })), known(9, false));
  assert.deepEqual(answers(hello({ 6: 1 })), known(9, false));
  assert.deepEqual(answers(hello({ 6: 255, 7: 255, 8: 255 })), known(9, false));
});
