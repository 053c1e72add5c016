import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Request, type RequestInit } from "../../../src/http/index.ts";
import { isUpgrade } from "../../../src/websocket/handshake/is-upgrade.ts";

const asks = (init: RequestInit): boolean => isUpgrade(new Request<never>(init as RequestInit<never>));

describe("isUpgrade", () => {
  it("is true for a request for a WebSocket, in any case and among other protocols", () => {
    assert.equal(asks({ headers: { Connection: "Upgrade", Upgrade: "websocket" } }), true);
    assert.equal(asks({ headers: { Connection: "Upgrade", Upgrade: "h2c, WebSocket" } }), true);
    assert.equal(asks({ headers: { Connection: "Upgrade", Upgrade: ["h2c", "websocket"] } }), true);
  });

  it("is true for a malformed one, which accept refuses", () => {
    assert.equal(asks({ headers: { Upgrade: "h2c", "Sec-WebSocket-Key": "x" } }), true);
    assert.equal(asks({ headers: { Upgrade: "websocket" } }), true);
    assert.equal(asks({ method: "POST", headers: { Connection: "Upgrade", Upgrade: "websocket" } }), true);
  });

  it("is false for others: no Upgrade, another protocol, HTTP/1.0", () => {
    assert.equal(asks({ headers: { Connection: "Upgrade", "Sec-WebSocket-Key": "x" } }), false);
    assert.equal(asks({ headers: { Connection: "Upgrade", Upgrade: "h2c" } }), false);
    assert.equal(asks({ headers: { Connection: "Upgrade", Upgrade: "websocket2" } }), false);
    assert.equal(asks({ version: 10, headers: { Connection: "Upgrade", Upgrade: "websocket" } }), false);
  });
});
