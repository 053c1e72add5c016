import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { quiet } from "../../support/quiet.ts";
import { codeOf, ended, pulled } from "../support/kit.ts";

/** A source that never gives anything, and knows whether it was told to stop. */
function silent(): AsyncIterable<string> & { stopped: boolean } {
  return {
    stopped: false,
    [Symbol.asyncIterator]() {
      return {
        next: () => new Promise<IteratorResult<string>>(() => {}),
        return: () => {
          this.stopped = true;
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

describe("close after a message in parts that is not finished", () => {
  it("which has not begun: that alone is not sent", async () => {
    const state = await pulled();
    const { ws, peer } = state;
    const sources = [silent(), silent()];
    const first = ws.write(sources[0]!);
    assert.equal(ws.send("x"), true);
    const second = ws.write(sources[1]!);
    const last = ws.write("y");
    void ws.close();
    await quiet();
    assert.deepEqual(peer.frames, ["text x", "text y", "close 1000"]);
    assert.deepEqual(
      [await codeOf(first), await codeOf(second), await codeOf(last)],
      ["websocket.closed", "websocket.closed", undefined],
    );
    assert.deepEqual([sources.map(({ stopped }) => stopped), ws.bufferedAmount], [[true, true], 0]);
    await ended(state);
  });

  it("which has begun: nothing of it or after it can be sent", async () => {
    const state = await pulled();
    const { ws, peer } = state;
    void ws.writeSome("a", false);
    const behind = ws.write("b".repeat(100_000));
    void ws.close({ code: 4000 });
    await quiet();
    assert.deepEqual(peer.frames, ["text (not final) a", "close 4000"]);
    assert.equal(await codeOf(behind), "websocket.closed");
    assert.equal(ws.bufferedAmount, 0);
    await ended(state);
  });
});

it("RFC 6455 5.6: writeSome sends a character whole that was cut between two parts", async () => {
  const state = await pulled();
  void state.ws.writeSome("a\ud83e", false);
  void state.ws.writeSome("\udd8a", true);
  await quiet();
  assert.deepEqual(state.peer.frames, ["text (not final) a", "continuation f09fa68a"]);
  await ended(state);
});
