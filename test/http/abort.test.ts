import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { AbortGuard } from "../../src/http/abort.ts";
import { pair } from "../../src/testing/index.ts";

describe("AbortGuard", () => {
  it("closes the stream when the signal fires", () => {
    const [stream] = pair();
    const controller = new AbortController();
    const guard = new AbortGuard(stream, controller.signal);
    assert.equal(stream.closed, false);
    const reason = new Error("enough");
    controller.abort(reason);
    assert.equal(stream.closed, true);
    const error = guard.release();
    assert.equal(error?.code, "core.aborted");
    assert.equal(error?.cause, reason);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  });

  it("closes the stream at once where the signal has fired", () => {
    const [stream] = pair();
    const guard = new AbortGuard(stream, AbortSignal.abort());
    assert.equal(stream.closed, true);
    assert.equal(guard.release()?.code, "core.aborted");
  });

  it("lets go of the signal", () => {
    const [stream] = pair();
    const controller = new AbortController();
    const guard = new AbortGuard(stream, controller.signal);
    assert.equal(guard.release(), undefined);
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
    controller.abort();
    assert.equal(stream.closed, false);
  });

  it("tells whoever waits for something else, behind the closing of the stream; not once it has let go", () => {
    for (const when of ["before", "meanwhile", "behind"]) {
      const [stream] = pair();
      const controller = new AbortController();
      if (when === "before") controller.abort();
      const closed: boolean[] = [];
      const guard = new AbortGuard(stream, controller.signal, () => closed.push(stream.closed));
      if (when === "behind") guard.release();
      controller.abort();
      assert.deepEqual(closed, when === "behind" ? [] : [true]);
    }
  });
});
