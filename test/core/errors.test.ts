import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { abortError, coreError, coreErrors, transportError } from "../../src/core/index.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe("core errors", () => {
  it("all have a code of this module, and a message", () => {
    for (const [code, [, message]] of Object.entries(coreErrors)) {
      assert.match(code, /^core\.[a-z_]+$/);
      assert.match(message, /^[A-Z].*[a-z]$/);
    }
  });
});

describe("abortError", () => {
  it("has the signal's reason as its cause", () => {
    const reason = new Error("why");
    const error = abortError(AbortSignal.abort(reason));
    assert.equal(error.code, "core.aborted");
    assert.equal(error.name, "AbortError");
    assert.equal(error.cause, reason);
  });
});

describe("transportError", () => {
  it("recognises a reset, as a read and as a write reports it", () => {
    for (const code of ["ECONNRESET", "EPIPE"]) {
      const cause = systemError(code);
      const error = transportError(cause);
      assert.equal(error.code, "core.connection_reset");
      assert.equal(error.condition, "transport");
      assert.equal(error.cause, cause);
    }
  });

  it("accepts any thrown value", () => {
    for (const cause of [systemError("ETIMEDOUT"), new Error("no code"), "text", 7, null, undefined]) {
      const error = transportError(cause);
      assert.equal(error.code, "core.transport");
      assert.equal(error.cause, cause);
    }
  });

  it("keeps an error of ours", () => {
    const error = coreError("core.timeout");
    assert.equal(transportError(error), error);
  });
});
