import assert from "node:assert/strict";
import { it } from "node:test";
import { chats, drains, refusal } from "./support/chat.ts";
import { startExample } from "./support/example.ts";

const page = /^There is a chat at \/chat\n$/;

for (const [name, what, answer] of [
  ["express", "an Express application", page],
  ["fastify", "a Fastify application", page],
  ["hono", "a Hono application", /^There is a chat at \/chat, (::1|(::ffff:)?127\.0\.0\.1)\n$/],
  ["hono-node-server", "Hono's server for Node.js", page],
  ["koa", "a Koa application", page],
] as const) {
  it(`${name} has a WebSocket chat on the port of ${what}`, async (t) => {
    const example = await startExample(t, name);
    const host = `localhost:${example.port}`;
    assert.match(await (await fetch(`http://${host}/`)).text(), answer);
    assert.equal((await fetch(`http://${host}/chat`)).status, 404);
    const clients = await chats(`ws://${host}/chat`);
    assert.equal(await refusal(`ws://${host}/elsewhere`), 404);
    await drains(example, clients);
  });
}
