import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { AbortGuard } from "../../src/core/abort-guard.ts";
import { pair } from "../../src/testing/index.ts";

test("without a signal there is nothing to guard", () => {
  assert.equal(AbortGuard.over(pair()[0], undefined), undefined);
});

test("a signal closes the stream, and its reason is the error's cause", () => {
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

test("a signal that did not fire is left as it was, and has no effect later", () => {
  const [stream] = pair();
  const controller = new AbortController();
  const guard = AbortGuard.over(stream, controller.signal)!;
  assert.equal(guard.release(), undefined);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  controller.abort();
  assert.equal(stream.closed, false);
});

test("who waits for something else is told, behind the closing of the stream; not once it has let go", () => {
  for (const when of ["before", "meanwhile", "behind"]) {
    const [stream] = pair();
    const controller = new AbortController();
    if (when === "before") controller.abort();
    const closed: boolean[] = [];
    const guard = AbortGuard.over(stream, controller.signal, () => closed.push(stream.closed))!;
    if (when === "behind") guard.release();
    controller.abort();
    assert.deepEqual(closed, when === "behind" ? [] : [true]);
  }
});
