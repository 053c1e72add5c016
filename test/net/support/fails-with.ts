import assert from "node:assert/strict";
import { ServalError } from "../../../src/core/index.ts";

/** A check of an error for `assert.rejects`, which says what it was where it is another. */
export function failsWith(code: string, message: RegExp = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ServalError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}
