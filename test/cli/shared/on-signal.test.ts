import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { describe, it } from "node:test";
import { onSignal } from "../../../src/cli/shared/on-signal.ts";

describe("onSignal", () => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    it(`calls the listener at the first ${signal}, and leaves the next one to the platform`, () => {
      const signalled = new EventEmitter();
      let heard = 0;
      onSignal(signalled, () => heard++);
      assert.equal(heard, 0);
      signalled.emit(signal);
      assert.equal(heard, 1);
      assert.deepEqual(signalled.eventNames(), []);
    });
  }

  it("does not call the listener once it is removed", () => {
    const signalled = new EventEmitter();
    onSignal(signalled, assert.fail)();
    assert.deepEqual(signalled.eventNames(), []);
  });
});
