import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, openMany } from "./support/client.ts";
import { Target } from "./support/target.ts";

const count = 10_000;

test("ten thousand connections at once: each gets its own message back, and all close cleanly", async (t) => {
  const target = await Target.start(t, { kind: "echo" });
  const clients = await openMany(count, () => Client.open(target));
  const open = await target.stats();
  assert.deepEqual([open.connections, open.sockets, open.accepted, open.opened], [count, count, count, count]);

  const own = (i: number): string => `the message of ${i}: ${"x".repeat(i % 300)}`;
  for (const [i, client] of clients.entries()) client.text(own(i));
  const echoes = await Promise.all(clients.map((client) => client.next()));
  assert.ok(echoes.every((echo, i) => echo === own(i)));

  await Promise.all(clients.map((client) => client.close()));
  assert.ok(clients.every((client) => client.messages.length === 0));
  const { closed, messagesReceived, messagesSent, errors } = await target.until(({ connections }) => connections === 0);
  assert.deepEqual([closed, errors], [{ 1000: count }, {}]);
  assert.deepEqual([messagesReceived, messagesSent], [count, count]);
  // Here one turn of the event loop has to do with thousands.
  await target.wasCalm(t, { mostMemory: 400, mostBlocked: 5000 });
});
