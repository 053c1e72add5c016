import assert from "node:assert/strict";
import { it } from "node:test";
import { localhost } from "../support/localhost.ts";
import { requires, runProgram } from "../support/programs.ts";
import { chats, drains, refusal } from "./support/chat.ts";
import { startExample } from "./support/example.ts";

it("has a WebSocket chat on the port of a server of node:http", async (t) => {
  const example = await startExample(t, "node-http");
  const host = `localhost:${example.port}`;
  assert.equal(await (await fetch(`http://${host}/`)).text(), "There is a chat at /chat\n");
  const clients = await chats(`ws://${host}/chat`);
  assert.equal(await refusal(`ws://${host}/elsewhere`), 404);
  await drains(example, clients);
});

it("has one on the port of a server of node:https", { skip: requires("curl") }, async (t) => {
  const files = { "key.pem": localhost.key, "cert.pem": localhost.cert };
  const example = await startExample(t, "node-http", () => ["key.pem", "cert.pem"], files);
  const host = `localhost:${example.port}`;
  const curl = await runProgram("curl", ["-sS", "--cacert", `${example.folder}/cert.pem`, `https://${host}/`]);
  assert.equal(String(curl.stdout), "There is a chat at /chat\n");
  const options = { ca: localhost.cert };
  const clients = await chats(`wss://${host}/chat`, options);
  assert.equal(await refusal(`wss://${host}/elsewhere`, options), 404);
  await drains(example, clients);
});
