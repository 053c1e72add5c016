// @fastify/websocket, which gets serval-ws by npm's overrides.
import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { start } from "./support/hosts/fastify.ts";
import { Client, refusal } from "./support/messages.ts";
import { assertOverridden } from "./support/whose.ts";

async function started(t: TestContext) {
  assertOverridden("@fastify/websocket");
  const host = await start();
  t.after(async () => {
    // The streams of injectWS never close by themselves.
    for (const ws of host.app.websocketServer.clients) ws.terminate();
    await host.close();
  });
  return host;
}

describe("@fastify/websocket over serval", () => {
  it("echoes, closes with codes, and holds its limit", async (t) => {
    const { url } = await started(t);
    const client = new Client(`${url}/echo`);
    await client.opened();
    assert.equal(await client.ask("é"), "é");
    assert.equal(await client.ask(Buffer.from([1, 2, 255])), "0102ff");
    client.ws.send("bye");
    assert.deepEqual(await client.closed(), { code: 4000, reason: "bye undefined" });
    const tooBig = new Client(`${url}/echo`);
    await tooBig.opened();
    tooBig.ws.send(Buffer.alloc(64 * 1024 + 1));
    assert.equal((await tooBig.closed()).code, 1009);
  });

  it("refuses by a hook", async (t) => {
    const { url } = await started(t);
    assert.deepEqual(await refusal(`${url}/members`), { status: 401, body: "members only" });
  });

  it("opens one in memory, by injectWS", async (t) => {
    const { app } = await started(t);
    const ws = await app.injectWS("/echo", { headers: { "user-agent": "a test" } });
    const heard = once(ws, "message");
    ws.send("in memory");
    assert.equal(String((await heard)[0]), "in memory");
    const closed = once(ws, "close");
    ws.send("bye");
    const [code, reason] = (await closed) as [number, Buffer];
    assert.deepEqual([code, reason.toString()], [4000, "bye a test"]);
  });

  it("closes its clients when the server closes", async (t) => {
    const { url, app } = await started(t);
    const client = new Client(`${url}/echo`);
    await client.opened();
    const closed = client.closed();
    await app.close();
    assert.equal((await closed).code, 1005);
  });
});
