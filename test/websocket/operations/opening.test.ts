import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { coreError, type ServalError } from "../../../src/core/index.ts";
import { attentive } from "../../../src/core/internal.ts";
import { httpError } from "../../../src/http/internal.ts";
import { pair, VirtualClock, type PairStream } from "../../../src/testing/index.ts";
import {
  checkDecorated,
  headError,
  Opening,
  type HandshakeResult,
  type OpeningOwner,
} from "../../../src/websocket/operations/opening.ts";
import { fc, runs } from "../../support/property.ts";
import { quiet } from "../../support/quiet.ts";

/** An opening whose outcomes the test decides. */
class TestOpening extends Opening {
  override limit(...given: Parameters<Opening["limit"]>): void {
    super.limit(...given);
  }
  override succeed(result: HandshakeResult): void {
    super.succeed(result);
  }
  override withdraw(error: ServalError): void {
    super.withdraw(error);
  }
  override leave(error: ServalError): void {
    super.leave(error);
  }
}

const result: HandshakeResult = { protocol: "", deflate: undefined, rest: new Uint8Array(0) };
const failure = coreError("core.transport");

interface State {
  opening: TestOpening;
  next: PairStream;
  peer: PairStream;
  clock: VirtualClock;
  controller: AbortController;
  told: string[];
}

/** An opening that has begun, with a deadline of a second. */
function begun(completed?: (state: State) => void): State {
  const [next, peer] = pair();
  const clock = new VirtualClock();
  const controller = new AbortController();
  const told: string[] = [];
  const owner: OpeningOwner = {
    peer: undefined,
    openingCompleted(error) {
      told.push(error?.code ?? "opened");
      completed?.(state);
    },
    openingEnded: () => told.push("ended"),
  };
  const opening = new TestOpening(next, owner, () => {});
  const state: State = { opening, next, peer, clock, controller, told };
  opening.limit(attentive(clock), 1000, controller.signal);
  return state;
}

const listeners = ({ controller }: State): number => getEventListeners(controller.signal, "abort").length;

describe("an opening handshake", () => {
  it("fails at its deadline, not before, and closes the next layer first", async () => {
    const closed: boolean[] = [];
    const state = begun(({ next }) => closed.push(next.closed));
    await state.clock.advance(999);
    assert.deepEqual([state.told, state.next.closed], [[], false]);
    await state.clock.advance(1);
    assert.deepEqual([state.told, closed], [["core.timeout", "ended"], [true]]);
    assert.equal(listeners(state), 0);
  });

  it("fails when its signal fires, but not inside the call that fires it", async () => {
    const state = begun();
    state.controller.abort("enough");
    assert.deepEqual([state.told, state.next.closed], [[], true]);
    await quiet();
    assert.deepEqual([state.told, state.clock.pending], [["core.aborted", "ended"], 0]);
  });

  it("after success has no deadline, no listener, and an open next layer", () => {
    const state = begun();
    state.opening.succeed(result);
    assert.deepEqual([state.told, state.next.closed], [["opened"], false]);
    assert.deepEqual([state.clock.pending, listeners(state)], [0, 0]);
  });

  it("does not touch a next layer that is used elsewhere", async () => {
    const state = begun();
    state.opening.withdraw(failure);
    await quiet();
    assert.deepEqual([state.told, state.next.closed, state.clock.pending], [["core.transport", "ended"], false, 0]);
  });

  it("that was refused waits for the peer's end, until the deadline", async () => {
    const inTime = begun();
    inTime.opening.leave(failure);
    await quiet();
    assert.deepEqual([inTime.told, inTime.next.ended, inTime.next.closed], [["core.transport"], true, false]);
    inTime.peer.end();
    await quiet();
    assert.deepEqual([inTime.told, inTime.clock.pending], [["core.transport", "ended"], 0]);

    const late = begun();
    late.opening.leave(failure);
    await late.clock.advance(1000);
    await quiet();
    assert.deepEqual([late.told, late.next.closed], [["core.transport", "ended"], true]);
  });

  it("that was refused closes a next layer on which its completion started another operation", async () => {
    const state = begun(({ next }) => next.readSome(() => {}));
    state.opening.leave(failure);
    await quiet();
    assert.deepEqual([state.told, state.next.closed, state.clock.pending], [["core.transport", "ended"], true, 0]);
  });

  it("reports one outcome, and one end after an error, whatever else happens", async () => {
    const events = {
      deadline: ({ clock }: State) => clock.advance(1000),
      signal: ({ controller }: State) => controller.abort(),
      abort: ({ opening }: State) => opening.abort(failure),
      withdraw: ({ opening }: State) => opening.withdraw(failure),
      close: ({ next }: State) => next.close(),
      end: ({ peer }: State) => peer.end(),
      turn: () => quiet(),
    };
    const outcomes = {
      succeed: ({ opening }: State) => opening.succeed(result),
      leave: ({ opening }: State) => opening.leave(failure),
      nothing: () => {},
    };
    const anyEvents = fc.array(fc.constantFrom(...Object.values(events)), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...(Object.keys(outcomes) as (keyof typeof outcomes)[])),
        anyEvents,
        async (outcome, after) => {
          const state = begun();
          outcomes[outcome](state);
          for (const event of after) await event(state);
          await state.clock.advance(1000);
          await quiet();
          const [first, ...others] = state.told;
          assert.ok(first !== undefined);
          assert.deepEqual(others, first === "opened" ? [] : ["ended"]);
          assert.equal(first === "opened", outcome === "succeed");
          assert.deepEqual([state.clock.pending, listeners(state)], [0, 0]);
        },
      ),
      { numRuns: runs(200) },
    );
  });
});

describe("headError", () => {
  it("has its own errors for an end before the head, and for a too large head; others are kept", () => {
    const ended = headError(httpError("http.end_of_stream"), "It ended");
    assert.deepEqual([ended.code, ended.message], ["websocket.closed", "It ended"]);
    const tooLarge = httpError("http.header_limit");
    const overflow = headError(tooLarge, "");
    assert.deepEqual([overflow.code, overflow.cause], ["websocket.buffer_overflow", tooLarge]);
    assert.equal(headError(failure, ""), failure);
  });
});

describe("checkDecorated", () => {
  it("refuses a promise, whose rejection ends no process", async () => {
    checkDecorated(undefined);
    assert.throws(() => checkDecorated(Promise.reject(new Error("no"))), { code: "websocket.bad_upgrade_result" });
    await quiet();
  });
});
