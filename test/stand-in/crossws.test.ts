// crossws, which takes an instance.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { WebSocketServer } from "serval/ws";
import { start } from "./support/hosts/crossws.ts";
import { Client, refusal } from "./support/messages.ts";

describe("crossws over serval", () => {
  it("calls the hooks, publishes and refuses", async (t) => {
    const host = await start();
    t.after(() => host.close());
    assert.ok(host.wss instanceof WebSocketServer);
    const [first, second] = [new Client(host.url), new Client(host.url)];
    await Promise.all([first.opened(), second.opened()]);
    assert.equal(await first.ask("hi"), "you: hi");
    assert.equal(await second.next(), "they: hi");
    assert.equal(await second.ask("é"), "you: é");
    assert.equal(await first.next(), "they: é");
    first.ws.send("bye");
    assert.deepEqual(await first.closed(), { code: 4000, reason: "bye" });
    assert.deepEqual(await refusal(`${host.url}/?banned`), { status: 403, body: "banned" });
    second.ws.close();
    await second.closed();
  });
});
