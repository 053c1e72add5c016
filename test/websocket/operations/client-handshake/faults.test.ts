import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { describe, it } from "node:test";
import { ServalError } from "../../../../src/core/index.ts";
import { everyFailure } from "../../../../src/testing/index.ts";
import { concat, text } from "../../support/frames.ts";
import { latin1 } from "../../support/requests.ts";
import { responseBytes } from "../../support/responses.ts";
import { quiet } from "../../../support/quiet.ts";
import { shaking, type Shaking, type ShakingCall } from "../../support/shaking.ts";
import { afterSteps } from "../../../support/quiet.ts";
import { outcomes } from "../../../support/outcomes.ts";

interface Scenario {
  name: string;
  answer: (accept: string) => Uint8Array[];
  ends?: boolean;
  /** The outcome where nothing goes wrong. */
  code?: string;
  /** How many bytes of the answer are the head of a refusal: from there on, that is the outcome. */
  refusal?: number;
}

const good = (accept: string): Uint8Array => responseBytes({ "Sec-WebSocket-Accept": accept });
const frames = concat(text("a", { key: undefined }), text("b", { key: undefined }));
const refused = "HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n";
const toTheEnd = "HTTP/1.1 403 No\r\n\r\n";

const scenarios: Scenario[] = [
  { name: "a good response", answer: (accept) => [good(accept)] },
  { name: "a good response with frames behind", answer: (accept) => [concat(good(accept), frames)] },
  { name: "an interim response first", answer: (accept) => [latin1("HTTP/1.1 100 C\r\n\r\n"), good(accept)] },
  { name: "a wrong response", answer: () => [responseBytes()], code: "websocket.bad_sec_accept" },
  {
    name: "a refusal in chunks",
    answer: () => [latin1(`${refused}5\r\nhello\r\n0\r\n\r\n`)],
    code: "websocket.upgrade_declined",
    refusal: refused.length,
  },
  {
    name: "a refusal up to the end",
    answer: () => [latin1(`${toTheEnd}hello`)],
    ends: true,
    code: "websocket.upgrade_declined",
    refusal: toTheEnd.length,
  },
  { name: "no response", answer: () => [latin1("HTTP/1.1 101 S\r\n")], ends: true, code: "http.partial_message" },
];

async function run({ answer, ends = false }: Scenario, more: ShakingCall = {}): Promise<Shaking> {
  const state = shaking({ answer, ends, ...more });
  await quiet();
  return state;
}

/** What holds of every run: one completion with a proper error, closed by then, no timer and no listener left. */
function holds(state: Shaking, name: string): void {
  const { told, error } = state;
  assert.equal(told.filter((one) => one === "completed").length, 1, name);
  assert.equal(state.inside, false, name);
  assert.equal(state.clock.pending, 0, name);
  assert.equal(state.next.closed, error !== undefined, name);
  if (error === undefined) assert.equal(told.at(-1), "completed", name);
  else {
    assert.ok(error instanceof ServalError, name);
    assert.deepEqual(told.slice(-2), ["completed", "ended"], name);
    assert.equal(state.closedBefore, true, name);
    assert.equal(state.result, undefined, name);
  }
}

