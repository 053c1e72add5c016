import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { AbortGuard } from "../../src/core/abort-guard.ts";
import { pair } from "../../src/testing/index.ts";

test("without a signal there is no guard", () => {
  assert.equal(AbortGuard.over(pair()[0], undefined), undefined);
});

test("an abort closes the stream, and the signal's reason is the error's cause", () => {
  for (const before of [true, false]) {
    const [stream] = pair();
    const controller = new AbortController();
    if (before) controller.abort("why");
    const guard = AbortGuard.over(stream, controller.signal)!;
    assert.equal(stream.closed, before);
    if (!before) controller.abort("why");
    assert.ok(stream.closed);
    const error = guard.release()!;
    assert.equal(error.code, "core.aborted");
    assert.equal(error.cause, "why");
    assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  }
});

test("a signal that did not fire has no listener left, and no effect later", () => {
  const [stream] = pair();
  const controller = new AbortController();
  const guard = AbortGuard.over(stream, controller.signal)!;
  assert.equal(guard.release(), undefined);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  controller.abort();
  assert.equal(stream.closed, false);
});

test("an operation may end the stream in its own way; not after release", () => {
  for (const when of ["before", "meanwhile", "after"]) {
    const [stream] = pair();
    const controller = new AbortController();
    if (when === "before") controller.abort();
    let cuts = 0;
    const guard = AbortGuard.over(stream, controller.signal, () => void cuts++)!;
    if (when === "after") guard.release();
    controller.abort();
    assert.deepEqual([cuts, stream.closed], [when === "after" ? 0 : 1, false]);
  }
});
