// Hono's node-server, which takes an instance.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocketServer } from "serval/ws";
import { start } from "./support/hosts/hono.ts";
import { Client, refusal } from "./support/messages.ts";

describe("Hono over serval", () => {
  it("opens the routes that upgrade, and serves the others", async (t) => {
    const host = await start();
    t.after(() => host.close());
    assert.ok(host.wss instanceof WebSocketServer);
    assert.equal(await (await fetch(host.url.replace("ws", "http"))).text(), "a page");
    const client = new Client(`${host.url}/echo?name=ada`);
    assert.equal(await client.next(), "hello ada");
    assert.equal(await client.ask("é"), "é");
    const long = "x".repeat(100_000);
    assert.equal(await client.ask(long), long);
    client.ws.close(4000, "bye");
    assert.deepEqual(await client.closed(), { code: 4000, reason: "bye" });
    const { status } = await refusal(`${host.url}/missing`);
    assert.ok(status === 400 || status === 404, String(status));
  });
});
