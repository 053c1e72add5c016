import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { text } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { accepting, codeOf, ended, pulled, uncaughtIn, type Accepting } from "../support/kit.ts";
import { latin1, requestBytes } from "../support/requests.ts";

const own = new Error("mine");
const throws = (): never => {
  throw own;
};

describe("a completion handler that throws: its exception is uncaught, and the stream goes on", () => {
  const cases: [name: string, run: (state: Accepting) => unknown][] = [
    ["of a read, at the end", ({ ws }) => ws.read(throws)],
    [
      "of a write that waits, at the end",
      ({ ws, peer }) => {
        peer.pause();
        ws.write(new Uint8Array(500_000), throws);
      },
    ],
    ["of a close", ({ ws }) => ws.close({}, throws)],
  ];
  for (const [name, run] of cases) {
    it(`${name}: other waiting operations complete, and closed fulfils`, async (context) => {
      const uncaught = uncaughtIn(context);
      const ends: number[] = [];
      const state = await pulled({ close: (_, { code }) => void ends.push(code) }, { peerPair: { capacity: 1000 } });
      run(state);
      const others = [state.ws.write(new Uint8Array(100_000)), state.ws.close()];
      await quiet();
      state.peer.stream.reset();
      for (const other of others) assert.notEqual(await codeOf(other), "pending");
      assert.equal((await ended(state)).code, 1006);
      assert.deepEqual([uncaught, ends], [[own], [1006]]);
    });
  }

  it("of a write, in the middle: queued messages still leave", async (context) => {
    const uncaught = uncaughtIn(context);
    const { ws, peer } = await pulled({ highWaterMark: 1 });
    ws.write("1", throws);
    const second = ws.write("2");
    await quiet();
    void ws.write("3");
    await quiet();
    assert.deepEqual([uncaught, peer.frames, await codeOf(second)], [[own], ["text 1", "text 2", "text 3"], undefined]);
  });

  const accepts: [name: string, call: Parameters<typeof accepting>[0], opens: boolean][] = [
    ["of an accept that succeeds", { source: requestBytes() }, true],
    ["of an accept that is refused", { source: latin1("\0") }, false],
    ["of an accept that is aborted", { accept: { signal: AbortSignal.abort() } }, false],
  ];
  for (const [name, call, opens] of accepts) {
    it(`${name}: the stream opens or ends as ever`, async (context) => {
      const uncaught = uncaughtIn(context);
      const state = accepting({ ...call, completed: throws });
      await quiet();
      void state.peer.write(text("1"));
      await quiet();
      assert.deepEqual([uncaught, state.messages, state.ws.isOpen], [[own], opens ? ["1"] : [], opens]);
      assert.equal((await ended(state)).code, 1006);
    });
  }
});

describe("an invalid handler", () => {
  it("is refused at once, not called later", async () => {
    const { ws } = await pulled();
    const wrong = "bye" as never;
    const calls: (() => unknown)[] = [
      () => ws.close({ code: 1000 }, wrong),
      () => ws.write("x", wrong),
      () => ws.ping("x", wrong),
    ];
    for (const call of calls) assert.equal(await codeOf(call() as Promise<void>), "core.invalid_argument");
    assert.equal(ws.isOpen, true);
    assert.equal(await codeOf(ws.close(1000 as never)), "core.invalid_argument");
    ws.terminate();
  });
});
