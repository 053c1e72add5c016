import assert from "node:assert/strict";
import { it } from "node:test";
import { Inflation } from "../../../src/websocket/connection/inflation.ts";
import { Inflater } from "../../../src/websocket/deflate/inflate.ts";
import { Incoming, long } from "../../../src/websocket/protocol/incoming.ts";
import { packed } from "../support/deflated.ts";

const options = { maxMessageSize: 10_000_000, maxFragments: 10, text: "string" } as const;
const message = new Uint8Array(2_000_000).fill(7);

it("a message that may refer to others is inflated in steps, each of which is counted", () => {
  const incoming = new Incoming("server", options, new Inflater({ windowBits: 15, takeover: true }));
  const inflation = new Inflation(incoming, packed(message), () => assert.fail("called"));
  assert.equal(inflation.isElsewhere, false);
  let steps = 1;
  for (; !inflation.advance(); steps++) {
    assert.equal(inflation.isLong, false);
    const { cost } = incoming;
    assert.ok(cost > 0 && cost < 600_000, `${cost} for a step`);
    incoming.cost = 0;
  }
  assert.ok(steps >= 7, `${steps} steps`);
  assert.equal(Buffer.compare(inflation.result as Uint8Array, message), 0);
  assert.equal(inflation.isLong, message.length > long);
});

it("a message by itself is inflated on another thread, and what is done with it here is counted", async () => {
  const incoming = new Incoming("server", options, new Inflater({ windowBits: 15, takeover: false }));
  const inflation = await new Promise<Inflation>((resolve) => {
    const begun: Inflation = new Inflation(incoming, packed(message), () => resolve(begun));
    assert.equal(begun.isElsewhere, true);
    assert.equal(begun.advance(), false);
  });
  assert.equal(inflation.advance(), true);
  assert.equal(Buffer.compare(inflation.result as Uint8Array, message), 0);
  assert.ok(incoming.cost > 0);
});
