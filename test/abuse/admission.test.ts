import assert from "node:assert/strict";
import { test } from "node:test";
import { Bystander, Client, openMany, upgradeRequest } from "./support/client.ts";
import { Target } from "./support/target.ts";

/** Sends bytes on connections of their own; all have to be answered with this status, and ended in good order. */
async function refused(target: Target, count: number, bytes: string | Buffer, status: number): Promise<void> {
  await openMany(count, async () => {
    const client = Client.connect(target);
    client.send(bytes);
    assert.equal(await client.status, status);
    assert.deepEqual(await client.ended, { code: undefined, error: undefined });
  });
}

test("more connections than maxConnections get 503, until others leave", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { maxConnections: 11 } });
  const bystander = await Bystander.start(target);
  const clients = await openMany(10, () => Client.open(target));
  await refused(target, 500, upgradeRequest(), 503);
  await Promise.all(clients.slice(0, 5).map((client) => client.close()));
  await target.until(({ connections }) => connections === 6);
  const others = await openMany(5, () => Client.open(target));
  await refused(target, 1, upgradeRequest(), 503);
  for (const client of [...others, ...clients.slice(5)]) await client.close();
  await bystander.stop();
  const { refused: counts, accepted, opened } = await target.until(({ connections }) => connections === 0);
  assert.deepEqual([counts.maxConnections, accepted, opened], [501, 517, 16]);
  await target.wasCalm(t);
});

test("more connections of an address than maxConnectionsPerAddress get 429, until others leave", async (t) => {
  const target = await Target.start(t, { kind: "echo", options: { maxConnectionsPerAddress: 11 } });
  const bystander = await Bystander.start(target);
  const clients = await openMany(10, () => Client.open(target));
  await refused(target, 500, upgradeRequest(), 429);
  const elsewhere = Client.connect(target, { localAddress: "127.0.0.2" } as never);
  elsewhere.send(upgradeRequest());
  assert.equal(await elsewhere.status, 101);
  await Promise.all(clients.slice(0, 5).map((client) => client.close()));
  await target.until(({ connections }) => connections === 7);
  const others = await openMany(5, () => Client.open(target));
  await refused(target, 1, upgradeRequest(), 429);
  for (const client of [...others, ...clients.slice(5), elsewhere]) await client.close();
  await bystander.stop();
  const { refused: counts, accepted, opened } = await target.until(({ connections }) => connections === 0);
  assert.deepEqual([counts.maxConnectionsPerAddress, accepted, opened], [501, 518, 17]);
  await target.wasCalm(t);
});

test("requests of other sites, too long ones and garbage are refused", async (t) => {
  const target = await Target.start(t, { kind: "echo" });
  const bystander = await Bystander.start(target);
  const crossSite = upgradeRequest({ headers: { Origin: "https://evil.example" } });
  await openMany(500, async () => {
    const client = Client.connect(target);
    client.send(crossSite);
    assert.equal(await client.status, 403);
    // The connection could be used for more.
    client.socket.end();
    assert.deepEqual(await client.ended, { code: undefined, error: undefined });
  });
  await refused(target, 500, upgradeRequest({ headers: { "X-Filler": "x".repeat(100_000) } }), 431);
  await refused(target, 500, Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251)), 400);
  await bystander.stop();
  const { refused: counts, limits } = await target.until(({ connections }) => connections === 0);
  assert.deepEqual([counts.origins, limits.maxHeaderSize, counts.malformed], [500, 500, 1000]);
  await target.wasCalm(t);
});
