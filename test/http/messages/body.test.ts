import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { it } from "node:test";
import { emptyBody, partOf, sizeOf, toBody, type BodyInit } from "../../../src/http/messages/body.ts";
import { readBody } from "../../../src/http/messages/read-body.ts";

const text = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);

it("accepts text, bytes and streams", async () => {
  assert.equal(toBody(undefined), emptyBody);
  assert.equal(text(toBody("é")), "é");
  assert.equal((toBody("") as Uint8Array).length, 0);
  const bytes = Uint8Array.of(1);
  assert.equal(toBody(bytes), bytes);
  const buffer = Buffer.from("a");
  assert.equal(toBody(buffer), buffer);
  const generator = (async function* () {})();
  for (const stream of [new Readable(), new ReadableStream<Uint8Array>(), generator])
    assert.equal(toBody(stream), stream);
});

it("uses any buffer or view without a copy", () => {
  const bytes = Uint8Array.of(1, 2, 3, 4);
  const shared = new SharedArrayBuffer(2);
  for (const [body, same] of [
    [bytes.buffer, bytes],
    [new DataView(bytes.buffer, 1, 2), bytes.subarray(1, 3)],
    [new Uint16Array(bytes.buffer), bytes],
    [shared, new Uint8Array(shared)],
  ] as const) {
    const made = toBody(body) as Uint8Array;
    assert.deepEqual([made, made.buffer === same.buffer, made.byteOffset], [same, true, same.byteOffset]);
  }
});

it("accepts a Blob and lists with their size, and other iterables without", async () => {
  function* give(): Generator<string | ArrayBuffer> {
    yield "h";
    yield Uint8Array.of(0xc3, 0xa9).buffer;
  }
  for (const [body, size, all] of [
    [new Blob(["hé", "llo"]), 6, "héllo"],
    [["h", "é", Uint8Array.of(0x21)], 4, "hé!"],
    [[], 0, ""],
    [give(), undefined, "hé"],
    [new Set(["a", "b"]), undefined, "ab"],
  ] as [BodyInit, number | undefined, string][]) {
    const made = toBody(body);
    assert.equal(sizeOf(made), size);
    assert.equal(text(await readBody(made)), all);
  }
});

it("refuses anything else", () => {
  const pairs = [new Map(), new URLSearchParams("a=b"), new FormData(), new Headers()];
  for (const body of [null, 1, true, {}, [1], ["a", {}], () => {}, Promise.resolve("a"), ...pairs]) {
    assert.throws(() => toBody(body as Uint8Array), { code: "core.invalid_argument", condition: "misuse" });
  }
});

it("has the size of bytes, and of a stream with a size", () => {
  const stream = (size?: unknown) => ({ size: size as number, async *[Symbol.asyncIterator]() {} });
  assert.equal(sizeOf(emptyBody), 0);
  assert.equal(sizeOf(new Uint8Array(3)), 3);
  assert.equal(sizeOf(new Readable()), undefined);
  assert.equal(sizeOf(stream()), undefined);
  assert.equal(sizeOf(stream(0)), 0);
  assert.equal(sizeOf(stream(2 ** 40)), 2 ** 40);
  for (const size of [-1, 0.5, NaN, Infinity, "1", null]) {
    assert.throws(() => sizeOf(stream(size)), { code: "core.invalid_argument" });
  }
});

it("accepts any bytes, and text, as a part", () => {
  assert.equal(text(partOf("é")), "é");
  assert.deepEqual(partOf(new Uint16Array([0x6261]).buffer), Uint8Array.of(0x61, 0x62));
  assert.deepEqual(partOf(new DataView(Uint8Array.of(1, 2, 3).buffer, 1)), Uint8Array.of(2, 3));
  const bytes = new Uint8Array(1);
  assert.equal(partOf(bytes), bytes);
  for (const part of [undefined, null, 1, {}, [1]]) {
    assert.throws(() => partOf(part), { code: "core.invalid_argument" });
  }
});

it("refuses a list with an invalid or missing item at once", () => {
  const holes = ["a"];
  holes[2] = "b";
  for (const body of [holes, ["a", undefined], [7]]) {
    assert.throws(() => toBody(body as string[]), {
      code: "core.invalid_argument",
      message: /parts of a body must be/,
    });
  }
});
