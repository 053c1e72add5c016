// graphql-ws, whose server takes an instance, with its own client.
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { createClient, type Client } from "graphql-ws";
import { WebSocket, WebSocketServer } from "serval/ws";
import { start } from "./support/hosts/graphql-ws.ts";
import { Client as Plain } from "./support/messages.ts";

async function client(t: TestContext, connectionParams: { token: string }): Promise<Client> {
  const host = await start();
  assert.ok(host.wss instanceof WebSocketServer);
  const made = createClient({ url: host.url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
  t.after(async () => {
    await made.dispose();
    await host.close();
  });
  return made;
}

describe("graphql-ws over serval", () => {
  it("answers queries, and subscriptions to their end", async (t) => {
    const made = await client(t, { token: "secret" });
    const results: unknown[] = [];
    for await (const { data } of made.iterate({ query: "{ hello }" })) results.push(data);
    for await (const { data } of made.iterate({ query: "subscription { count(to: 3) }" })) results.push(data);
    assert.deepEqual(results, [{ hello: "world" }, { count: 1 }, { count: 2 }, { count: 3 }]);
  });

  it("ends a subscription that its client leaves", async (t) => {
    const made = await client(t, { token: "secret" });
    for await (const { data } of made.iterate({ query: "subscription { count(to: 1000000) }" })) {
      assert.deepEqual(data, { count: 1 });
      break;
    }
    for await (const { data } of made.iterate({ query: "{ hello }" })) assert.deepEqual(data, { hello: "world" });
  });

  it("closes with graphql-ws' codes", async (t) => {
    const made = await client(t, { token: "wrong" });
    await assert.rejects(
      async () => {
        for await (const result of made.iterate({ query: "{ hello }" })) assert.fail(JSON.stringify(result));
      },
      (error: { code?: number; reason?: string }) => error.code === 4403 && error.reason === "Forbidden",
    );

    const host = await start();
    t.after(() => host.close());
    const other = new Plain(host.url, ["another-protocol"]);
    await assert.rejects(other.opened(), /Server sent no subprotocol/);
    const invalid = new Plain(host.url, ["graphql-transport-ws"]);
    await invalid.opened();
    assert.equal(invalid.ws.protocol, "graphql-transport-ws");
    invalid.ws.send("{");
    assert.equal((await invalid.closed()).code, 4400);
  });
});
