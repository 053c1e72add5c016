import assert from "node:assert/strict";
import { it } from "node:test";
import { suggestedTimeouts } from "../../../src/websocket/options/options.ts";

it("a server ends a silent connection after five minutes, with a ping before; a client does not", () => {
  assert.deepEqual(suggestedTimeouts("server"), { handshake: 30_000, idle: 300_000, keepAlivePings: true });
  assert.deepEqual(suggestedTimeouts("client"), { handshake: 30_000, idle: Infinity, keepAlivePings: false });
});

it("each caller gets a copy to change", () => {
  const mine = suggestedTimeouts("server");
  mine.idle = 1;
  assert.equal(suggestedTimeouts("server").idle, 300_000);
});
