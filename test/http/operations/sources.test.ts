import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { describe, it } from "node:test";
import type { Body } from "../../../src/http/index.ts";
import { discard, stop } from "../../../src/http/operations/sources.ts";
import { quiet } from "../../support/quiet.ts";

describe("discard", () => {
  it("cancels a Web stream, destroys one of Node's, and leaves what can't be told", async () => {
    let cancelled = 0;
    discard(
      new ReadableStream({
        cancel() {
          cancelled++;
        },
      }),
    );
    const readable = Readable.from([]);
    discard(readable);
    discard(new Uint8Array(1));
    for (const nothing of [undefined, null]) discard(nothing as unknown as Body);
    discard({ [Symbol.asyncIterator]: () => assert.fail("begun") });
    await quiet();
    assert.deepEqual([cancelled, readable.destroyed], [1, true]);
  });

  it("reports what that fails with, since nobody else hears of it", async (t) => {
    const reported = t.mock.method(console, "error", () => {});
    const mine = new Error("mine");
    for (const cancel of [
      (): never => {
        throw mine;
      },
      () => Promise.reject(mine),
    ]) {
      discard({ cancel, [Symbol.asyncIterator]: () => assert.fail("begun") } as Body);
    }
    await quiet();
    assert.deepEqual(
      reported.mock.calls.map((call) => call.arguments[0]),
      [mine, mine],
    );
  });
});

describe("stop", () => {
  it("says return, where there is one, and does not mind how that ends", async () => {
    let stopped = 0;
    stop(undefined);
    stop({ next: () => assert.fail("read on") });
    for (const result of [() => Promise.reject(new Error("late")), () => assert.fail("at once"), () => undefined]) {
      stop({
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
