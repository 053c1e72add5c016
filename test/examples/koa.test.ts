import assert from "node:assert/strict";
import { it } from "node:test";
import { chats, drains, refusal } from "./support/chat.ts";
import { startExample } from "./support/example.ts";

it("has a WebSocket chat on the port of a Koa application", async (t) => {
  const example = await startExample(t, "koa");
  const host = `localhost:${example.port}`;
  assert.equal(await (await fetch(`http://${host}/`)).text(), "There is a chat at /chat\n");
  assert.equal((await fetch(`http://${host}/chat`)).status, 404);
  const clients = await chats(`ws://${host}/chat`);
  assert.equal(await refusal(`ws://${host}/elsewhere`), 404);
  await drains(example, clients);
});
