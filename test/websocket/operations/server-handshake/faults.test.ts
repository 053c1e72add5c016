import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ServalError } from "../../../../src/core/index.ts";
import { Response } from "../../../../src/http/index.ts";
import { everyFailure } from "../../../../src/testing/index.ts";
import type { StreamOptions } from "../../../../src/websocket/index.ts";
import { concat, text } from "../../support/frames.ts";
import { afterSteps, quiet } from "../../../support/quiet.ts";
import { accepting, ended, type Accepting, type AcceptCall } from "../../support/kit.ts";
import { requestBytes, requestOf } from "../../support/requests.ts";
import { outcomes } from "../../../support/outcomes.ts";

interface Scenario {
  name: string;
  call: () => AcceptCall;
  /** What the peer sends. */
  sent?: Uint8Array;
  /** The outcome where nothing goes wrong. */
  code?: string;
  messages?: number;
}

const slowly = <Value>(value: Value): Promise<Value> =>
  new Promise((resolve) => {
    afterSteps(5, () => resolve(value));
  });
const declines: StreamOptions = { upgrade: () => slowly(new Response({ status: 403, body: "no" })) };
const frames = concat(text("a"), text("b"));

const scenarios: Scenario[] = [
  { name: "a request from the stream", call: () => ({}), sent: requestBytes() },
  { name: "a request with frames behind", call: () => ({}), sent: concat(requestBytes(), frames), messages: 2 },
  {
    name: "a request from the caller and the stream",
    call: () => ({ source: requestBytes().subarray(0, 50) }),
    sent: concat(requestBytes().subarray(50), frames),
    messages: 2,
  },
  {
    name: "a request that was read",
    call: () => ({ source: requestOf(), accept: { buffered: frames.slice() } }),
    messages: 2,
  },
  { name: "an async hook", call: () => ({ options: { upgrade: () => slowly(undefined) } }), sent: requestBytes() },
  {
    name: "an async hook that declines",
    call: () => ({ options: declines }),
    sent: requestBytes(),
    code: "websocket.upgrade_declined",
  },
  {
    name: "an async hook that fails",
    call: () => ({ options: { upgrade: () => slowly(undefined).then(() => Promise.reject(new Error("x"))) } }),
    sent: requestBytes(),
    code: "websocket.handler_failed",
  },
  {
    name: "a refused request",
    call: () => ({}),
    sent: concat(requestBytes({ Host: undefined }), frames),
    code: "websocket.no_host",
  },
  { name: "no request", call: () => ({}), sent: requestBytes().subarray(0, 30), code: "http.partial_message" },
];

/** Runs a scenario; `act` happens when the bytes are on their way. */
async function run(scenario: Scenario, more: AcceptCall = {}, act?: (state: Accepting) => unknown): Promise<Accepting> {
  const { call, sent, code } = scenario;
  const given = call();
  const state = accepting({ ...given, ...more, accept: { ...given.accept, ...more.accept } });
  if (sent !== undefined) void state.peer.write(sent);
  if (code === "http.partial_message") state.peer.stream.end();
  act?.(state);
  await quiet();
  return state;
}

/** What holds of every run: one completion with a proper error, no timer left, closed tells the end. */
async function holds(state: Accepting, name: string): Promise<void> {
  assert.deepEqual([state.completions, state.inside], [1, false], name);
  if (state.error !== undefined) assert.ok(state.error instanceof ServalError, name);
  assert.deepEqual(await ended(state), { code: 1006, reason: "", clean: false }, name);
  assert.equal(state.completions, 1, name);
}

for (const scenario of scenarios) {
  const { name, code, messages = 0 } = scenario;
  describe(`accept, ${name}`, () => {
    for (const size of [Infinity, 40]) {
      it(`whatever fails below${size === 40 ? ", in short reads and writes" : ""}`, async () => {
        const runs = await everyFailure(async (each) => {
          const { signal } = each;
          const state = await run(scenario, { run: each, pair: { maxRead: size, maxWrite: size }, accept: { signal } });
          await state.done;
          const before = state.error?.code;
          assert.ok(outcomes(each, code).includes(before), `${before}, not ${outcomes(each, code).join()}`);
          state.peer.stream.end();
          await state.ws.closed;
          await holds(state, "");
          if (outcomes(each).length === 0) assert.equal(state.messages.length, messages);
          if (before !== undefined) assert.equal(state.messages.length, 0);
        });
        assert.ok(runs.length > 15, runs.join());
      });
    }

    for (const loss of ["endAfter", "resetAfter"] as const) {
      const sent = scenario.sent;
      if (sent === undefined || sent.length > 400) continue;
      it(`the stream ${loss === "endAfter" ? "ends" : "is reset"} after any number of bytes`, async () => {
        for (let count = 0; count <= sent.length; count++) {
          const state = await run(scenario, { pair: { [loss]: count } });
          const isFirst = count === 0 && scenario.call().source === undefined;
          // Of a client that ends while the hook is at work.
          const isAsked = state.ws.request !== undefined;
          const codes = [
            code,
            isFirst || isAsked ? "websocket.closed" : "http.partial_message",
            "core.connection_reset",
          ];
          assert.ok(codes.includes(state.error?.code), `${state.error?.code} after ${count} bytes`);
          if (loss === "resetAfter" && state.error !== undefined && state.error.code !== code) {
            assert.equal(state.error.code, "core.connection_reset");
          }
          await holds(state, `${count} bytes`);
        }
      });
    }

    it("aborted at every step", async () => {
      let aborted = 0;
      for (let step = 0; ; step++) {
        assert.ok(step < 200);
        const controller = new AbortController();
        const short = { maxRead: 40, maxWrite: 40 };
        const more = { pair: short, accept: { signal: controller.signal } };
        const state = await run(scenario, more, () => afterSteps(step, () => controller.abort("enough")));
        if (state.error?.code === "core.aborted") {
          aborted++;
          assert.equal(state.error.cause, "enough");
          assert.deepEqual([state.next.closed, state.clock.pending], [true, 0]);
          assert.deepEqual([state.messages, state.ws.isOpen], [[], false]);
        } else {
          assert.equal(state.error?.code, code);
          await holds(state, `step ${step}`);
          break;
        }
        await holds(state, `step ${step}`);
      }
      assert.ok(aborted >= 4, `only ${aborted} runs were aborted`);
    });
  });
}
