// express-ws, which gets serval-ws by npm's overrides.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { start } from "./support/hosts/express-ws.ts";
import { Client } from "./support/messages.ts";
import { assertOverridden } from "./support/whose.ts";

describe("express-ws over serval", () => {
  it("opens the routes of sockets, and serves the others", async (t) => {
    assertOverridden("express-ws");
    const host = await start();
    t.after(() => host.close());
    assert.equal(await (await fetch(host.url.replace("ws", "http"))).text(), "a page");
    const client = new Client(`${host.url}/rooms/7`);
    await client.opened();
    assert.equal(await client.ask("é"), "7: é");
    assert.equal(host.wss.clients.size, 1);
    client.ws.close(4000);
    assert.equal((await client.closed()).code, 4000);
    // A path without such a route is closed, after it was opened.
    await new Client(`${host.url}/missing`).closed();
  });
});
