// NestJS' adapter for ws, which gets serval-ws by npm's overrides.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { start } from "./support/hosts/nest.ts";
import { Client } from "./support/messages.ts";
import { assertOverridden } from "./support/whose.ts";

describe("NestJS over serval", () => {
  it("calls a gateway's methods", async (t) => {
    assertOverridden("@nestjs/platform-ws");
    const host = await start();
    t.after(() => host.close());
    const client = new Client(host.url);
    await client.opened();
    const answer = await client.ask(JSON.stringify({ event: "add", data: { a: 2, b: 3 } }));
    assert.deepEqual(JSON.parse(answer), { event: "sum", data: 5 });
    client.ws.close(4000, "bye");
    assert.deepEqual(await client.closed(), { code: 4000, reason: "bye" });
    const left = new Client(host.url);
    await left.opened();
    const closed = left.closed();
    await host.close();
    await closed;
  });
});
