// What a message of very many fragments costs: work for each of them, and memory for its bytes alone.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bytesCopied } from "../../../support/copies.ts";
import { event, found, take } from "../../../../src/websocket/protocol/event.ts";
import { Protocol } from "../../../../src/websocket/protocol/protocol.ts";
import type { Incoming } from "../../../../src/websocket/protocol/incoming.ts";
import { concat, more, text } from "../../support/frames.ts";
import { serverSide } from "../../support/incoming.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const kinds: readonly [name: string, fragment: Uint8Array, size: number][] = [
  ["empty", more("", { fin: false }), 0],
  ["of one byte", more("x", { fin: false }), 1],
  ["of 64 bytes", more("x".repeat(64), { fin: false }), 64],
];

/** As many fragments as a read of 64 KiB brings. */
const readOf = (fragment: Uint8Array): Uint8Array =>
  concat(...Array.from({ length: Math.floor(65_536 / fragment.length) }, () => fragment));

/** Receives `count` fragments in reads of 64 KiB, as a socket brings them. */
function receive(incoming: Incoming, fragment: Uint8Array, count: number, read: Uint8Array = readOf(fragment)): void {
  const perRead = read.length / fragment.length;
  for (let left = count; left > 0; left -= perRead) {
    incoming.receive(read.subarray(0, Math.min(left, perRead) * fragment.length));
    assert.equal(incoming.next(take.message), undefined);
    incoming.retain();
  }
}

/** A side that has received the first frame of a text. */
function begun(maxFragments = Infinity): Incoming {
  const incoming = serverSide({ maxMessageSize: Infinity, maxFragments });
  incoming.receive(text("", { fin: false }));
  assert.equal(incoming.next(take.message), undefined);
  incoming.retain();
  return incoming;
}

describe("a message of very many fragments", () => {
  for (const [name, fragment, size] of kinds) {
    it(`${name}: the work that is counted for a connection's share of a turn, and what is copied, grow with their number`, async () => {
      const perFragment: number[] = [];
      for (const count of [20_000, 80_000, 320_000]) {
        const incoming = begun();
        const read = readOf(fragment);
        const copied = await bytesCopied(() => receive(incoming, fragment, count, read));
        perFragment.push(incoming.cost / count);
        assert.ok(copied <= 3 * size * count, `${copied} bytes copied`);
      }
      const [least, most] = [Math.min(...perFragment), Math.max(...perFragment)];
      assert.ok(least > 0 && most < 1.2 * least, perFragment.join(", "));
    });

    it(`${name}: a million hold the bytes of the message, and nothing else`, () => {
      const count = 1_000_000;
      const incoming = begun();
      receive(incoming, fragment, 1000);
      collect();
      const before = process.memoryUsage();
      receive(incoming, fragment, count);
      collect();
      const after = process.memoryUsage();
      const held = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
      // The block in which a message is gathered doubles.
      assert.ok(held < 2 * size * count + 1_000_000, `${held} bytes`);
      incoming.receive(more("!"));
      assert.equal(incoming.next(take.message), event.message);
      assert.equal(found.message.length, (count + 1000) * size + 1);
    });
  }

  it("of 64 bytes, 4 MiB in 65,537 frames, is received by default", () => {
    const protocol = new Protocol({ role: "server" });
    const frame = more("x".repeat(64), { fin: false });
    const frames = [text("", { fin: false }), ...Array.from({ length: 65_535 }, () => frame), more("x".repeat(64))];
    protocol.receive(concat(...frames));
    const received = protocol.next();
    assert.ok(received?.type === "message" && received.data.length === 4 * 1024 * 1024);
  });

  it("of one byte is refused one beyond maxFragments, and no memory is left", () => {
    const incoming = begun(131_072);
    receive(incoming, more("x", { fin: false }), 131_071);
    incoming.receive(more("x"));
    assert.deepEqual([incoming.next(take.message), found.failure], [event.failed, "websocket.too_many_fragments"]);
    assert.equal(incoming.available, 0);
  });
});
