import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { BodyStream } from "../../../src/http/index.ts";
import { readBody } from "../../../src/http/messages/read-body.ts";
import { quiet } from "../../support/quiet.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A body of these parts, and how it ended. */
function source(parts: unknown[], failure?: Error): { body: BodyStream; asked: () => number; ended: () => boolean } {
  let asked = 0;
  let ended = false;
  async function* give(): AsyncGenerator<Uint8Array> {
    try {
      for (const part of parts) {
        asked++;
        yield part as Uint8Array;
      }
      if (failure !== undefined) throw failure;
    } finally {
      ended = true;
    }
  }
  return { body: give(), asked: () => asked, ended: () => ended };
}

it("returns bytes unchanged, and parts joined", async () => {
  const bytes = Uint8Array.of(1);
  assert.equal(await readBody(bytes), bytes);
  assert.equal(text(await readBody(source(["h", new TextEncoder().encode("el"), "", "lo"]).body)), "hello");
  assert.equal((await readBody(source([]).body)).length, 0);
  assert.equal(text(await readBody(Readable.from([Buffer.from("a"), Buffer.from("b")]))), "ab");
  assert.equal(text(await readBody(new Response("fetched").body!)), "fetched");
});

it("holds no more than the limit, and stops a source that has more", async () => {
  assert.equal((await readBody(new Uint8Array(5), { maxBodySize: 5 })).length, 5);
  assert.equal((await readBody(source(["ab", "cde"]).body, { maxBodySize: 5 })).length, 5);
  await assert.rejects(readBody(new Uint8Array(5), { maxBodySize: 4 }), {
    code: "http.body_limit",
    condition: "limit",
  });
  const { body, asked, ended } = source(["ab", "cde", "f", "g"]);
  await assert.rejects(readBody(body, { maxBodySize: 5 }), { code: "http.body_limit" });
  assert.deepEqual([asked(), ended()], [3, true]);
  await assert.rejects(readBody(new Uint8Array(16 * 1024 * 1024 + 1)), { code: "http.body_limit" });
  const large = new Uint8Array(17 * 1024 * 1024);
  assert.equal(await readBody(large, { maxBodySize: Infinity }), large);
});

it("fails with the source's error, and for an invalid part", async () => {
  const failure = new Error("no");
  await assert.rejects(readBody(source(["a"], failure).body), failure);
  const { body, ended } = source(["a", 1]);
  await assert.rejects(readBody(body), { code: "core.invalid_argument" });
  assert.equal(ended(), true);
});

it("is aborted by its signal, also while a part is awaited, and stops the source", async () => {
  const aborted = { code: "core.aborted" };
  const gone = AbortSignal.abort();
  const { body, asked } = source(["a"]);
  for (const each of [body, new Uint8Array(1)]) await assert.rejects(readBody(each, { signal: gone }), aborted);
  assert.equal(asked(), 0);

  const abort = new AbortController();
  let returned = 0;
  const endless: BodyStream = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => Promise.reject(new Error(`nobody looks: ${++returned}`)),
    }),
  };
  const reading = readBody(endless, { signal: abort.signal });
  abort.abort();
  await assert.rejects(reading, aborted);
  assert.equal(returned, 1);

  const { signal } = new AbortController();
  assert.equal(text(await readBody(source(["a", "b"]).body, { signal })), "ab");
  const failure = new Error("no");
  await assert.rejects(readBody(source(["a"], failure).body, { signal }), failure);
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

it("is aborted at once while a Web stream or a Node stream gives nothing, which it cancels", async () => {
  let cancelled = 0;
  const node = new Readable({ read() {} });
  for (const stream of [new ReadableStream<Uint8Array>({ cancel: () => void cancelled++ }), node]) {
    const controller = new AbortController();
    const reading = readBody(stream as BodyStream, { signal: controller.signal });
    controller.abort();
    await assert.rejects(reading, { code: "core.aborted" });
  }
  await quiet();
  assert.deepEqual([cancelled, node.destroyed], [1, true]);
});

it("takes no other options", async () => {
  for (const options of [{ limit: 5 }, { signal: {} }, { maxBodySize: -1 }, 5] as object[]) {
    await assert.rejects(readBody(new Uint8Array(1), options), { code: "core.invalid_argument" });
  }
});

it("leaves no unhandled rejection", async () => {
  void readBody(source([], new Error("nobody looks")).body);
  await new Promise((resolve) => setImmediate(resolve));
});

describe("a body in parts", () => {
  const parts = (count: number, size: number, told?: unknown): BodyStream => ({
    ...(told !== undefined && { size: told as number }),
    async *[Symbol.asyncIterator]() {
      // The source uses its memory again.
      const part = new Uint8Array(size);
      for (let n = 0; n < count; n++) yield part.fill(n);
    },
  });

  for (const [count, size] of [
    [0, 1],
    [1, 5],
    [3, 1000],
    [700, 1],
    [5, 40_000],
  ] as const) {
    for (const told of [undefined, count * size, 1, 10_000_000, NaN, -1, "size"]) {
      it(`is whole, of ${count} times ${size} bytes, with the size ${String(told)}`, async () => {
        const bytes = await readBody(parts(count, size, told), {});
        const expected = Array.from({ length: count }, (_, n) => new Uint8Array(size).fill(n));
        assert.deepEqual(Buffer.compare(bytes, Buffer.concat(expected)), 0);
        // Nothing else of its memory is to be seen.
        assert.equal(bytes.buffer.byteLength, count * size);
      });
    }
  }

  it("has no more than the limit, whatever size it tells", async () => {
    for (const told of [undefined, 10, 1000]) {
      await assert.rejects(readBody(parts(10, 10, told), { maxBodySize: 99 }), { code: "http.body_limit" });
      assert.equal((await readBody(parts(10, 10, told), { maxBodySize: 100 })).length, 100);
    }
  });
});
