import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Outgoing } from "../../../src/cli/connect/outgoing.ts";
import { VirtualClock } from "../../../src/testing/index.ts";

/** A stream that has sent so many messages, and takes every write. */
function start(sent: number, given: number) {
  const ws = { write: async () => {}, stats: () => ({ messagesSent: sent }) };
  const outgoing = new Outgoing(ws as unknown as ConstructorParameters<typeof Outgoing>[0]);
  for (let i = 0; i < given; i++) void outgoing.write("a line");
  return outgoing;
}

describe("Outgoing", () => {
  it("names the first message that was not sent", async () => {
    const clock = new VirtualClock();
    assert.equal(await start(2, 5).firstUnsent(Promise.resolve(), clock), 3);
    assert.equal(await start(0, 1).firstUnsent(Promise.reject(new Error("closed")), clock), 1);
    assert.equal(await start(5, 5).firstUnsent(Promise.resolve(), clock), undefined);
    assert.equal(clock.pending, 0);
  });

  it("looks for input that may be there already, but waits for no other", async () => {
    const clock = new VirtualClock();
    const outgoing = start(1, 1);
    const found = outgoing.firstUnsent(new Promise(() => {}), clock);
    void outgoing.write("it was in the pipe");
    await clock.advance(100);
    assert.equal(await found, 2);
    const none = start(1, 1).firstUnsent(new Promise(() => {}), clock);
    await clock.advance(100);
    assert.equal(await none, undefined);
  });
});
