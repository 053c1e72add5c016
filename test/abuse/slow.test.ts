import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { Bystander, Client, closeFrame, final, header, opcodes, openMany, upgradeRequest } from "./support/client.ts";
import { Target } from "./support/target.ts";

test("ten thousand connections that send nothing are closed at timeouts.header", async (t) => {
  const count = 10_000;
  const target = await Target.start(t, { kind: "echo", options: { timeouts: { header: 2000 } } });
  const bystander = await Bystander.start(target);
  const clients = await openMany(count, async () => {
    const client = Client.connect(target);
    await new Promise((resolve) => client.socket.once("connect", resolve));
    return client;
  });
  const ends = await Promise.all(clients.map((client) => client.ended));
  assert.ok(ends.every(({ error }) => error === undefined));
  await bystander.stop();
  const { accepted, limits, errors } = await target.until(({ connections }) => connections === 0);
  assert.deepEqual([accepted, limits["timeouts.header"], errors], [count + 1, count, { "core.timeout": count }]);
  await target.wasCalm(t, { mostMemory: 400, mostBlocked: 5000 });
});

test("heads that come a byte at a time are refused at timeouts.header, however long they are", async (t) => {
  const count = 200;
  const target = await Target.start(t, { kind: "echo", options: { timeouts: { header: 1000 } } });
  const bystander = await Bystander.start(target);
  const clients = await openMany(count, () => Promise.resolve(Client.connect(target)));
  const head = upgradeRequest({ headers: { "X-Filler": "x".repeat(10_000) } });
  // By a reset, where it has sent more meanwhile.
  const open = new Set(clients);
  for (const client of clients) client.socket.once("close", () => open.delete(client));
  // As slow as can be, for a test that has to end: forty bytes a second.
  for (let at = 0; open.size > 0; at++) {
    for (const { socket } of open) if (socket.writable) socket.write(head[at]!);
    await delay(25);
  }
  for (const { status, ended } of clients) {
    // Who sends more before it has read the answer may be reset instead.
    if ((await ended).error === undefined) assert.equal(await status, 408);
  }
  await bystander.stop();
  const { limits, errors } = await target.until(({ connections }) => connections === 0);
  assert.deepEqual([limits["timeouts.header"], errors], [count, { "core.timeout": count }]);
  await target.wasCalm(t);
});

test("one that falls silent in the middle of a frame is cut at timeouts.idle", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { timeouts: { idle: 2000 } } });
  const bystander = await Bystander.start(target);
  const clients = await openMany(100, () => Client.open(target));
  for (const [i, client] of clients.entries()) {
    // Neither the pings that ask it.
    client.socket.pause();
    client.send(header(final | opcodes.text, 1000).subarray(0, 1 + (i % 6)));
  }
  const { limits, closed } = await target.until(({ limits }) => limits["timeouts.idle"] === 100);
  assert.deepEqual([limits["timeouts.idle"], closed], [100, { 1006: 100 }]);
  await bystander.stop();
  await target.until(({ connections }) => connections === 0);
  await target.wasCalm(t);
  for (const { socket } of clients) socket.destroy();
});

test("one that closes and never ends its side is cut at timeouts.handshake", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { timeouts: { handshake: 1000 } } });
  const bystander = await Bystander.start(target);
  const clients = await openMany(100, () => Promise.resolve(Client.connect(target, { allowHalfOpen: true } as never)));
  for (const client of clients) client.send(upgradeRequest());
  for (const client of clients) assert.equal(await client.status, 101);
  for (const client of clients) client.send(closeFrame(1000));
  await target.until(({ closed }) => closed[1000] === 100);
  await bystander.stop();
  await target.until(({ connections }) => connections === 0);
  await target.wasCalm(t);
  for (const { socket } of clients) socket.destroy();
});
