import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { text } from "../../support/frames.ts";
import { quiet } from "../../../support/quiet.ts";
import { accepting, ended, opened, type Accepting } from "../../support/kit.ts";
import { latin1, requestBytes, requestOf } from "../../support/requests.ts";

describe("accept: one deadline for all of it", () => {
  /** What takes too long, and whether the outcome is there before. */
  const phases: [name: string, start: () => Accepting, before?: string][] = [
    ["nothing comes", () => accepting()],
    [
      "half a request comes",
      () => {
        const state = accepting({ source: requestBytes().subarray(0, 20) });
        void state.peer.write(requestBytes().subarray(20, 40));
        return state;
      },
    ],
    [
      "the hook does not settle",
      () => accepting({ source: requestBytes(), options: { upgrade: () => new Promise(() => {}) } }),
    ],
    [
      "the peer does not read the response",
      () => {
        const state = accepting({ source: requestOf(), peerPair: { capacity: 10 } });
        state.peer.pause();
        return state;
      },
    ],
    [
      "the peer does not read the refusal",
      () => {
        const state = accepting({ source: requestOf({ Host: undefined }), peerPair: { capacity: 10 } });
        state.peer.pause();
        return state;
      },
    ],
    [
      "the peer does not end after a refusal",
      () => accepting({ source: requestOf({ Host: undefined }) }),
      "websocket.no_host",
    ],
    [
      "the peer goes on sending after a refusal",
      () => {
        const state = accepting({ source: latin1("\0") });
        void state.peer.write(new Uint8Array(100_000));
        return state;
      },
      "http.bad_method",
    ],
  ];
  for (const [name, start, before] of phases) {
    it(`${name}: at 30 s, not before, ${before === undefined ? "core.timeout" : "the next layer is closed"}`, async () => {
      const state = start();
      await state.clock.advance(29_999);
      assert.deepEqual([state.completions, state.error?.code], before === undefined ? [0, undefined] : [1, before]);
      assert.deepEqual([state.next.closed, state.clock.pending], [false, 1]);
      await state.clock.advance(1);
      await quiet();
      assert.deepEqual([state.completions, state.inside, state.error?.code], [1, false, before ?? "core.timeout"]);
      assert.deepEqual([state.next.closed, state.clock.pending], [true, 0]);
      assert.deepEqual(state.closed, { code: 1006, reason: "", clean: false });
      if (before === undefined) assert.equal(state.error?.condition, "timeout");
      await ended(state);
      assert.equal(state.completions, 1);
    });
  }

  it("a byte now and then does not extend it", async () => {
    const state = accepting({ options: { timeouts: { handshake: 1000 } } });
    for (const byte of requestBytes().subarray(0, 12)) {
      assert.equal(state.completions, 0);
      void state.peer.write(Uint8Array.of(byte));
      await state.clock.advance(84);
    }
    await quiet();
    assert.equal(state.error?.code, "core.timeout");
  });

  it("Infinity is none; and none is left once the stream is open", async () => {
    const state = accepting({ options: { timeouts: { handshake: Infinity } } });
    assert.equal(state.clock.pending, 0);
    await state.clock.advance(1e9);
    assert.equal(state.completions, 0);
    void state.peer.write(requestBytes());
    await quiet();
    assert.deepEqual([state.completions, state.error], [1, undefined]);
    const open = await opened();
    await open.clock.advance(1e9);
    assert.deepEqual([open.ws.isOpen, open.clock.pending], [true, 0]);
  });

  it("a hook that settles after the deadline changes nothing", async () => {
    for (const late of ["resolve", "reject"] as const) {
      let settle: Record<"resolve" | "reject", (value?: undefined) => void>;
      const upgrade = (): Promise<undefined> =>
        new Promise((resolve, reject) => {
          settle = { resolve: resolve as () => void, reject };
        });
      const state = accepting({ source: requestBytes(), options: { upgrade } });
      await state.clock.advance(30_000);
      await quiet();
      settle![late]();
      void state.peer.write(text("x"));
      await quiet();
      assert.deepEqual([state.completions, state.error?.code, state.ws.isOpen], [1, "core.timeout", false]);
      assert.equal(state.peer.received.length, 0);
      assert.deepEqual(state.messages, []);
    }
  });

  it("a refused peer that ends in time ends the deadline too", async () => {
    const state = accepting({ source: requestOf({ Host: undefined }) });
    await quiet();
    assert.equal(state.clock.pending, 1);
    assert.equal((await ended(state)).code, 1006);
  });
});