for (const scenario of scenarios) {
  const { name, code, refusal = Infinity } = scenario;
  describe(`a client's handshake, ${name}`, () => {
    for (const size of [Infinity, 40]) {
      it(`whatever fails below${size === 40 ? ", in short reads and writes" : ""}`, async () => {
        const runs = await everyFailure(async (each) => {
          const { signal } = each;
          const state = await run(scenario, { run: each, signal, pair: { maxRead: size, maxWrite: size } });
          await state.done;
          await quiet();
          holds(state, "");
          const outcome = state.error?.code;
          assert.ok(outcomes(each, code).includes(outcome), `${outcome}, not ${outcomes(each, code).join()}`);
          if (state.error === undefined) state.below.close();
        });
        assert.ok(runs.length > 10, runs.join());
      });
    }

    for (const loss of ["endAfter", "resetAfter"] as const) {
      it(`the stream ${loss === "endAfter" ? "ends" : "is reset"} after any number of bytes`, async () => {
        const size = scenario.answer("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").reduce((sum, piece) => sum + piece.length, 0);
        for (let count = 0; count <= size; count++) {
          const state = await run(scenario, { pair: { [loss]: count } });
          holds(state, `${count} bytes`);
          const broken =
            loss === "resetAfter" ? "core.connection_reset" : count === 0 ? "websocket.closed" : "http.partial_message";
          const expected = count >= refusal ? [code] : [broken, code];
          assert.ok(expected.includes(state.error?.code), `${state.error?.code} after ${count} bytes`);
          assert.equal(state.response !== undefined, state.error?.response !== undefined || state.error === undefined);
        }
      });
    }

    it("aborted at every step", async () => {
      let aborted = 0;
      for (let step = 0; ; step++) {
        assert.ok(step < 300);
        const controller = new AbortController();
        const pair = { maxRead: 40, maxWrite: 40 };
        const running = run(scenario, { pair, signal: controller.signal });
        afterSteps(step, () => controller.abort("enough"));
        const state = await running;
        holds(state, `step ${step}`);
        assert.equal(getEventListeners(controller.signal, "abort").length, 0);
        if (state.error?.code !== "core.aborted") {
          assert.equal(state.error?.code, code);
          break;
        }
        aborted++;
        assert.equal(state.error.cause, "enough");
        assert.equal(state.response, undefined);
      }
      assert.ok(aborted >= 4, `only ${aborted} runs were aborted`);
    });

    it("aborted at every step by its owner", async () => {
      for (let step = 0; ; step++) {
        assert.ok(step < 300);
        const state = shaking({ answer: scenario.answer, ends: scenario.ends ?? false, pair: { maxRead: 40 } });
        afterSteps(step, () => state.operation.abort(new ServalError("a.b", "aborted", "")));
        await quiet();
        holds(state, `step ${step}`);
        if (state.error?.code !== "a.b") break;
      }
    });
  });
}

describe("a client's handshake on a next layer that is used elsewhere", () => {
  it("throws for a write in flight, without affecting that", async () => {
    let written = 0;
    const busy: ShakingCall["busy"] = (next) => next.writeSome(latin1("other"), (_, count) => (written = count));
    assert.throws(() => shaking({ busy }), { code: "core.operation_pending" });
    await quiet();
    assert.equal(written, 5);
  });

  it("fails for a read in flight, without affecting that", async () => {
    let read: unknown;
    const state = shaking({ busy: (next) => next.readSome((error, bytes) => (read = error ?? bytes?.length)) });
    await quiet();
    assert.deepEqual(state.told, ["sent", "completed", "ended"]);
    assert.equal(state.error?.code, "core.operation_pending");
    assert.deepEqual([state.inside, state.next.closed, state.clock.pending], [false, false, 0]);
    assert.equal(read, undefined);
    state.server.writeSome(latin1("x"), () => {});
    await quiet();
    assert.equal(read, 1);
  });

  it("completes once even if the next layer ignores close", async () => {
    for (const refuses of [false, true]) {
      const state = shaking({ busy: (next) => (next.close = () => {}), deaf: true });
      await quiet();
      state.operation.abort(new ServalError("a.b", "aborted", ""));
      state.server.writeSome(refuses ? latin1(`${toTheEnd}no`) : good("x"), () => {});
      state.server.end();
      await quiet();
      assert.deepEqual([state.told, state.error?.code], [["sent", "completed", "ended"], "a.b"]);
    }
  });

  it("closes it where it throws something else", async () => {
    const state = shaking({
      busy: (next) => {
        next.readSome = () => {
          throw new Error("no");
        };
      },
    });
    await quiet();
    holds(state, "");
    assert.equal(state.error?.code, "core.transport");
  });
});
