import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { offSignals, onSignals } from "../../../src/http/server/signals.ts";

test("each signal calls back, once; none after that was ended", () => {
  const [stop, signal, later] = [new AbortController(), new AbortController(), new AbortController()];
  const told: string[] = [];
  const [onStop, onSignal] = [() => void told.push("stop"), () => void told.push("signal")];
  onSignals({ stop: stop.signal, signal: signal.signal }, onStop, onSignal);
  stop.abort();
  assert.deepEqual(told, ["stop"]);
  signal.abort();
  assert.deepEqual(told, ["stop", "signal"]);
  onSignals({ stop: later.signal }, onStop, onSignal);
  offSignals({ stop: later.signal }, onStop, onSignal);
  assert.equal(getEventListeners(later.signal, "abort").length, 0);
  later.abort();
  assert.deepEqual(told, ["stop", "signal"]);
});

test("a signal that has aborted calls back, but not inside the call", async () => {
  const told: string[] = [];
  onSignals(
    { stop: AbortSignal.abort(), signal: AbortSignal.abort() },
    () => void told.push("stop"),
    () => void told.push("signal"),
  );
  assert.deepEqual(told, []);
  await Promise.resolve();
  assert.deepEqual(told, ["stop", "signal"]);
});
