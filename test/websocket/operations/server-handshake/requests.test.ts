import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { httpErrors, RequestParser } from "../../../../src/http/index.ts";
import { coreErrors } from "../../../../src/core/index.ts";
import { websocketErrors } from "../../../../src/websocket/index.ts";
import { acceptCases, fieldsOfAll, type AcceptCase } from "../../support/accept-cases.ts";
import { binary, concat, more, text } from "../../support/frames.ts";
import { quiet } from "../../../support/quiet.ts";
import { accepting, ended, type AcceptCall } from "../../support/kit.ts";

const conditions: Record<string, readonly [condition: string, message: string]> = {
  ...coreErrors,
  ...httpErrors,
  ...websocketErrors,
};

/** Frames behind the request, and the messages that they are. */
const frames = concat(text("first"), binary("se", { fin: false }), more("cond"), text("x".repeat(200)));
const messages = ["first", new Uint8Array(Buffer.from("second")), "x".repeat(200)];

/** Feeds a request from the call and from the stream, and checks everything that the table says of it. */
async function check(one: AcceptCase, call: AcceptCall, fromStream: Uint8Array, behind = false): Promise<void> {
  const state = accepting(call);
  const { peer, next, clock } = state;
  if (fromStream.length > 0) void peer.write(fromStream);
  if (one.ends === true) peer.stream.end();
  await quiet();

  assert.deepEqual([state.completions, state.inside], [1, false]);
  assert.equal(state.error?.code, one.code);
  if (one.status === undefined) {
    assert.equal(peer.received.length, 0);
  } else {
    const expected = { ...fieldsOfAll(one.status), ...one.headers };
    const { status, headers, body } = peer.response ?? assert.fail("no response");
    const length = headers.get("Content-Length");
    headers.delete("Content-Length");
    assert.equal(status, one.status);
    assert.deepEqual(Object.fromEntries(headers), expected);
    assert.equal(length, one.code === undefined ? undefined : `${body.length}`);
    assert.equal(body, state.error === undefined ? "" : `${state.error.message}\n`);
  }
  if (one.code === undefined) {
    assert.equal(state.ws.isOpen, true);
    assert.deepEqual(state.messages, behind ? messages : []);
    assert.equal(state.ws.request?.method, "GET");
    assert.equal(clock.pending, 0);
    assert.equal((await ended(state)).code, 1006);
    return;
  }
  assert.equal(state.error?.condition, conditions[one.code][0]);
  assert.equal(next.ended, true, "our side has not ended");
  // Until the peer ends too, the deadline goes on.
  if (one.ends !== true) assert.deepEqual([next.closed, clock.pending, state.closed], [false, 1, undefined]);
  void peer.write(frames);
  assert.deepEqual(await ended(state), { code: 1006, reason: "", clean: false });
  assert.deepEqual([state.messages, peer.frames, peer.ended, state.completions], [[], [], true, 1]);
}

/** Where to split: everywhere in a short request, at the ends and around the limit in a long one. */
function splitsOf(length: number): number[] {
  const all = Array.from({ length: length + 1 }, (_, at) => at);
  if (length < 1000) return all;
  return all.filter((at) => at < 3 || at > length - 5 || (at > 16_381 && at < 16_388) || at === 8192);
}

const empty = (): Uint8Array => new Uint8Array(0);

for (const one of acceptCases) {
  const { name, bytes, code, status } = one;
  describe(`accept, ${name}: ${code ?? "open"}${status === undefined ? "" : `, ${status}`}`, () => {
    it("whole, from the stream", () => check(one, {}, bytes));

    it("byte by byte", () => check(one, { pair: { maxRead: 1, maxWrite: 1 } }, bytes));

    it("at every split between the caller's buffers and the stream", async () => {
      for (const at of splitsOf(bytes.length)) {
        await check(one, { source: bytes.slice(0, at) }, bytes.subarray(at));
        const half = at >> 1;
        const list = [empty(), bytes.slice(0, half), empty(), empty(), bytes.slice(half, at), empty()];
        await check(one, { source: list }, bytes.subarray(at));
      }
    });

    if (one.ends === true) return;
    it(`with frames after: they arrive ${code === undefined ? "once and in order" : "never"}`, async () => {
      const all = concat(bytes, frames);
      await check(one, { pair: { maxRead: 1 } }, all, true);
      await check(one, { source: [] }, all, true);
      for (const at of splitsOf(all.length).filter((at) => at > bytes.length - 30)) {
        await check(one, { source: all.slice(0, at) }, all.subarray(at), true);
      }
    });

    if (one.unparsed === true) return;
    it("as a request that the caller has read, with and without bytes that it read after it", async () => {
      const parser = new RequestParser();
      assert.equal(parser.put(bytes), bytes.length);
      const source = parser.request!;
      await check(one, { source }, empty());
      await check(one, { source }, frames, true);
      for (let at = 0; at <= frames.length; at += at < 30 ? 1 : 20) {
        const buffered = at % 2 === 0 ? frames.slice(0, at) : [frames.slice(0, 1), empty(), frames.slice(1, at)];
        await check(one, { source, accept: { buffered } }, frames.subarray(at), true);
      }
    });
  });
}
