import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { abortError, coreError, ServalError } from "../../src/core/index.ts";
import { clientError } from "../../src/client/errors.ts";
import { Limit } from "../../src/client/limit.ts";
import { Response } from "../../src/http/index.ts";
import { VirtualClock } from "../../src/testing/index.ts";

const refusal = clientError("client.proxy_refused", { response: new Response({ status: 403 }) });

describe("Limit", () => {
  it("aborts at the deadline, with an error that says what took too long", async () => {
    const clock = new VirtualClock();
    const limit = new Limit(100, clock, "Connecting to example.com:80", undefined);
    await clock.advance(99);
    assert.equal(limit.signal.aborted, false);
    const step = coreError("core.transport");
    assert.equal(limit.errorOf(step), step);
    await clock.advance(1);
    const error = limit.errorOf(abortError(limit.signal));
    assert.ok(error instanceof ServalError);
    assert.equal(error.code, "core.timeout");
    assert.equal(error.message, "Connecting to example.com:80 took longer than 100 ms");
    limit.release();
    assert.equal(clock.pending, 0);
  });

  it("aborts with the caller's signal, before and later", () => {
    const reason = new Error("enough");
    for (const early of [true, false]) {
      const clock = new VirtualClock();
      const controller = new AbortController();
      if (early) controller.abort(reason);
      const limit = new Limit(100, clock, "", controller.signal);
      controller.abort(reason);
      const error = limit.errorOf(abortError(limit.signal));
      assert.ok(error instanceof ServalError);
      assert.deepEqual([error.code, error.cause], ["core.aborted", reason]);
      limit.release();
      assert.equal(clock.pending, 0);
    }
  });

  it("keeps a refusal that the deadline cut short, but not one that the caller aborted", async () => {
    const clock = new VirtualClock();
    const late = new Limit(100, clock, "", undefined);
    await clock.advance(100);
    assert.equal(late.errorOf(refusal), refusal);
    const given = new Limit(100, clock, "", AbortSignal.abort());
    assert.equal((given.errorOf(refusal) as ServalError).code, "core.aborted");
  });

  it("has no timer without a deadline, and leaves no timer or listener", () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const limit = new Limit(Infinity, clock, "", controller.signal);
    assert.equal(clock.pending, 0);
    limit.release();
    controller.abort();
    assert.equal(limit.signal.aborted, false);
  });
});
