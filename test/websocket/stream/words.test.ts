import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ServalError } from "../../../src/core/index.ts";
import { binary, close, text } from "../support/frames.ts";
import { quiet } from "../../support/quiet.ts";
import { codeOf, outcomeOf, pulled } from "../support/kit.ts";

/** What an error says. */
async function wordsOf(promise: Promise<unknown>): Promise<string | undefined> {
  const outcome = await outcomeOf(promise);
  return outcome === "pending" ? outcome : outcome.error?.message;
}

describe("messages of a closed connection", () => {
  it("the peer's code and reason, or that there was no close frame, or that we are closing", async () => {
    const first = await pulled();
    void first.peer.write(close(4001, "gone\nhome"));
    assert.equal(await wordsOf(first.ws.read()), 'The WebSocket connection is closed: 4001 "gone\\nhome"');
    const second = await pulled();
    second.peer.stream.end();
    assert.match((await wordsOf(second.ws.read()))!, /ended without a close frame \(1006\)/);
    const third = await pulled();
    void third.ws.close();
    assert.match((await wordsOf(third.ws.write("x")))!, /is closing/);
    for (const { ws } of [first, second, third]) ws.terminate();
  });
});

describe("misuse says what to do", () => {
  it("of close, of messages and of kinds", async () => {
    const { ws } = await pulled();
    const cases: [call: () => unknown, message: RegExp][] = [
      [() => ws.send(Promise.resolve("x") as never), /await the promise first/],
      [() => ws.send({} as never), /JSON\.stringify/],
      [() => ws.send("x", { kind: "txt" as never }), /kind must be "text" or "binary", not "txt"/],
    ];
    for (const [call, message] of cases) assert.throws(call, { code: "core.invalid_argument", message });
    const closing = ws.close(4000 as never, "bye" as never) as unknown as Promise<void>;
    assert.match((await wordsOf(closing))!, /close takes a plain object, such as \{ code: 4000/);
    assert.match((await wordsOf(ws.close({ code: "1000" as never })))!, /A close code is a number, not "/);
    ws.terminate();
  });

  it("with the caller's line in its stack, also after many frames of ours", async () => {
    const { ws } = await pulled();
    void ws.read();
    const outcome = await outcomeOf(ws.read());
    assert.match((outcome as { error: ServalError }).error.stack!, /stream\/words\.test/);
    ws.terminate();
  });
});

it("a message that is passed on keeps its kind", async () => {
  const from = await pulled();
  const to = await pulled();
  void from.peer.write(text("né"), binary("b"));
  for (let i = 0; i < 2; i++) assert.equal(await codeOf(to.ws.write(await from.ws.nextMessage())), undefined);
  await quiet();
  assert.deepEqual(to.peer.frames, ["text (not final) né", "continuation", "binary (not final) 62", "continuation"]);
  for (const { ws } of [from, to]) ws.terminate();
});
