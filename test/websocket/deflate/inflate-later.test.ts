import assert from "node:assert/strict";
import { it } from "node:test";
import { inflateLater } from "../../../src/websocket/deflate/inflate-later.ts";
import type { WebsocketCode } from "../../../src/websocket/frames/errors.ts";
import { packed, unhex } from "../support/deflated.ts";

const later = (payload: Uint8Array, limit: number): Promise<Uint8Array | WebsocketCode> =>
  new Promise((resolve) => {
    let returned = false;
    inflateLater(payload, limit, (result) => {
      assert.ok(returned, "called inside the call");
      resolve(result);
    });
    returned = true;
  });

it("a message is inflated on another thread, up to its limit", async () => {
  const message = new Uint8Array(1_000_000).fill(7);
  assert.equal(Buffer.compare((await later(packed(message), message.length)) as Uint8Array, message), 0);
  assert.equal(await later(packed(message), message.length - 1), "websocket.message_too_big");
  assert.equal(await later(unhex("06"), 100), "websocket.bad_deflate_data");
});
