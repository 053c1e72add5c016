import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { Body, BodyStream } from "../../src/http/index.ts";
import { beginSource, discardSource, piecesOf, stopSource } from "../../src/core/internal.ts";
import { quiet } from "../support/quiet.ts";

describe("discardSource", () => {
  it("cancels a Web stream, destroys a Node stream, and leaves others alone", async () => {
    let cancelled = 0;
    discardSource(
      new ReadableStream({
        cancel() {
          cancelled++;
        },
      }),
    );
    const readable = Readable.from([]);
    discardSource(readable);
    discardSource(new Uint8Array(1));
    for (const nothing of [undefined, null]) discardSource(nothing as unknown as Body);
    discardSource({ [Symbol.asyncIterator]: () => assert.fail("begun") });
    await quiet();
    assert.deepEqual([cancelled, readable.destroyed], [1, true]);
  });

  it("leaves a Web stream to its reader", async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    const locked = new ReadableStream({ start: (controller) => controller.enqueue("mine") });
    const reader = locked.getReader();
    discardSource(locked);
    await quiet();
    assert.equal(reported.mock.callCount(), 0);
    assert.deepEqual(await reader.read(), { done: false, value: "mine" });
  });

  it("reports a failure of that, since nothing else gets it", async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    const mine = new Error("mine");
    for (const cancel of [
      (): never => {
        throw mine;
      },
      () => Promise.reject(mine),
    ]) {
      discardSource({ cancel, [Symbol.asyncIterator]: () => assert.fail("begun") } as Body);
    }
    await quiet();
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments[0]),
      [mine, mine],
    );
  });
});

describe("beginSource", () => {
  /** All parts of a body, by hand. */
  async function partsOf(body: BodyStream): Promise<unknown[]> {
    const source = beginSource(body);
    const parts: unknown[] = [];
    for (let next = await source.next(); next.done !== true; next = await source.next()) parts.push(next.value);
    return parts;
  }

  it("reads a Web stream, a Node stream, and any other async iterable", async () => {
    async function* generator(): AsyncGenerator<Uint8Array, undefined> {
      yield Uint8Array.of(1);
      yield Uint8Array.of(2);
    }
    for (const body of [generator(), ReadableStream.from(generator()), Readable.from(generator())]) {
      assert.deepEqual(await partsOf(body as BodyStream), [Uint8Array.of(1), Uint8Array.of(2)]);
    }
  });

  it("fails as the stream does, and for a stream that is read elsewhere", async () => {
    const mine = new Error("mine");
    const failing = new ReadableStream({ start: (controller) => controller.error(mine) });
    await assert.rejects(partsOf(failing as BodyStream), mine);
    const locked = new ReadableStream();
    locked.getReader();
    assert.throws(() => beginSource(locked as BodyStream), TypeError);
  });

  it("stops a stream at once, while it waits for a part", async () => {
    let cancelled = 0;
    const web = new ReadableStream({ cancel: () => void cancelled++ });
    const node = new Readable({ read() {} });
    for (const body of [web, node]) {
      const source = beginSource(body as BodyStream);
      source.next().catch(() => {});
      stopSource(source);
    }
    assert.deepEqual([cancelled, node.destroyed], [1, true]);
    await quiet();
  });

  it("stops another source by its own return", async () => {
    let stopped = 0;
    const source = beginSource({
      [Symbol.asyncIterator]: () => ({
        next: () => assert.fail("read"),
        return: () => Promise.resolve({ done: true, value: void stopped++ }),
      }),
    });
    await source.return!();
    assert.equal(stopped, 1);
  });
});

describe("stopSource", () => {
  it("calls return, if there is one, and ignores its outcome", async () => {
    let stopped = 0;
    stopSource(undefined);
    stopSource({ next: () => assert.fail("read on") });
    for (const result of [() => Promise.reject(new Error("late")), () => assert.fail("at once"), () => undefined]) {
      stopSource({
        next: () => assert.fail("read on"),
        return: () => {
          stopped++;
          return result() as never;
        },
      });
    }
    await quiet();
    assert.equal(stopped, 3);
  });
});

describe("the pieces of a Blob", () => {
  for (const sizes of [[], [1], [65_536], [65_537], [100_000, 3, 200_000]]) {
    it(`of ${sizes.join(" and ") || "no"} bytes are small, and complete`, async () => {
      const parts = sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
      const pieces: Uint8Array[] = [];
      for await (const piece of piecesOf(new Blob(parts))) pieces.push(piece);
      assert.deepEqual(Buffer.concat(pieces), Buffer.concat(parts));
      assert.ok(pieces.every(({ length }) => length > 0 && length <= 65_536));
    });
  }

  it("are read on demand, and not after the reader stops", async () => {
    const blob = new Blob([new Uint8Array(200_000)]);
    let read = 0;
    const slice = blob.slice.bind(blob);
    blob.slice = (start, end) => (read++, slice(start, end));
    const pieces = piecesOf(blob);
    assert.equal(read, 0);
    assert.equal((await pieces.next()).value!.length, 65_536);
    assert.equal(read, 1);
    await pieces.return(undefined);
    assert.deepEqual([(await pieces.next()).done, read], [true, 1]);
  });
});
