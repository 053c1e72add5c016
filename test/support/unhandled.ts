import assert from "node:assert/strict";
import { after, before } from "node:test";

/** Fails a file of tests where a rejection or an error of theirs was nobody's. */
export function assertNoneUnhandled(): void {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);
  before(() => process.on("unhandledRejection", note).on("uncaughtException", note));
  after(() => {
    process.off("unhandledRejection", note).off("uncaughtException", note);
    assert.deepEqual(unhandled, []);
  });
}
