import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { currentContext } from "../../src/core/async-context.ts";
import { abortSignalOf, CancellationSlot, checkSignal, offAbort, onAbort } from "../../src/core/on-abort.ts";

test("callbacks share one listener, which the last one removes", () => {
  const { signal } = new AbortController();
  const callbacks = Array.from({ length: 20 }, () => () => undefined);
  for (const callback of callbacks) onAbort(signal, callback);
  assert.equal(getEventListeners(signal, "abort").length, 1);
  for (const callback of callbacks) offAbort(signal, callback);
  assert.equal(getEventListeners(signal, "abort").length, 0);
  offAbort(signal, callbacks[0]!);
});

test("all are called even if they are removed meanwhile; removed ones are not", () => {
  const controller = new AbortController();
  const called: string[] = [];
  const leaves = (): void => {
    called.push("leaves");
    offAbort(controller.signal, leaves);
  };
  const gone = (): unknown => called.push("gone");
  onAbort(controller.signal, leaves);
  onAbort(controller.signal, gone);
  onAbort(controller.signal, () => called.push("stays"));
  offAbort(controller.signal, gone);
  controller.abort();
  assert.deepEqual(called, ["leaves", "stays"]);
});

test("each is called in its own async context, or in the one given, not in the abort's", () => {
  const controller = new AbortController();
  const storage = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const look = (): unknown => seen.push(storage.getStore());
  storage.run("first", () => onAbort(controller.signal, look));
  storage.run("second", () => onAbort(controller.signal, () => look()));
  const given = storage.run("third", currentContext);
  onAbort(controller.signal, () => look(), given);
  storage.run("foreign", () => controller.abort());
  assert.deepEqual(seen, ["first", "second", "third"]);
});

test("a signal can be listened to again", () => {
  const controller = new AbortController();
  const called: number[] = [];
  const first = (): unknown => called.push(1);
  onAbort(controller.signal, first);
  offAbort(controller.signal, first);
  onAbort(controller.signal, () => called.push(2));
  controller.abort();
  assert.deepEqual(called, [2]);
});

test("the callback of a slot's current step is called once, in its own context, with the first reason", () => {
  const slot = new CancellationSlot();
  const storage = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const callback = (): unknown => seen.push([storage.getStore(), slot.aborted, slot.reason]);
  storage.run("step", () => onAbort(slot, callback));
  storage.run("canceller", () => slot.cancel("first"));
  slot.cancel("second");
  assert.deepEqual(seen, [["step", true, "first"]]);
  assert.equal(slot.reason, "first");
});

test("a step that has ended is not called, and does not end the next one", () => {
  const slot = new CancellationSlot();
  const called: string[] = [];
  const one = (): unknown => called.push("one");
  const two = (): unknown => called.push("two");
  onAbort(slot, one);
  offAbort(slot, one);
  onAbort(slot, two, currentContext());
  offAbort(slot, one);
  slot.cancel("why");
  assert.deepEqual(called, ["two"]);
});

test("the signal of a slot aborts with it, also if it is asked for later, and takes the place of it", () => {
  const early = new CancellationSlot();
  const { signal } = early;
  assert.equal(signal.aborted, false);
  early.cancel("why");
  assert.deepEqual([signal.aborted, signal.reason], [true, "why"]);
  const late = new CancellationSlot();
  late.cancel("why");
  assert.deepEqual([late.signal.aborted, late.signal.reason], [true, "why"]);
  assert.equal(abortSignalOf(late), late.signal);
  assert.equal(abortSignalOf(signal), signal);
  assert.equal(checkSignal(late), late);
});
