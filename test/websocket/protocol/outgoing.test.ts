import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { inlineUpTo } from "../../../src/websocket/deflate/deflate.ts";
import { opcode } from "../../../src/websocket/frames/frame.ts";
import { copiedUpTo } from "../../../src/websocket/protocol/frame-buffer.ts";
import { Outgoing, type OutgoingOptions } from "../../../src/websocket/protocol/outgoing.ts";
import { prepare } from "../../../src/websocket/protocol/prepared.ts";
import { backwards } from "../support/deflated.ts";
import { concat, describeFrame, framesIn, utf8 } from "../support/frames.ts";
import type { Role } from "../../../src/core/index.ts";
import { roles } from "../support/client-kit.ts";

const { text, binary } = opcode;

function outgoing(options: Partial<OutgoingOptions> = {}, role: Role = "server", deflater?: object): Outgoing {
  return new Outgoing(role, { fragmentSize: 100_000, highWaterMark: 1000, ...options }, deflater as never);
}

function texts(one: Outgoing, role: Role = "server"): string[] {
  const taken = one.take() ?? [];
  const bytes = taken instanceof Uint8Array ? taken : concat(...taken);
  one.wrote(bytes.length);
  return framesIn(bytes, role).map(describeFrame);
}

describe("Outgoing.send", () => {
  for (const role of roles) {
    it(`as a ${role}: one frame for a message, counted`, () => {
      const one = outgoing({}, role);
      for (const data of ["é", utf8("é")]) assert.notEqual(one.send(text, data, true), undefined);
      one.send(binary, Uint8Array.of(1, 2), true);
      assert.deepEqual(texts(one, role), ["text é", "text é", "binary 0102"]);
      assert.deepEqual([one.messages, one.payloadSize, one.bufferedAmount], [3, 6, 0]);
    });
  }

  it("returns how far writing must come: until there is room, but to the end for the caller's memory", () => {
    const one = outgoing();
    assert.equal(one.send(binary, new Uint8Array(10), false), 12 - 1000 + 1);
    const position = one.send(binary, new Uint8Array(copiedUpTo + 1), false);
    assert.equal(position, one.queued);
    assert.equal(one.send(text, prepare("x".repeat(copiedUpTo + 1)), false), one.queued - 1000 + 1);
  });

  it("leaves a message to the queue if it takes more than one frame, is a list, or is compressed on another thread", () => {
    const plain = outgoing({ fragmentSize: 8 });
    for (const data of ["123456789", "éééé1", utf8("123456789"), [utf8("1")], prepare("123456789")]) {
      assert.equal(plain.send(text, data, true), undefined);
    }
    for (const data of ["éééé", utf8("12345678"), prepare("12345678")]) {
      assert.notEqual(plain.send(text, data, true), undefined);
    }
    const deflating = outgoing({}, "server", backwards(15));
    for (const data of [new Uint8Array(inlineUpTo + 1), "x".repeat(16 * 1024 + 1)]) {
      assert.equal(deflating.send(text, data, true), undefined);
      assert.notEqual(deflating.send(text, data, false), undefined);
    }
    assert.equal(outgoing({}, "client").send(text, prepare("1"), true), undefined, "a client masks each");
  });

  it("RFC 7692 6: deflates from the threshold on, and counts both sizes", () => {
    const one = outgoing({ deflate: { threshold: 3 } }, "server", {
      ...backwards(15),
      takeover: true,
      inflatedPayload: 0,
      deflatedPayload: 0,
      deflate,
    });
    one.send(text, "abc", true);
    one.send(text, "ab", true);
    one.send(binary, utf8("abc"), true);
    assert.deepEqual(texts(one), ["text (rsv 4) 636261", "text ab", "binary (rsv 4) 636261"]);
    assert.deepEqual([one.inflatedPayload, one.deflatedPayload], [6, 6]);
  });
});

const deflate = (bytes: Uint8Array): Uint8Array => bytes.toReversed();
