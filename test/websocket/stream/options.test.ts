import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pair } from "../../../src/testing/index.ts";
import { prepare, Stream } from "../../../src/websocket/index.ts";
import { text } from "../support/frames.ts";
import { pulled } from "../support/kit.ts";

/** Calls an operation with what stands in the place of its options. */
type Call = (ws: Stream, ...given: never[]) => unknown;

describe("the options of an operation", () => {
  const { signal } = new AbortController();
  const operations: [taker: string, call: Call, example: string][] = [
    ["read", (ws, ...given) => ws.read(...given), "{ signal }"],
    ["readSome", (ws, ...given) => ws.readSome(...given), "{ signal }"],
    ["nextMessage", (ws, ...given) => ws.nextMessage(...given), "{ signal }"],
    ["write", (ws, ...given) => ws.write("x", ...given), "{ compress: false }"],
    ["writeSome", (ws, ...given) => ws.writeSome("x", true, ...given), "{ compress: false }"],
    ["send", (ws, ...given) => ws.send("x", ...given), "{ compress: false }"],
    ["ping", (ws, ...given) => ws.ping("x", ...given), "{ signal }"],
    ["pong", (ws, ...given) => ws.pong("x", ...given), "{ signal }"],
    ["close", (ws, ...given) => ws.close(...given), '{ code: 4000, reason: "bye" }'],
    ["prepare", (_, ...given) => prepare("x", ...given), "{ compress: false }"],
    ["Message.bytes", async (ws, ...given) => (await ws.nextMessage()).bytes(...given), "{ signal }"],
    ["Message.text", async (ws, ...given) => (await ws.nextMessage()).text(...given), "{ signal }"],
  ];
  for (const [taker, call, example] of operations) {
    it(`of ${taker} exist, and stand in a plain object; otherwise nothing happens`, async () => {
      const takes = `${taker} takes a plain object, such as ${example}, not`;
      for (const [given, message] of [
        [signal, `${takes} an AbortSignal`],
        [true, `${takes} true`],
        [null, `${takes} null`],
        [4000, `${takes} 4000`],
        [{ nope: 1 }, new RegExp(`^${taker} has no option "nope": `)],
      ] as const) {
        const { ws, peer } = await pulled();
        void peer.write(text("a message"));
        await assert.rejects(async () => call(ws, given as never), { code: "core.invalid_argument", message });
        assert.deepEqual([ws.isOpen, ws.bufferedAmount], [true, 0]);
        ws.terminate();
        await ws.closed;
        assert.deepEqual(peer.frames, []);
      }
    });
  }

  it("are those of the opening handshake too", async () => {
    for (const [call, message] of [
      [
        (ws) => ws.accept({ buffer: new Uint8Array() } as never),
        /^accept has no option "buffer": did you mean buffered/,
      ],
      [
        (ws) => ws.accept(new Uint8Array(), signal as never),
        /^accept takes a plain object, such as \{ signal \}, not a/,
      ],
      [(ws) => ws.accept(new Uint8Array(), {}, "x" as never), /^accept takes a completion handler/],
      [
        (ws) => ws.handshake("a", "/", { protocol: "x" } as never),
        /^handshake has no option "protocol": did you mean protocols/,
      ],
      [(ws) => ws.handshake("a", "/", ["x"] as never), /^handshake takes a plain object, .*\["chat"\] \}, not a list$/],
    ] satisfies [call: (ws: Stream) => unknown, message: RegExp][]) {
      const [stream] = pair();
      const ws = new Stream(stream);
      await assert.rejects(async () => call(ws), { code: "core.invalid_argument", message });
      assert.deepEqual([stream.operations, stream.closed], [0, false]);
    }
  });
});

describe("an option of another library", () => {
  it("gets the equivalent here", async () => {
    const { ws, peer } = await pulled();
    const callback = (): void => assert.fail("called");
    const cases: [call: () => unknown, message: RegExp][] = [
      [() => ws.send("x", callback as never), /^send takes a message and options, and returns a boolean: write awaits/],
      [() => (ws.send as (...given: unknown[]) => unknown).call(ws, "x", {}, callback), /write awaits/],
      [() => ws.close(4000 as never), /such as \{ code: 4000, reason: "bye" \}, not 4000$/],
      [() => ws.close(4000 as never, "bye" as never), /such as \{ code: 4000, reason: "bye" \}, not 4000$/],
      [
        () => ws.close({ code: 4000 }, "bye" as never),
        /^close takes a completion handler after its options, .* "bye"$/,
      ],
      [() => ws.close({ status: 4000 } as never), /^close has no option "status": /],
      [() => ws.ping("x", true as never, callback), /^ping takes a plain object, such as \{ signal \}, not true$/],
      [() => ws.writeSome("x", { final: true } as never), /^final must be true or false, not an object$/],
      [() => ws.writeSome("x", undefined as never), /^final must be true or false, not undefined$/],
      [() => ws.write("x", { compress: 1 } as never), /^compress must be true or false, not 1$/],
    ];
    for (const [call, message] of cases) {
      await assert.rejects(async () => call(), { code: "core.invalid_argument", message });
    }
    assert.equal(ws.isOpen, true);
    ws.terminate();
    await ws.closed;
    assert.deepEqual(peer.frames, []);
  });
});
