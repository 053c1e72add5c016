import assert from "node:assert/strict";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { describe, it } from "node:test";
import * as ws from "ws";
import type { ServalError } from "../../src/core/index.ts";
import { Protocol, websocketErrors } from "../../src/websocket/index.ts";
import { failureOf } from "../../src/ws/failures.ts";
import { close, frame, text } from "../websocket/support/frames.ts";

/** What fails with these bytes from a client, as ours. */
function ours(bytes: Uint8Array, limits: { maxPayload?: number; maxFragments?: number }): Error {
  const { maxPayload = Infinity, maxFragments = Infinity } = limits;
  const protocol = new Protocol({ role: "server", maxMessageSize: maxPayload, maxFragments, autoClose: false });
  protocol.receive(bytes);
  for (let event = protocol.next(); event !== undefined; event = protocol.next()) {
    if (event.type === "failed") return failureOf(event.error, event.value).error;
  }
  throw new Error("it does not fail");
}

/** What `ws` says of them. */
async function theirs(bytes: Uint8Array, limits: { maxPayload?: number; maxFragments?: number }): Promise<Error> {
  const { Receiver } = ws as unknown as { Receiver: new (options: object) => Writable };
  const receiver = new Receiver({ isServer: true, ...limits });
  const failed = once(receiver, "error");
  receiver.write(Buffer.from(bytes));
  return ((await failed) as [Error])[0];
}

const shown = (error: Error): unknown => [error.name, error.message, (error as { code?: string }).code];

const header = (first: number, second: number, ...more: number[]): Uint8Array => Uint8Array.of(first, second, ...more);

describe("failureOf", () => {
  const cases: Record<string, [bytes: Uint8Array, limits?: { maxPayload?: number; maxFragments?: number }]> = {
    "a reserved opcode": [frame(3, "x")],
    "a reserved control opcode": [frame(11)],
    "a continuation of nothing": [frame(0, "x")],
    "a message inside another": [Buffer.concat([text("x", { fin: false }), text("y")])],
    RSV1: [header(0xc1, 0x80)],
    RSV2: [header(0xa1, 0x80)],
    "RSV1 and RSV3": [header(0xd1, 0x80)],
    "a fragmented ping": [header(0x09, 0x80)],
    "a long ping": [header(0x89, 0xfe, 0, 126)],
    "a close frame of one byte": [frame(8, "x")],
    "a close code that is not sent": [close(1005)],
    "a reason that is not UTF-8": [close(1000, Uint8Array.of(0xff))],
    "an unmasked frame": [text("x", { key: undefined })],
    "text that is not UTF-8": [text(Uint8Array.of(0xff))],
    "a message that is too large": [text("hello"), { maxPayload: 4 }],
    "a length that can't be counted": [header(0x82, 0xff, 0, 0x20, 0, 0, 0, 0, 0, 0)],
    "too many fragments": [
      Buffer.concat([text("x", { fin: false }), frame(0, "y", { fin: false }), frame(0, "z")]),
      { maxFragments: 2 },
    ],
  };
  for (const [name, [bytes, limits = {}]] of Object.entries(cases)) {
    it(`is what ws says of ${name}`, async () => {
      assert.deepEqual(shown(ours(bytes, limits)), shown(await theirs(bytes, limits)));
    });
  }

  it("has a close code for each violation: 1002, 1007, 1008 or 1009", () => {
    const codeOf = (code: string): number => failureOf({ code } as ServalError, 0).closeCode;
    const violations = Object.entries(websocketErrors).filter(([, [condition]]) => condition === "protocol_violation");
    assert.ok(violations.length > 10);
    for (const [code] of violations) assert.ok([1002, 1007].includes(codeOf(code)), code);
    assert.equal(codeOf("websocket.bad_deflate_data"), 1007);
    assert.equal(codeOf("websocket.too_many_fragments"), 1008);
    assert.equal(codeOf("websocket.message_too_big"), 1009);
  });
});
